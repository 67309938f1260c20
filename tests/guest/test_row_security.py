"""The host enables row level security on any of the tables: all of ours keeps working."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.support.calls import call, client_row, history_rows, make_client, move

TABLES_OF_OURS = """
  select c.relname::text
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    and exists (select from aclexplode(c.relacl) a where a.grantee::regrole::text in ('atlas_owner', 'atlas_writer'))
"""


def switch_on(db: psycopg.Connection, *, force: bool) -> list[str]:
    tables = [row[0] for row in db.execute(TABLES_OF_OURS).fetchall()]
    # as another transaction would find them: with nothing left to be checked
    db.execute("set constraints all immediate; set constraints all deferred")
    for table in tables:
        name = sql.Identifier(table)
        db.execute(sql.SQL("alter table {} enable row level security").format(name))
        if force:
            db.execute(sql.SQL("alter table {} force row level security").format(name))
    return tables


def test_each_table_that_the_stored_logic_uses_has_its_policy(db: psycopg.Connection) -> None:
    tables = {row[0] for row in db.execute(TABLES_OF_OURS).fetchall()}
    with_policy = db.execute("select polrelid::regclass::text from pg_policy where polname = 'atlas_stage'").fetchall()

    assert len(tables) > 10
    assert {row[0] for row in with_policy} == tables


@pytest.mark.parametrize("force", [False, True])
def test_the_api_goes_on(db: psycopg.Connection, force: bool) -> None:
    client = make_client(db)
    switch_on(db, force=force)

    assert move(db, client, "eom_close", external_id="k")["changed"]
    assert move(db, client, "eom_close", external_id="k", expected_version=0)["replayed"]
    assert client in [each["id"] for each in call(db, "clients")["clients"]]
    assert len(call(db, "stage_history", client_id=client)["history"]) == 2
    call(db, "issue_token", actor_id="user:x", never_expires=True)
    assert call(db, "tokens")["tokens"]


@pytest.mark.parametrize("force", [False, True])
def test_a_job_moves_whom_it_should(db: psycopg.Connection, force: bool) -> None:
    client = make_client(db)
    switch_on(db, force=force)

    run = db.execute("select jobs.run('stage_autoroll_eom_open', '2026-06-30 14:00+00')").fetchone()

    assert run is not None
    assert run[0]["outcome"] == "done"
    assert client_row(db, client)["stage"] == "eom_close"


@pytest.mark.parametrize("force", [False, True])
def test_a_plain_update_of_a_login_that_sees_the_row_is_judged_and_recorded(
    db: psycopg.Connection, force: bool
) -> None:
    client = make_client(db)
    switch_on(db, force=force)
    db.execute(
        "create role atlas_test_plain login; grant select, update on clients to atlas_test_plain;"
        "create policy theirs on clients to atlas_test_plain using (true);"
        "insert into agent_permissions (actor_id, permission, granted_by)"
        " values ('system:db:atlas_test_plain', 'can_set_stage', 'test')"
    )

    db.execute("set local session authorization atlas_test_plain")
    db.execute("update clients set stage = 'eom_close' where id = %s", (client,))

    db.execute("reset session authorization")
    last = history_rows(db, client)[-1]
    assert (last["to_stage"], last["channel"]) == ("eom_close", "psql")
    assert client_row(db, client)["version"] == 1
