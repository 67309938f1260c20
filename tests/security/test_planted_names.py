"""Live attacks: whatever a login plants, none of it runs with more rights than the login has itself.

A definer function that looks a name up where its caller can write hands its rights to that caller. Each attack plants
names of one kind, then uses every way into the stored logic there is, as an actor whom nothing is refused, so that
all of it runs.
"""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from atlas_stage.ops.deploy import migrate, rollback
from tests.security.plants import ATTACKER, PLANTS, heard
from tests.support.calls import make_client

CALLS = {
    "health": "()",
    "openapi": "()",
    "clients": "(search => 'made', stage => 'weekly', flag => 'advisory_due', page_size => 2)",
    "client": "(client_id => {client})",
    "client_id": "(client => 'made-{client}')",
    "check_stages": "(client_ids => array[{client}])",
    "summary": "()",
    "closes": "(month => '2026-05', state => 'open', page_size => 2)",
    "closes_by_month": "(months => 2, month => '2026-05')",
    "changes": "(actor_id => 'user:jimmie', client_id => {client}, stage => 'weekly', since => now(), page_size => 2)",
    "set_stage": "(client_id => {client}, to_stage => 'eom_close', reason => 'r', expected_version => {version},"
    " external_id => 'k1', payload => '{{\"a\": 1}}', triggered_by => 'x', on_behalf_of => 'user:x')",
    "set_stages": "(items => jsonb_build_array(jsonb_build_object('client_id', {client}, 'to_stage', 'eom_close',"
    " 'reason', 'r', 'expected_version', {version})))",
    "set_flag": "(client_id => {client}, flag => 'advisory_due', reason => 'r', external_id => 'k2')",
    "clear_flag": "(client_id => {client}, flag => 'advisory_due', reason => 'r')",
    "stage_history": "(client_id => {client}, page_size => 3)",
    "rollback": "(client_id => {client}, history_id => {history}, reason => 'r')",
    "queue": "(actor_id => 'user:jimmie')",
    "check_stage": "(client_id => {client}, to_stage => 'eom_close')",
    "set_flags": "(items => jsonb_build_array(jsonb_build_object('client_id', {client},"
    " 'flag', 'advisory_due', 'set', true)))",
    "update_clients": "(items => jsonb_build_array(jsonb_build_object('client_id', {client}, 'owner', 'user:x',"
    " 'collaborators', jsonb_build_array('user:y'), 'clear', jsonb_build_array('notes'))))",
    "people": "()",
    "set_role": "(actor_id => 'user:x', role => 'reviewer')",
    "invite": "(actor_id => 'user:x', role => 'viewer')",
    "accept_invite": "()",
    "hand_over": "(from_actor_id => 'user:x', to_actor_id => 'user:y', reason => 'r', until => current_date + 9)",
    "covers": "()",
    "activity": "(actor_id => 'user:jimmie', client_id => {client}, day => current_date, page_size => 2)",
    "set_transition": "(from_stage => 'cleanup', to_stage => 'eom_close', permission => 'can_set_stage')",
    "set_cover": "(cover_id => 1, until => current_date + 10)",
    "leave": "(actor_id => 'user:x', reason => 'r', to_actor_id => 'user:y')",
    "jobs": "(page_size => 3)",
    "run_job": "(job => 'stage_stuck_detector', dry_run => true)",
    "settings": "(year => 2026)",
    "set_setting": "(setting => 'undo_minutes', value => '5')",
    "set_stage_limit": "(stage => 'cleanup', max_days => 40)",
    "set_holiday": "(day => '2030-07-05', name => 'n')",
    "create_client": "(name => 'n', slug => 'planted', collaborators => '{{user:x}}', reviewers => '{{user:x}}')",
    "update_client": "(client_id => {client}, owner => 'user:x', notes => 'n', schedule => 'monthly')",
    "grant_permission": "(actor_id => 'user:x',"
    " permission => 'can_set_flag', scope => '{{\"flags\": [\"advisory_due\"]}}')",
    "revoke_permission": "(permission_id => {permission})",
    "permissions": "(actor_id => 'user:jimmie')",
    "issue_token": "(actor_id => 'user:x', never_expires => true, description => 'd')",
    "revoke_token": "(token_id => 'aaaaaaaaaaaa')",
    "tokens": "()",
    "verify": "(client_id => {client})",
    "digest": "()",
    "erase_words": "(client_id => {client}, reason => 'r')",
    "administration": "(about => 'stages', actor_id => 'user:jimmie', page_size => 2)",
    "adopt_legacy_token": "(token_hash => repeat('a', 64))",
    "whoami": "()",
    "delete_client": "(9, 'r')",
    "rollback_run": "(run_id => 1, reason => 'r')",
    "rollback_batch": "(batch => gen_random_uuid(), reason => 'r')",
    "undo": "(client_id => {client}, expected_version => 1)",
    "undo_batch": "(batch => gen_random_uuid())",
    "read": "('{{}}')",
    "write": '(\'{{"owner": "user:x", "collaborators": ["user:y"], "active": true}}\')',
}

