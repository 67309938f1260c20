"""Many moves at once: one plain UPDATE under the rules against the same UPDATE and an insert … select without any.

    python bench/bulk_update.py [--rounds 5] [--clients 100000]

All in one session, which moves one client a few times first: a plan made for one must not meet the many.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import psycopg
from house import bench_database, console, tidy
from rich.table import Table

OURS = ["update public.clients set stage = 'eom_close' where stage = 'weekly' and id <= %s"]
FLOOR = [
    """
    update floor.clients
    set stage = 'eom_close', stage_entered_at = now(), version = version + 1
    where stage = 'weekly' and id <= %s
    """,
    """
    insert into floor.stage_history (
      client_id, from_stage, to_stage, actor_type, actor_id, channel, trigger_type, reason, version
    )
    select id, 'weekly', stage, 'human', 'user:jimmie', 'psql', 'manual', 'month end', version
    from floor.clients
    where stage = 'eom_close' and id <= %s
    """,
]


def seconds(connection: psycopg.Connection, statements: list[str], clients: int) -> float:
    """The time of the statements in one transaction, which is taken back."""
    with connection.transaction(force_rollback=True):
        begun = time.perf_counter()
        for statement in statements:
            connection.execute(statement, (clients,), prepare=True)
        return time.perf_counter() - begun


def main() -> None:
    """Measure in turn, show the medians."""
    parser = argparse.ArgumentParser(
        description="One UPDATE of many clients, with and without rules."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=100_000)
    arguments = parser.parse_args()

    table = Table("clients", "floor, ms", "UPDATE, ms", "times", title="moves in one statement")
    with (
        bench_database(arguments.clients) as dsn,
        psycopg.connect(dsn, autocommit=True) as connection,
    ):
        for clients in (1, arguments.clients):
            floor, ours = [], []
            for _ in range(10 if clients == 1 else arguments.rounds):
                tidy(connection)
                floor.append(seconds(connection, FLOOR, clients))
                ours.append(seconds(connection, OURS, clients))
            table.add_row(
                f"{clients:,}",
                f"{median(floor) * 1000:,.1f}",
                f"{median(ours) * 1000:,.1f}",
                f"{median(ours) / median(floor):.2f}",
            )
    console.print(table)


if __name__ == "__main__":
    main()
