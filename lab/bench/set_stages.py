"""Many moves in one call: api.set_stages with 1,000 items against as many calls of api.set_stage.

    python lab/bench/set_stages.py [--rounds 5]

Both through psycopg, each call a transaction, as a script would do it without and with the bulk function.
"""

from __future__ import annotations

import argparse
import time

import psycopg
from house import bench_database, tidy
from psycopg.types.json import Jsonb
from rows import Row, show

ITEMS = 1000
STAGES = ("eom_close", "eom_review", "weekly")


def move_each(connection: psycopg.Connection, first: int, version: int) -> None:
    """One call for each client."""
    for client in range(first, first + ITEMS):
        connection.execute(
            "select api.set_stage(client_id => %s, to_stage => %s, reason => %s, expected_version => %s)",
            (client, STAGES[version % 3], "month end", version),
        )


def move_together(connection: psycopg.Connection, first: int, version: int) -> None:
    """One call for all."""
    items = [
        {
            "client_id": client,
            "to_stage": STAGES[version % 3],
            "reason": "month end",
            "expected_version": version,
        }
        for client in range(first, first + ITEMS)
    ]
    row = connection.execute("select api.set_stages(%s) ->> 'done'", (Jsonb(items),)).fetchone()
    assert row == (str(ITEMS),), row


def measure(rounds: int = 5) -> list[Row]:
    """The medians of the rounds, of both in turn."""
    times: dict[str, list[float]] = {"api.set_stage": [], "api.set_stages": []}
    with bench_database(2 * ITEMS) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        for version in range(rounds):
            for (_, taken), move, first in zip(
                times.items(), (move_each, move_together), (1, 1 + ITEMS), strict=True
            ):
                tidy(connection)
                begun = time.perf_counter()
                move(connection, first, version)
                taken.append((time.perf_counter() - begun) / ITEMS)
    each, together = ([1e6 * time for time in taken] for taken in times.values())
    what = f"a move among {ITEMS:,} of api.set_stages"
    return [Row.of_rounds(what, together, "µs", each, "a call of api.set_stage", wanted=0.1)]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="api.set_stages against calls of api.set_stage.")
    parser.add_argument("--rounds", type=int, default=5)
    show("moves through psycopg", measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
