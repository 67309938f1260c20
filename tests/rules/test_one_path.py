"""What a careless function of ours would do: a change that was not evaluated and recorded cannot be committed."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.support.calls import ADMIN, call, client_row, history_rows, make_client, refused

CARELESS = {
    "updates the stage and says nothing": "update public.clients c set stage = 'offboarding' where c.id = $1;",
    "says what is not so": (
        "insert into public.stage_history (client_id, version, actor_type, actor_id, channel, trigger_type, reason)"
        " select $1, c.version + 1, 'human', 'user:jimmie', 'api', 'manual', 'r' from public.clients c where c.id = $1;"
        " update public.clients c set stage = 'offboarding' where c.id = $1;"
    ),
    "updates two clients": "update public.clients c set stage = 'offboarding' where c.id in ($1, $2);",
    "sets the version alone": "update public.clients c set version = c.version + 1 where c.id = $1;",
}


@pytest.fixture
def session(connect: Callable[[], psycopg.Connection]) -> psycopg.Connection:
    """A session whose transactions end, since some of what must hold is asked at the end."""
    return connect()


def add_function(db: psycopg.Connection, body: str, owner: str) -> None:
    """A function of `api` as the next developer may add one."""
    schema = "api" if owner == "atlas_owner" else "rules"
    db.execute(f"grant create on schema {schema} to {owner}")
    db.execute(
        f"create or replace function {schema}.careless(bigint, bigint) returns void language plpgsql"
        f" security definer set search_path = pg_catalog, pg_temp as $$ begin {body} end $$"
    )
    db.execute(f"alter function {schema}.careless(bigint, bigint) owner to {owner}")


def run(db: psycopg.Connection, owner: str, *clients: int) -> None:
    schema = "api" if owner == "atlas_owner" else "rules"
    with db.transaction():
        db.execute("select rules.act_as('user:nobody')")
        db.execute(f"select {schema}.careless(%s, %s)", clients)


@pytest.mark.parametrize("body", CARELESS.values(), ids=CARELESS.keys())
@pytest.mark.parametrize("owner", ["atlas_owner", "atlas_writer"])
def test_a_careless_function_of_ours_commits_nothing(session: psycopg.Connection, owner: str, body: str) -> None:
    clients = [make_client(session), make_client(session)]
    before = [client_row(session, client) for client in clients]
    add_function(session, body, owner)

    with pytest.raises(psycopg.Error):
        run(session, owner, *clients)

    assert [client_row(session, client) for client in clients] == before
    assert [len(history_rows(session, client)) for client in clients] == [1, 1]


def test_a_writer_that_forgets_the_history_is_stopped_at_the_commit(
    session: psycopg.Connection,
) -> None:
    client = make_client(session)
    add_function(
        session,
        "update public.clients c set stage = 'offboarding', version = c.version + 1 where c.id = $1;",
        "atlas_writer",
    )

    with pytest.raises(psycopg.errors.ForeignKeyViolation) as caught:
        run(session, "atlas_writer", client, client)

    assert caught.value.diag.constraint_name == "clients_version_recorded_fkey"
    assert client_row(session, client)["stage"] == "weekly"


def test_the_newest_history_row_cannot_go_even_with_the_triggers_off(
    session: psycopg.Connection,
) -> None:
    client = make_client(session)

    def without_triggers() -> None:
        with session.transaction():
            session.execute("alter table stage_history disable trigger user")
            session.execute("delete from stage_history where client_id = %s", (client,))

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        without_triggers()


def test_a_deleted_client_is_told_what_to_do_instead(db: psycopg.Connection) -> None:
    client = make_client(db)

    with refused(db, "client_is_kept", 409, client_id=client) as refusal:
        db.execute("delete from clients where id = %s", (client,))
    assert "active => false" in str(refusal.hint)


def test_an_admin_takes_out_a_client_that_was_made_by_mistake(session: psycopg.Connection) -> None:
    client = make_client(session)

    answer = call(session, "delete_client", client_id=client, reason="entered twice")

    assert answer["deleted"]["client_id"] == client
    assert session.execute("select from clients where id = %s", (client,)).fetchall() == []
    kept = session.execute(
        "select deleted_by, reason, history ->> 'version' from deleted_clients where client_id = %s",
        (client,),
    ).fetchone()
    assert kept == (ADMIN, "entered twice", "0")


def test_a_client_with_a_history_is_not_taken_out(db: psycopg.Connection) -> None:
    client = make_client(db)
    call(db, "set_flag", client_id=client, flag="advisory_due")

    with refused(db, "client_has_history", 409, version=1):
        call(db, "delete_client", client_id=client, reason="r")
    with refused(db, "permission_missing", 403):
        call(db, "delete_client", actor="user:nobody", client_id=client, reason="r")
    with refused(db, "client_not_found", 404):
        call(db, "delete_client", client_id=0, reason="r")


def test_the_stages_of_the_table_are_those_of_the_check(db: psycopg.Connection) -> None:
    row = db.execute(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = 'clients_stage_check'"
    ).fetchone()
    stages = db.execute("select array_agg(stage::text) from stages").fetchone()

    assert row is not None
    assert stages is not None
    assert sorted(word for word in row[0].split("'")[1::2]) == sorted(stages[0])


def test_a_stage_that_clients_does_not_know_is_refused(db: psycopg.Connection) -> None:
    with refused(db, "unknown_value", 422, check="clients_stage_check", given="holiday"):
        db.execute("insert into stages (stage, position, kind, description) values ('holiday', 9, 'work', 'd')")


@pytest.mark.parametrize("column", ["from_stage", "to_stage"])
def test_a_typo_in_a_transition_is_refused_when_it_is_written(db: psycopg.Connection, column: str) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation), db.transaction():
        db.execute(
            f"update stage_transitions set {column} = 'weakly' where from_stage = 'weekly' and to_stage = 'cleanup'"
        )
