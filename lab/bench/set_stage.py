"""One move at a time: api.set_stage against one hand-written statement without rules.

    python lab/bench/set_stage.py [--rounds 5] [--transactions 2000]

pgbench with 8 clients, prepared statements; floor and api.set_stage in turn, with synchronous_commit on and off. Each
pgbench client moves its clients through weekly, eom_close and eom_review, so that it knows their versions.
"""

import os
import re
import subprocess
from pathlib import Path

import psycopg
from house import PGBENCH, bench_database, command, tidy
from rows import Row

CONNECTIONS = 8
SHARE = 12_500  # clients of each connection; 7919 has no factor in common with it, so that each comes once a turn
HERE = Path(__file__).parent
FLOOR, OURS = HERE / "floor_move.pgbench", HERE / "set_stage.pgbench"


def transactions_per_second(dsn: str, script: Path, begun: int, transactions: int, synchronous: str) -> float:
    """One run of pgbench, which continues after the `begun` transactions of each connection."""
    options = ["--no-vacuum", "--protocol=prepared", f"--client={CONNECTIONS}", "--jobs=2"]
    options += [f"--transactions={transactions}", f"--define=n={begun}", f"--define=share={SHARE}"]
    done = subprocess.run(
        [PGBENCH, *options, f"--file={script}", dsn],
        env=os.environ | {"PGOPTIONS": f"-c synchronous_commit={synchronous}"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if found is None or "failed transactions: 0" not in done.stdout:
        raise SystemExit(done.stdout + done.stderr)
    return float(found[1])


def measure(rounds: int = 5, transactions: int = 2000) -> list[Row]:
    """api.set_stage against one statement without rules: medians of rounds of so many transactions of 8 clients."""
    rows = []
    begun = 0
    with (
        bench_database(CONNECTIONS * SHARE) as dsn,
        psycopg.connect(dsn, autocommit=True) as connection,
    ):
        for synchronous in ("on", "off"):
            floor: list[float] = []
            ours: list[float] = []
            for _ in range(rounds):
                for rates, script in (floor, FLOOR), (ours, OURS):
                    tidy(connection)
                    rates.append(transactions_per_second(dsn, script, begun, transactions, synchronous))
                begun += transactions
            what = f"api.set_stage, synchronous_commit = {synchronous}"
            rows.append(Row.of_rounds(what, ours, "/s", floor, "bare SQL", wanted=0.65))
    return rows


if __name__ == "__main__":
    command(f"moves, pgbench with {CONNECTIONS} clients", measure)
