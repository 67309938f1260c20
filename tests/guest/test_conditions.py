"""Conditions of the server and its clock that doctor and health report."""

from __future__ import annotations

import psycopg


def test_a_dead_scheduler_is_named_after_an_installation_by_a_clock_that_was_ahead(
    db: psycopg.Connection,
) -> None:
    db.execute("update job_locks set installed_at = now() + interval '3 days', started_at = null")
    assert {name for (name,) in db.execute("select finding from ops.findings()").fetchall()} == {"job_not_started"}

    db.execute("update job_locks set started_at = now()")

    assert db.execute("select finding from ops.findings()").fetchall() == []


def test_a_full_disk_is_an_error_of_the_trial(db: psycopg.Connection) -> None:
    db.execute(
        "create function full_disk() returns trigger language plpgsql as $$ begin"
        " raise 'could not extend file: No space left on device' using errcode = '53100'; end $$;"
        " create trigger full_disk before update on clients for each row execute function full_disk()"
    )
    row = db.execute("select severity, what from ops.trial()").fetchone()
    assert row == (
        "error",
        "the server can't write: could not extend file: No space left on device",
    )


def test_a_view_that_another_version_of_postgresql_renders_differently_is_as_deployed(
    db: psycopg.Connection,
) -> None:
    db.execute(
        "update stage_installation set aspect = 'definition in PostgreSQL 14', value = 'SELECT h.id'"
        " where kind = 'view' and aspect like 'definition in %'"
    )
    assert db.execute("select kind, name from ops.changes_since_deploy()").fetchall() == []

    db.execute("drop view rules.shown_history")

    assert ("view",) in db.execute("select kind from ops.changes_since_deploy()").fetchall()
