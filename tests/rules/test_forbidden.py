"""Every forbidden action as every role: tables, functions, calls without an actor, acting as someone."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.support.calls import make_client, move

ORDINARY = "atlas_test_ordinary"
ROLES = [
    "atlas_anon",
    "atlas_api",
    "atlas_authenticator",
    "atlas_cron",
    "atlas_operator",
    "atlas_owner",
    ORDINARY,
]
API_ROLES = [role for role in ROLES if role != "atlas_owner"]

TABLES = [
    "clients",
    "stage_history",
    "agent_permissions",
    "administration_history",
    "erasures",
    "actor_tokens",
    "actor_logins",
    "covers",
    "idempotency_keys",
    "job_runs",
    "stage_transitions",
    "stage_flags",
    "stages",
    "stage_seasons",
    "stage_settings",
    "business_holidays",
    "stage_deploys",
    "atlas_migrations",
]

ACTIONS = {
    "select": "select * from public.{table} limit 1",
    "insert": "insert into public.{table} default values",
    "update": "update public.{table} set {column} = {column}",
    "delete": "delete from public.{table}",
    "truncate": "truncate public.{table} cascade",
    "lock": "lock table public.{table} in access exclusive mode",
    "drop": "drop table public.{table} cascade",
    "disable": "alter table public.{table} disable trigger all",
    "policy": "create trigger t before update on public.{table}"
    " for each row execute function suppress_redundant_updates_trigger()",
}


CALLS = {
    "clients": "select api.clients()",
    "client": "select api.client(client_id => 1)",
    "closes_by_month": "select api.closes_by_month()",
    "client_id": "select api.client_id(client => 'one')",
    "set_stage": "select api.set_stage(client_id => {client}, to_stage => 'eom_close',"
    " reason => 'r', expected_version => 0)",
    "set_stages": "select api.set_stages(items => '[]')",
    "set_flag": "select api.set_flag(client_id => {client}, flag => 'advisory_due', reason => 'r')",
    "clear_flag": "select api.clear_flag(client_id => {client}, flag => 'advisory_due', reason => 'r')",
    "stage_history": "select api.stage_history(client_id => {client})",
    "rollback": "select api.rollback(client_id => {client}, history_id => 1, reason => 'r')",
    "queue": "select api.queue()",
    "queue of another": "select api.queue(actor_id => 'user:jimmie')",
    "check_stage": "select api.check_stage(client_id => {client}, to_stage => 'eom_close')",
    "set_role": "select api.set_role(actor_id => 'user:x', role => 'admin')",
    "invite": "select api.invite(actor_id => 'user:x')",
    "accept_invite": "select api.accept_invite()",
    "people": "select api.people()",
    "jobs": "select api.jobs()",
    "run_job": "select api.run_job(job => 'flag_seasonal')",
    "settings": "select api.settings()",
    "set_setting": "select api.set_setting(setting => 'undo_minutes', value => '1')",
    "set_stage_limit": "select api.set_stage_limit(stage => 'weekly', max_days => 1)",
    "set_holiday": "select api.set_holiday(day => '2026-11-27', name => 'n')",
    "set_transition": "select api.set_transition(from_stage => 'cleanup', to_stage => 'eom_close')",
    "activity": "select api.activity()",
    "covers": "select api.covers()",
    "set_cover": "select api.set_cover(cover_id => 1)",
    "hand_over": "select api.hand_over(from_actor_id => 'user:x', to_actor_id => 'user:y', reason => 'r')",
    "leave": "select api.leave(actor_id => 'user:x', reason => 'r')",
    "set_flags": "select api.set_flags(items => '[]')",
    "update_clients": "select api.update_clients(items => '[]')",
    "create_client": "select api.create_client(name => 'n', slug => 's')",
    "update_client": "select api.update_client(client_id => {client}, notes => 'n')",
    "grant_permission": "select api.grant_permission(actor_id => 'user:x', permission => 'can_admin')",
    "revoke_permission": "select api.revoke_permission(permission_id => 1)",
    "permissions": "select api.permissions()",
    "issue_token": "select api.issue_token(actor_id => 'user:x', never_expires => true)",
    "revoke_token": "select api.revoke_token(token_id => 'x')",
    "tokens": "select api.tokens()",
    "verify": "select api.verify()",
    "digest": "select api.digest()",
    "erase_words": "select api.erase_words(client_id => {client}, reason => 'r')",
    "administration": "select api.administration()",
    "adopt_legacy_token": "select api.adopt_legacy_token(token_hash => repeat('a', 64))",
    "whoami": "select api.whoami()",
    "rollback_run": "select api.rollback_run(run_id => 1, reason => 'r')",
    "delete_client": "select api.delete_client(client_id => {client}, reason => 'r')",
}


@pytest.fixture
def as_role(db: psycopg.Connection, role: str) -> Iterator[psycopg.Connection]:
    """A session of `role`, as if it had logged in."""
    if role == ORDINARY:
        db.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
    db.execute(sql.SQL("set local session authorization {}").format(sql.Identifier(role)))
    yield db
    db.rollback()


def refusal_of(db: psycopg.Connection, statement: str) -> str:
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute(statement)
    assert caught.value.sqlstate is not None
    return caught.value.sqlstate


def outcome(db: psycopg.Connection, statement: str) -> str:
    """`done` and the first column, or the SQLSTATE. Prepared, as a pooled connection would."""
    try:
        with db.transaction(force_rollback=True):
            row = db.execute(statement, prepare=True).fetchone()
    except psycopg.Error as error:
        return error.sqlstate or "no state"
    return f"done {row[0] if row else None}"


def column_of(db: psycopg.Connection, table: str) -> str:
    row = db.execute(
        "select attname::text from pg_attribute where attrelid = to_regclass(%s) and attnum = 1",
        (f"public.{table}",),
    ).fetchone()
    assert row is not None, f"there is no table {table}"
    return str(row[0])


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", API_ROLES)
def test_touches_no_table(as_role: psycopg.Connection, role: str, action: str) -> None:
    for table in TABLES:
        statement = ACTIONS[action].format(table=table, column=column_of(as_role, table))

        assert outcome(as_role, statement) == "42501", table


# The key of a move that was not made is free again; old keys and old runs are pruned; an admin removes a holiday
# or a move.
KEPT_FOR_A_WHILE = ("idempotency_keys", "job_runs", "business_holidays", "stage_transitions")


@pytest.mark.parametrize("action", ["delete", "truncate", "drop", "disable"])
@pytest.mark.parametrize("role", ["atlas_owner"])
def test_the_owner_of_the_stored_logic_destroys_nothing(as_role: psycopg.Connection, role: str, action: str) -> None:
    for table in TABLES:
        if action == "delete" and table in KEPT_FOR_A_WHILE:
            continue
        statement = ACTIONS[action].format(table=table, column=column_of(as_role, table))

        assert outcome(as_role, statement) in ("42501", "PT403"), table


@pytest.mark.parametrize("role", ["atlas_anon", "atlas_authenticator", "atlas_cron", ORDINARY])
def test_calls_no_function_of_the_api(db: psycopg.Connection, request: pytest.FixtureRequest, role: str) -> None:
    client = make_client(db)
    session = request.getfixturevalue("as_role")

    for function, statement in CALLS.items():
        assert outcome(session, statement.format(client=client)) in ("42501", "PT401"), function


def test_a_request_without_a_token_s_actor_is_unauthenticated(db: psycopg.Connection) -> None:
    # As PostgREST would: session atlas_authenticator, switched to the request role, no actor found.
    client = make_client(db)
    db.execute("set local session authorization atlas_authenticator")
    db.execute("set local role atlas_api")

    for function, statement in CALLS.items():
        assert outcome(db, statement.format(client=client)) == "PT401", function


@pytest.mark.parametrize("function", CALLS)
def test_an_authorised_call_first_opens_nothing_for_an_anonymous_one_after_it(
    db: psycopg.Connection, function: str
) -> None:
    # A plan kept by the connection must not skip the check of the role that comes next.
    client = make_client(db)
    statement = CALLS[function].format(client=client)
    db.execute("set local session authorization atlas_authenticator")
    db.execute("set local role atlas_api")
    db.execute("select set_config('atlas.token_actor', 'user:jimmie', true)")
    for _ in range(6):  # five executions make a prepared plan generic
        assert outcome(db, statement).startswith(("done", "PT4"))

    db.execute("set local role atlas_anon")
    db.execute("select set_config('atlas.token_actor', '', true)")
    assert outcome(db, statement) in ("42501", "PT401")


@pytest.mark.parametrize("role", ["atlas_anon", "atlas_api", "atlas_authenticator", "atlas_cron", ORDINARY])
def test_does_not_act_as_someone(as_role: psycopg.Connection, role: str) -> None:
    assert refusal_of(as_role, "select rules.act_as('user:jimmie')") in ("42501", "PT403", "PT401")


@pytest.mark.parametrize("role", API_ROLES)
def test_calls_nothing_of_the_rules_but_what_is_for_it(
    db: psycopg.Connection, request: pytest.FixtureRequest, role: str
) -> None:
    functions = db.execute(
        "select p.oid::regprocedure::text, p.pronargs from pg_proc p"
        " where pronamespace = 'rules'::regnamespace and prorettype <> 'trigger'::regtype"
        # what the gateway's roles and the operators do call
        " and p.proname not in ('act_as', 'pre_request')"
        " and not (p.proname = 'token_actor' and %s = 'atlas_anon')",
        (role,),
    ).fetchall()
    session = request.getfixturevalue("as_role")

    assert len(functions) > 20
    for function, arguments in functions:
        name = function.partition("(")[0]
        call = f"select {name}({', '.join(['null'] * arguments)})"
        state = refusal_of(session, call)
        assert state == "42501", (function, state)


@pytest.mark.parametrize("role", API_ROLES)
def test_becomes_no_other_role(as_role: psycopg.Connection, role: str) -> None:
    for other in ("postgres", "atlas_owner", "atlas_operator", "atlas_cron"):
        if other != role:
            assert refusal_of(as_role, f"set local role {other}") == "42501"


@pytest.mark.parametrize("role", ["atlas_api", "atlas_anon"])
def test_forged_headers_and_settings_make_no_actor(as_role: psycopg.Connection, role: str) -> None:
    as_role.execute(
        "select set_config('atlas.token_actor', 'user:jimmie', true),"
        " set_config('atlas.act_as', 'user:jimmie', true),"
        """ set_config('request.headers', '{"x-atlas-token": "user:jimmie"}', true)"""
    )

    # A session of that role itself, which is not PostgREST's, is its own login and no one else.
    assert outcome(as_role, "select api.whoami() ->> 'actor_id'") in (
        "42501",
        "PT401",
        f"done system:db:{role}",
    )


def test_nothing_was_changed_by_any_of_them(db: psycopg.Connection) -> None:
    client = make_client(db)

    assert move(db, client, "eom_close")["changed"]
    row = db.execute("select count(*) from agent_permissions").fetchone()
    assert row == (7,)
