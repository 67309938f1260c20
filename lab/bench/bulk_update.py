"""Many moves at once: one plain UPDATE under the rules against the same UPDATE and an insert … select without any.

    python lab/bench/bulk_update.py [--rounds 5] [--clients 100000]

All in one session, which moves one client a few times first: a plan made for one must not meet the many.
"""

from __future__ import annotations

import argparse
import time

import psycopg
from house import bench_database, tidy
from rows import Row, show

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
    """The time of the statements in one transaction, which is rolled back."""
    with connection.transaction(force_rollback=True):
        begun = time.perf_counter()
        for statement in statements:
            connection.execute(statement, (clients,), prepare=True)
        return time.perf_counter() - begun


def measure(rounds: int = 5, clients: int = 100_000) -> list[Row]:
    """The medians of the rounds, of floor and ours in turn."""
    rows = []
    with bench_database(clients) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        for moved in (1, clients):
            floor, ours = [], []
            for _ in range(10 if moved == 1 else rounds):
                tidy(connection)
                floor.append(1000 * seconds(connection, FLOOR, moved))
                ours.append(1000 * seconds(connection, OURS, moved))
            what = f"a plain UPDATE of {plural(moved)}"
            wanted = 2 if moved > 1 else None
            rows.append(Row.of_rounds(what, ours, "ms", floor, "bare SQL", wanted))
    return rows


def plural(clients: int) -> str:
    """So many clients, in words."""
    return f"{clients:,} client{'s' if clients > 1 else ''}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description="One UPDATE of many clients, with and without rules."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=100_000)
    arguments = parser.parse_args()
    show("moves in one statement", measure(arguments.rounds, arguments.clients))


if __name__ == "__main__":
    main()
