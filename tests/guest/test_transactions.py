"""A host's isolation levels, old snapshots and table locks: a change is judged by the grants of its moment."""

from __future__ import annotations

import psycopg
import pytest

from atlas_stage.errors import Unavailable
from atlas_stage.ops.jobs import Jobs
from atlas_stage.transports.psycopg import translate
from tests.support.calls import ADMIN, as_actor, call, grant, make_client, move, refused

ANA = "user:ana"


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_snapshot_older_than_a_minute_changes_nothing(fresh_dsn: str, level: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        client = make_client(db)
        row = db.execute("select pg_get_functiondef('rules.has_old_snapshot'::regproc)").fetchone()
        assert row is not None
        db.execute(row[0].replace("'00:01:00'", "'00:00:00.001'"))
    with psycopg.connect(fresh_dsn) as db:
        db.execute(f"set transaction isolation level {level}")
        db.execute("select pg_sleep(0.01)")
        with refused(db, "retry", 503):
            move(db, client, "eom_close")
        with refused(db, "retry", 503):
            grant(db, ANA, "can_set_stage")
        for statement in (
            "update clients set stage_notes = 'n'",
            "insert into agent_permissions (actor_id, permission, granted_by) values ('user:a', 'can_admin', 'user:a')",
        ):
            with refused(db, "retry", 503):
                as_actor(db, ADMIN)
                db.execute(statement.encode())


def test_read_committed_sees_a_revocation_at_once(fresh_dsn: str) -> None:
    with (
        psycopg.connect(fresh_dsn) as host,
        psycopg.connect(fresh_dsn, autocommit=True) as db,
    ):
        client = make_client(db)
        grant(db, ANA, "can_set_flag")
        host.execute("select 1")  # a transaction from before the revocation
        assert call(host, "set_flag", actor=ANA, client_id=client, flag="advisory_due", reason="r")["changed"]
        db.execute("update agent_permissions set revoked_at = now() where actor_id = %s", [ANA])
        with refused(host, "permission_missing", 403):
            call(host, "set_flag", actor=ANA, client_id=client, flag="client_blocking", reason="r")


def test_an_answer_says_when_a_change_was_made_long_after_its_transaction_began(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    row = call(db, "stage_history", client_id=client)["history"][0]
    assert row["recorded_at"] is None
    db.execute("set constraints all immediate; alter table stage_history disable trigger user")
    db.execute("update stage_history set recorded_at = occurred_at + interval '61 seconds'")

    row = call(db, "stage_history", client_id=client)["history"][0]

    assert row["recorded_at"] > row["occurred_at"]


def test_a_conflict_of_snapshots_is_not_blamed_on_the_host_s_triggers(fresh_dsn: str) -> None:
    with (
        psycopg.connect(fresh_dsn) as host,
        psycopg.connect(fresh_dsn, autocommit=True) as db,
    ):
        client = make_client(db)
        host.execute("set transaction isolation level repeatable read")
        host.execute("select 1")
        move(db, client, "eom_close")
        with pytest.raises(psycopg.Error) as caught:
            call(
                host,
                "set_stage",
                client_id=client,
                to_stage="cleanup",
                reason="r",
                expected_version=0,
            )
        error = translate(caught.value)
        assert isinstance(error, Unavailable)
        assert (error.rule, error.status) == ("retry", 503)


def test_a_trigger_that_reports_a_conflict_is_a_retry(db: psycopg.Connection) -> None:
    client = make_client(db)
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute(
        "create function conflict() returns trigger language plpgsql as"
        " $$ begin raise sqlstate '40001'; end $$;"
        " create trigger conflict before update on clients for each row execute function conflict()"
    )
    with refused(db, "retry", 503):
        move(db, client, "eom_close")


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_a_job_runs_under_any_default_isolation_level(fresh_dsn: str, level: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        name = db.info.dbname
        db.execute(f"alter database {name} set default_transaction_isolation = '{level}'".encode())
        db.execute(
            "create function level() returns trigger language plpgsql as $$ begin"
            " if current_setting('transaction_isolation') <> 'read committed' then raise 'not read committed';"
            " end if; return new; end $$;"
            " create trigger level before insert or update on job_runs for each row execute function level()"
        )
    with Jobs(fresh_dsn) as jobs:
        assert jobs.perform("flag_seasonal").outcome == "done"


@pytest.mark.slow  # waits 10 s, as a test in jobs/test_running.py does
def test_a_job_does_not_wait_forever_for_a_locked_table(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as host, Jobs(fresh_dsn) as jobs:
        host.execute("lock table clients")

        run = jobs.perform("stage_stuck_detector")

        assert run.outcome == "failed"
        assert "lock timeout" in (run.error or "")
        host.rollback()
        assert jobs.perform("stage_stuck_detector").outcome == "done"