STATEMENTS = {
    "insert": "insert into public.clients (name, slug, stage, flags)"
    " values ('n', 'planted', 'weekly', '{{advisory_due}}')",
    "notes": "update public.clients set notes = 'n' where id = {client}",
    "stage": "update public.clients set stage = 'eom_close' where id = {client}",
    "flags": "update public.clients set flags = '{{advisory_due}}' where id = {client}",
    "fields": "update public.clients set stage_owner = 'user:x', close_cadence = 'annual' where id = {client}",
    "many": "update public.clients set stage = 'eom_close', flags = '{{advisory_due}}'",
    "delete": "delete from public.clients where id = {client}",
    "history": "delete from public.stage_history",
}


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    for _ in range(3):
        made = make_client(db)
    db.execute("analyze")
    return made


@pytest.fixture
def attacker(db: psycopg.Connection, client: int) -> str:
    """A login that the rules refuse nothing, and that owns no object of the package."""
    db.execute(
        f"create role {ATTACKER} login;"
        f"grant usage, create on schema public to {ATTACKER};"
        f"grant temporary on database {db.info.dbname} to {ATTACKER};"
        f"grant atlas_api to {ATTACKER};"
        f"grant select, insert, update, delete on public.clients, public.stage_history to {ATTACKER};"
        f"grant usage on sequence public.clients_id_seq to {ATTACKER};"
        "insert into public.agent_permissions (actor_id, permission, granted_by)"
        f" values ('system:db:{ATTACKER}', 'can_admin', 'test'), ('system:db:{ATTACKER}', 'can_set_stage', 'test')"
    )
    return ATTACKER


def become(db: psycopg.Connection, login: str) -> None:
    db.execute(sql.SQL("set local session authorization {}").format(sql.Identifier(login)))
    # the attacker's own session looks wherever it likes first
    db.execute("set local search_path = pg_temp, public, pg_catalog")


def attempt(db: psycopg.Connection, statement: str) -> str:
    """Try it and take it back: the SQLSTATE, or `done`."""
    try:
        with db.transaction(force_rollback=True):
            db.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate or "?"
    return "done"


def filled(db: psycopg.Connection, statement: str, client: int) -> str:
    row = db.execute(
        "select c.version, (select max(h.id) from public.stage_history h where h.client_id = c.id),"
        " (select min(p.id) from public.agent_permissions p) from public.clients c where c.id = %s",
        (client,),
    ).fetchone()
    assert row is not None
    return statement.format(client=client, version=row[0], history=row[1], permission=row[2])


def test_every_function_of_the_api_is_attacked(db: psycopg.Connection) -> None:
    rows = db.execute("select proname::text from pg_proc where pronamespace = 'api'::regnamespace").fetchall()

    assert {row[0] for row in rows} == set(CALLS)


@pytest.mark.parametrize("plant", PLANTS)
def test_nothing_planted_runs_with_our_rights_inside_the_api(
    db: psycopg.Connection, attacker: str, client: int, plant: str
) -> None:
    # What the gateway passes to api.read and api.write; any session can set it.
    db.execute(
        "select set_config('request.headers', %s, true)",
        (f'{{"x-atlas-request": "PATCH /api/clients/{client}"}}',),
    )
    statements = {name: filled(db, f"select api.{name}{given}", client) for name, given in CALLS.items()}
    become(db, attacker)
    PLANTS[plant](db)

    with heard(db) as ran:
        outcomes = {name: attempt(db, statement) for name, statement in statements.items()}

    assert ran <= {attacker}
    refused = {name for name, outcome in outcomes.items() if outcome.startswith("42")}
    assert refused == set()


@pytest.mark.parametrize("statement", STATEMENTS)
@pytest.mark.parametrize("plant", PLANTS)
def test_nothing_planted_runs_with_our_rights_inside_a_plain_statement(
    db: psycopg.Connection, attacker: str, client: int, plant: str, statement: str
) -> None:
    said = filled(db, STATEMENTS[statement], client)
    become(db, attacker)
    PLANTS[plant](db)

    with heard(db) as ran:
        attempt(db, said)

    assert ran <= {attacker}


