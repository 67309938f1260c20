"""One move at a time: api.set_stage against one hand-written statement without rules.

    python lab/bench/set_stage.py [--rounds 5] [--transactions 2000]

pgbench with 8 clients, prepared statements; floor and api.set_stage in turn, with synchronous_commit on and off. Each
pgbench client moves its clients through weekly, eom_close and eom_review, so that it knows their versions.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import tempfile
from pathlib import Path

import psycopg
from house import PGBENCH, bench_database, tidy
from rows import Row, show

CONNECTIONS = 8
SHARE = 12_500  # clients of each connection; 7919 has no factor in common with it, so that each comes once a turn

_NEXT = """
\\set id 1 + :client_id * :share + (:n * 7919) % :share
\\set version :n / :share
\\set n :n + 1
"""

SCRIPTS = {
    "floor": _NEXT
    # pgbench would take the colon of a plain 'user:jimmie' for the beginning of a variable
    + """
with moved as (
  update floor.clients
  set stage = case stage when 'weekly' then 'eom_close' when 'eom_close' then 'eom_review' else 'weekly' end,
      stage_entered_at = now(),
      version = version + 1
  where id = :id
  returning id, stage, version
)
insert into floor.stage_history (
  client_id, from_stage, to_stage, actor_type, actor_id, channel, trigger_type, reason, version
)
select id, 'weekly', stage, 'human', U&'user\\003ajimmie', 'api', 'manual', 'month end', version
from moved;
""",
    "api.set_stage": _NEXT
    + """
select api.set_stage(
  client_id        => :id,
  to_stage         => (array['eom_close', 'eom_review', 'weekly'])[1 + :version % 3],
  reason           => 'month end',
  expected_version => :version
);
""",
}


def transactions_per_second(
    dsn: str, script: Path, begun: int, transactions: int, synchronous: str
) -> float:
    """One run of pgbench, which continues after the `begun` transactions of each connection."""
    done = subprocess.run(
        [
            PGBENCH,
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={CONNECTIONS}",
            "--jobs=2",
            f"--transactions={transactions}",
            f"--define=n={begun}",
            f"--define=share={SHARE}",
            f"--file={script}",
            dsn,
        ],
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
    """The medians of the rounds, of floor and ours in turn."""
    rows = []
    with bench_database(CONNECTIONS * SHARE) as dsn, tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder) / f"{name}.sql" for name in SCRIPTS}
        for name, file in files.items():
            file.write_text(SCRIPTS[name])
        begun = 0
        with psycopg.connect(dsn, autocommit=True) as connection:
            for synchronous in ("on", "off"):
                rates: dict[str, list[float]] = {name: [] for name in SCRIPTS}
                for _ in range(rounds):
                    for name, file in files.items():
                        tidy(connection)
                        rates[name].append(
                            transactions_per_second(dsn, file, begun, transactions, synchronous)
                        )
                    begun += transactions
                floor, ours = rates.values()
                what = f"api.set_stage, synchronous_commit = {synchronous}"
                rows.append(Row.of_rounds(what, ours, "/s", floor, "bare SQL", wanted=0.65))
    return rows


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="api.set_stage against one statement without rules."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--transactions", type=int, default=2000, help="of each connection and round"
    )
    arguments = parser.parse_args()
    rows = measure(arguments.rounds, arguments.transactions)
    show(f"moves, pgbench with {CONNECTIONS} clients", rows)


if __name__ == "__main__":
    main()
