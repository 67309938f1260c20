"""What the jobs cost on a large firm, against the bare statements that change as much.

    python lab/bench/jobs.py [--clients 1000000]        on a separate throwaway server
    python lab/bench/jobs.py --database postgresql://…  on the clients of lab/bench/generate_clients.py

Three figures: the stuck detector with nothing to do; with 10,000 newly stuck; the month-end roll of every client in
weekly. The bare UPDATE + INSERT changes the same rows of the same tables, with their indexes and without their
triggers, and is rolled back. Each is run in turn, so that a busy machine disturbs both alike.
"""

import contextlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any

import psycopg
from generate_clients import generate
from house import command, throwaway
from rows import Row

_HERE = Path(__file__).parent
BARE_FLAG = (_HERE / "bare_flag.sql").read_bytes()
BARE_MOVE = (_HERE / "bare_move.sql").read_bytes()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    done = work()
    return time.perf_counter() - begun, done


class Bench:
    def __init__(self, dsn: str) -> None:
        self.db = psycopg.connect(dsn, autocommit=True)

    def perform(self, job: str, as_of: datetime) -> dict[str, Any]:
        ((found,),) = self.db.execute("call jobs.run_in_slices(%s, %s, false, null)", (job, as_of))
        assert found["outcome"] == "done", found
        return found  # type: ignore[no-any-return]

    def bare(self, statement: bytes, parameters: dict[str, Any]) -> float:
        """The seconds of the bare statement with its commit's work undone; the tables are vacuumed after it."""
        with self.db.transaction(force_rollback=True):
            self.db.execute("set local session_replication_role = replica")
            seconds, _ = timed(lambda: self.db.execute(statement, parameters))
        self.vacuum()
        return seconds

    def vacuum(self) -> None:
        for table in ("clients", "stage_history"):
            self.db.execute(f"vacuum (analyze) public.{table}")
        self.db.execute("checkpoint")

    def server_memory(self) -> float:
        """Megabytes that the session holds at its end, by its own account."""
        query = "select sum(total_bytes) / 1048576.0 from pg_backend_memory_contexts"
        ((megabytes,),) = self.db.execute(query)
        return float(megabytes)

    # -- the three figures

    def nothing_to_do(self, rounds: int = 20) -> list[Row]:
        now = datetime.now(UTC)
        self.perform("stage_stuck_detector", now)
        taken = [1000 * timed(lambda: self.perform("stage_stuck_detector", now))[0] for _ in range(rounds)]
        what = "stuck detector, nothing to do"
        return [Row(what, median(taken), "ms"), Row(f"{what}: the slowest", max(taken), "ms")]

    def newly_stuck(self, clients: int = 10_000) -> list[Row]:
        found = self.db.execute(
            "select id from clients where stage = 'eom_close' and active and flags = '{}' order by id limit %s",
            (clients,),
        )
        ids = [row[0] for row in found]
        self.age(ids, 11)
        bare = self.bare(BARE_FLAG, {"ids": ids})
        now = datetime.now(UTC)
        seconds, _ = timed(lambda: self.perform("stage_stuck_detector", now))
        again = self.bare(BARE_FLAG, {"ids": ids})
        self.age(ids, 1)
        self.perform("stage_stuck_detector", now + timedelta(minutes=1))
        what = f"stuck detector, {len(ids):,} newly stuck"
        return [Row(what, seconds, "s", mean([bare, again]), "bare SQL", wanted=1.5)]

    def age(self, ids: list[int], days: int) -> None:
        with self.db.transaction():
            self.db.execute("set local session_replication_role = replica")
            self.db.execute(
                "update clients set stage_entered_at = now() - make_interval(days => %s) where id = any (%s)",
                (days, ids),
            )
        self.vacuum()

    def month_end(self) -> list[Row]:
        bare = self.bare(BARE_MOVE, {})
        december = datetime(2026, 12, 31, 18, tzinfo=UTC)
        seconds, done = timed(lambda: self.perform("stage_autoroll_eom_open", december))
        what = f"month-end roll of {done['counts']['moved']:,}"
        return [
            Row(what, seconds, "s", bare, "bare SQL", wanted=1.5),
            Row(f"{what}: memory of the session", self.server_memory(), "MB"),
        ]


def measure(clients: int = 1_000_000, database: str | None = None) -> list[Row]:
    """What the jobs cost in a firm of so many clients, or in the database of a superuser's URL."""
    with contextlib.ExitStack() as opened:
        if database is None:
            database = opened.enter_context(throwaway()).dsn
            generate(database, clients)
        bench = Bench(database)
        opened.callback(bench.db.close)
        return bench.nothing_to_do() + bench.newly_stuck() + bench.month_end()


if __name__ == "__main__":
    command("jobs", measure)
