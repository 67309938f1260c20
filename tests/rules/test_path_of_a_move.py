"""A move stays readable: how many functions of ours run for one."""

from __future__ import annotations

import psycopg

from tests.support.calls import as_actor, make_client


def test_at_most_20_functions_run_for_one_move(db: psycopg.Connection) -> None:
    client, planned = make_client(db, "weekly"), make_client(db, "weekly")
    as_actor(db, "user:jimmie")
    # what is evaluated when a plan is made isn't part of the path
    db.execute("select api.set_stage(%s, 'eom_close', 'r', 0)", [planned])
    db.execute("set local track_functions = 'all'")

    db.execute("select api.set_stage(%s, 'eom_close', 'r', 0)", [client])

    run = db.execute("select schemaname || '.' || funcname from pg_stat_xact_user_functions where calls > 0").fetchall()
    assert ("rules.write_history",) in run
    assert len(run) <= 20, " ".join(sorted(name for (name,) in run))
