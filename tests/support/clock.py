"""The database's clock, which a test moves: everything dates itself by now().

The now() of PostgreSQL is a C function. `at` replaces it, in this database only, by a SQL function that reads
a setting first. The planner inlines that function, so every now() in stored logic, defaults and triggers moves,
and the stored logic needs no hook for tests. transaction_timestamp() and clock_timestamp() keep the real time.
The `db` fixture rolls the replacement back with the rest of the test.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg

SETTING = "atlas_test.now"

_NOW = f"""
create or replace function pg_catalog.now()
returns timestamptz
language sql
stable
parallel safe
return coalesce(
  nullif(pg_catalog.current_setting('{SETTING}', true), '')::timestamptz,
  pg_catalog.transaction_timestamp()
)
"""


@contextlib.contextmanager
def at(db: psycopg.Connection, when: str | datetime | timedelta) -> Iterator[None]:
    """Run the block at another time: the firm's wall-clock time, a moment, or so much from now (negative: ago).

    If the block fails, the clock stays until the transaction is rolled back.
    """
    _install(db)
    if isinstance(when, timedelta):
        moment = "transaction_timestamp() + %s"
    elif isinstance(when, datetime):
        moment = "%s::timestamptz"
    else:
        moment = "%s::timestamp at time zone 'America/Chicago'"
    db.execute(f"select set_config('{SETTING}', ({moment})::text, false)".encode(), (when,))
    yield
    db.execute(f"reset {SETTING}".encode())


def _install(db: psycopg.Connection) -> None:
    row = db.execute(
        "select l.lanname from pg_proc p join pg_language l on l.oid = p.prolang"
        " where p.oid = 'pg_catalog.now()'::regprocedure"
    ).fetchone()
    if row != ("sql",):
        db.execute(_NOW.encode())
        # PostgreSQL doesn't invalidate plans that call a built-in function.
        db.execute("discard plans")