@pytest.mark.parametrize("plant", [name for name in PLANTS if "public" not in name])
def test_one_column_s_right_to_update_opens_nothing(db: psycopg.Connection, client: int, plant: str) -> None:
    db.execute(
        f"create role {ATTACKER} login;"
        f"grant temporary on database {db.info.dbname} to {ATTACKER};"
        f"grant create on schema public to {ATTACKER};"
        f"grant select, update (notes) on public.clients to {ATTACKER};"
    )
    become(db, ATTACKER)
    PLANTS[plant](db)

    with heard(db) as ran:
        outcome = attempt(db, f"update public.clients set notes = 'n' where id = {client}")

    assert outcome == "done"
    assert ran <= {ATTACKER}


def job_calls(db: psycopg.Connection) -> dict[str, str]:
    """A call of every function and procedure that the scheduler's login may execute, from the catalog."""
    rows = db.execute(
        "select p.oid::regproc::text, p.prokind,"
        " (select coalesce(string_agg(format('%I => %s', a.name, case"
        "    when a.name = 'job' then '''flag_seasonal'''"
        "    when a.name in ('as_of', 'at', 'due_at') then '''2026-06-10 12:00+00'''"
        "    when a.name = 'dry_run' then 'false' when a.name = 'run_id' then '1'"
        "    else format('null::%s', a.type::regtype) end), ', '), '')"
        "  from unnest(p.proargnames[1:p.pronargs], p.proargtypes::oid[]) as a (name, type))"
        " from pg_proc p where p.pronamespace = 'jobs'::regnamespace"
        " and has_function_privilege('atlas_cron', p.oid, 'execute')"
    ).fetchall()
    return {name: f"{'call' if kind == 'p' else 'select'} {name}({given})" for name, kind, given in rows}


@pytest.mark.parametrize("plant", [name for name in PLANTS if "public" not in name and name != "casts"])
def test_nothing_planted_runs_with_our_rights_inside_the_jobs(db: psycopg.Connection, client: int, plant: str) -> None:
    calls = job_calls(db)
    db.execute(f"grant temporary on database {db.info.dbname} to atlas_cron")
    become(db, "atlas_cron")
    PLANTS[plant](db)

    with heard(db) as ran:
        for statement in calls.values():
            attempt(db, statement)

    assert len(calls) > 3
    assert ran <= {"atlas_cron"}


@pytest.mark.parametrize("plant", ["functions in public", "operators in public"])
def test_nothing_planted_in_public_runs_as_the_one_that_starts_a_job(fresh_dsn: str, plant: str) -> None:
    # The procedures commit, so they can't have a SET clause: their names must resolve without the caller's path.
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        for _ in range(2):
            make_client(db)
        PLANTS[plant](db)

        with heard(db) as ran:
            db.execute("call jobs.run_in_slices('flag_seasonal', '2026-01-05 12:00+00', false)")
            db.execute("call jobs.run_in_slices('stage_autoroll_eom_open', '2026-06-30 14:00+00', false)")

        assert ran == set()


@pytest.mark.parametrize("plant", ["functions in public", "operators in public"])
def test_nothing_planted_in_public_runs_in_a_deploy(fresh_dsn: str, plant: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        PLANTS[plant](db)
        db.execute(
            "create or replace function public.evil() returns boolean language plpgsql"
            " as $$ begin raise 'evil ran'; end $$"
        )

    assert migrate(fresh_dsn, force=True).logic_changed
    assert rollback(fresh_dsn, to="019_covers")


@pytest.mark.parametrize("plant", ["functions in public", "operators in public"])
def test_nothing_planted_in_public_runs_in_somebody_s_request(db: psycopg.Connection, plant: str) -> None:
    # PostgREST's own path has `public` in it, and the request's headers are there to be read.
    PLANTS[plant](db)
    db.execute("set local session authorization atlas_authenticator")
    db.execute("set local role atlas_anon")
    db.execute(
        "select pg_catalog.set_config('search_path', 'api, public', true),"
        " pg_catalog.set_config('request.path', '/rpc/health', true),"
        " pg_catalog.set_config('request.headers', '{}', true)"
    )

    with heard(db) as ran:
        db.execute("select rules.pre_request()")
        db.execute("select api.health()")

    assert ran == set()


@pytest.mark.parametrize("setting", ["''", "public", "pg_temp, pg_catalog"])
def test_the_attacks_find_a_path_that_is_open(db: psycopg.Connection, attacker: str, client: int, setting: str) -> None:
    # The attacks themselves work: with a path that is not safe, they get the owner's rights.
    db.execute(f"alter function api.set_flag set search_path = {setting}")
    call = filled(db, f"select api.set_flag{CALLS['set_flag']}", client)
    become(db, attacker)
    PLANTS["domains"](db)

    with heard(db) as ran:
        attempt(db, call)

    assert ran > {attacker} or "atlas_owner" in ran
