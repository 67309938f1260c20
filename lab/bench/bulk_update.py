"""Many moves at once: one plain UPDATE under the rules against the same UPDATE and an insert … select without any.

    python lab/bench/bulk_update.py [--rounds 5] [--clients 100000]

All in one session, which moves one client a few times first: a plan made for one must not meet the many.
"""

import time

import psycopg
from house import bench_database, command, tidy
from rows import Row

OURS = ["update public.clients set stage = 'eom_close' where stage = 'weekly' and id <= %s"]
FLOOR = [
    """
    update floor.clients
    set stage = 'eom_close', stage_entered_at = now(), close_period = '2026-12', version = version + 1
    where stage = 'weekly' and id <= %s
    """,
    """
    insert into floor.stage_history (
      client_id, from_stage, to_stage, actor_type, actor_id, channel, trigger_type, reason, version,
      close_period
    )
    select id, 'weekly', stage, 'human', 'user:jimmie', 'psql', 'manual', 'month end', version, close_period
    from floor.clients
    where stage = 'eom_close' and id <= %s
    """,
]


def milliseconds(connection: psycopg.Connection, statements: list[str], clients: int) -> float:
    """The time of the statements in one transaction, which is rolled back."""
    with connection.transaction(force_rollback=True):
        begun = time.perf_counter()
        for statement in statements:
            connection.execute(statement, (clients,), prepare=True)
        return 1000 * (time.perf_counter() - begun)


def measure(rounds: int = 5, clients: int = 100_000) -> list[Row]:
    """One UPDATE of many clients, with and without rules: the medians of the rounds, of both in turn."""
    rows = []
    with bench_database(clients) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        for moved in (1, clients):
            floor, ours = [], []
            for _ in range(10 if moved == 1 else rounds):
                tidy(connection)
                floor.append(milliseconds(connection, FLOOR, moved))
                ours.append(milliseconds(connection, OURS, moved))
            what = f"a plain UPDATE of {moved:,} client{'s' if moved > 1 else ''}"
            wanted = 2 if moved > 1 else None
            rows.append(Row.of_rounds(what, ours, "ms", floor, "bare SQL", wanted))
    return rows


if __name__ == "__main__":
    command("moves in one statement", measure)
