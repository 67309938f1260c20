"""Many moves in one call: api.set_stages with 1,000 items against as many calls of api.set_stage.

    python lab/bench/set_stages.py [--rounds 5]

Both through psycopg, each call a transaction, as a script would do it without and with the bulk function.
"""

import time

import psycopg
from house import bench_database, command, tidy
from psycopg.types.json import Jsonb
from rows import Row

ITEMS = 1000
STAGES = ("eom_close", "eom_review", "weekly")
EACH = "select api.set_stage(client_id => %s, to_stage => %s, reason => %s, expected_version => %s)"


def move_each(connection: psycopg.Connection, first: int, version: int) -> None:
    for client in range(first, first + ITEMS):
        connection.execute(EACH, (client, STAGES[version % 3], "month end", version))


def move_together(connection: psycopg.Connection, first: int, version: int) -> None:
    move = {"to_stage": STAGES[version % 3], "reason": "month end", "expected_version": version}
    items = [{"client_id": client, **move} for client in range(first, first + ITEMS)]
    row = connection.execute("select api.set_stages(%s) ->> 'done'", (Jsonb(items),)).fetchone()
    assert row == (str(ITEMS),), row


def measure(rounds: int = 5) -> list[Row]:
    """api.set_stages against calls of api.set_stage: the medians of the rounds, of both in turn."""
    each: list[float] = []
    together: list[float] = []
    with bench_database(2 * ITEMS) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        for version in range(rounds):
            for taken, move, first in (each, move_each, 1), (together, move_together, 1 + ITEMS):
                tidy(connection)
                begun = time.perf_counter()
                move(connection, first, version)
                taken.append(1e6 * (time.perf_counter() - begun) / ITEMS)
    what = f"a move among {ITEMS:,} of api.set_stages"
    return [Row.of_rounds(what, together, "µs", each, "a call of api.set_stage", wanted=0.1)]


if __name__ == "__main__":
    command("moves through psycopg", measure)
