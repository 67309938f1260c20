"""Only our roles and the owner write our tables: a deploy revokes other rights, doctor names the logins."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from atlas_stage.ops import deploy
from atlas_stage.ops.deploy import migrate
from tests.support.old_atlas import make_old_atlas

APP, GROUP = "atlas_test_app", "atlas_test_group"
# To a login, to PUBLIC, to a group; for tables, columns, sequences.
GRANTS = [
    ("all on all tables in schema public", APP),
    pytest.param("all on all tables in schema public", "public", marks=pytest.mark.rare),
    pytest.param(
        "insert, update, delete, truncate, trigger, references on actor_tokens", GROUP, marks=pytest.mark.rare
    ),
    pytest.param("insert (token_hash, actor_id, created_by) on actor_tokens", APP, marks=pytest.mark.rare),
    ("update (revoked_at) on agent_permissions", "public"),
    pytest.param("usage, update on all sequences in schema public", APP, marks=pytest.mark.rare),
    ("all on all tables in schema rules", GROUP),
    pytest.param("insert on stage_deploys", APP, marks=pytest.mark.rare),
]


@pytest.fixture
def app(fresh_dsn: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection to a deployed database of a server that has the host's login and group."""
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute(f"create role {APP} login; create role {GROUP}")
        try:
            yield db
        finally:
            db.execute(f"drop owned by {APP}, {GROUP}; drop role {APP}, {GROUP}")


def findings(db: psycopg.Connection, name: str = "can_write") -> list[tuple[str, str, str]]:
    return db.execute("select severity, what, todo from ops.findings(true) where finding = %s", (name,)).fetchall()


def held(db: psycopg.Connection, role: str = APP) -> list[tuple[str, ...]]:
    """What the role can write of ours."""
    return db.execute(
        "select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace"
        " and c.relname not in ('clients', 'clients_id_seq', 'atlas_migrations') and case c.relkind"
        " when 'r' then has_table_privilege(%(role)s, c.oid, 'insert, update, delete, truncate, trigger, references')"
        " or has_any_column_privilege(%(role)s, c.oid, 'insert, update, references')"
        " when 'S' then has_sequence_privilege(%(role)s, c.oid, 'usage, update') end",
        {"role": role},
    ).fetchall()


@pytest.mark.parametrize(("right", "role"), GRANTS)
def test_a_deploy_revokes_what_others_hold_and_says_so(
    app: psycopg.Connection, right: str, role: str, fresh_dsn: str
) -> None:
    app.execute(f"grant {GROUP} to {APP}".encode())
    app.execute(f"grant {right} to {role}".encode())
    assert [(f[0], APP in f[1], f[2]) for f in findings(app) if APP in f[1]] == [
        ("error", True, "run: atlas-stage migrate")
    ]
    assert deploy.plan(fresh_dsn).repaired

    done = migrate(fresh_dsn)

    assert any(each.endswith(f" from {role.replace('public', 'PUBLIC')}") for each in done.repaired)
    assert held(app) == []
    assert findings(app) == []
    assert migrate(fresh_dsn).repaired == []


def test_what_a_role_passed_on_is_revoked_with_it(app: psycopg.Connection, fresh_dsn: str) -> None:
    app.execute(f"grant insert on actor_tokens to {GROUP} with grant option")
    app.execute(f"set role {GROUP}; grant insert on actor_tokens to {APP}; reset role")

    migrate(fresh_dsn)

    assert held(app) == held(app, GROUP) == []


def test_reading_and_the_host_s_own_tables_are_the_host_s_choice(app: psycopg.Connection, fresh_dsn: str) -> None:
    app.execute("create table notes (id bigserial)")
    app.execute(f"grant all on clients, atlas_migrations, notes, notes_id_seq to {APP}")
    app.execute(f"grant select on stage_history to {APP}; grant insert on notes to atlas_writer")

    assert migrate(fresh_dsn).repaired == []

    assert app.execute(
        f"select has_table_privilege('{APP}', 'clients', 'insert, delete'),"
        f" has_table_privilege('{APP}', 'notes', 'insert'),"
        f" has_table_privilege('{APP}', 'stage_history', 'select')"
    ).fetchone() == (True, True, True)


def test_an_internal_function_that_runs_with_our_rights_is_revoked(app: psycopg.Connection, fresh_dsn: str) -> None:
    app.execute(
        f"grant usage on schema rules, api to {APP}; grant execute on all functions in schema rules, api to {APP}"
    )

    repaired = migrate(fresh_dsn).repaired

    assert any("rules.write_clients" in each for each in repaired)
    internal = app.execute(
        "select p.proname from pg_proc p where p.pronamespace = 'rules'::regnamespace and p.prosecdef"
        f" and has_function_privilege('{APP}', p.oid, 'execute')"
        " and not has_function_privilege('atlas_operator', p.oid, 'execute')"
        " and not has_function_privilege('atlas_anon', p.oid, 'execute')"
    ).fetchall()
    assert internal == []
    assert app.execute(f"select has_function_privilege('{APP}', 'api.whoami()', 'execute')").fetchone() == (True,)


def test_default_privileges_hand_nothing_out_and_are_named(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as db:
        make_old_atlas(empty_dsn)
        db.execute(f"create role {APP} login")
        try:
            db.execute(
                f"alter default privileges in schema public grant all on tables to {APP};"
                f"alter default privileges grant all on sequences to {APP}, public"
            )
            lines: list[str] = []

            migrate(empty_dsn, report=lines.append)

            assert held(db) == []
            assert any("actor_tokens: revoked" in line and APP in line for line in lines)
            assert {severity for severity, _, _ in findings(db, "default_right")} == {"notice"}
            for _, _, todo in findings(db, "default_right"):
                db.execute(todo.partition("To end it: ")[2].encode())
            assert findings(db, "default_right") == []
        finally:
            db.execute(f"drop owned by {APP}; drop role {APP}")


def test_default_privileges_on_functions_are_named(app: psycopg.Connection) -> None:
    app.execute(f"alter default privileges for role atlas_owner in schema rules grant execute on functions to {APP}")

    [(severity, what, todo)] = findings(app, "default_right")
    assert severity == "notice"
    assert what.startswith(f"new functions of atlas_owner give {APP} rights (execute)")
    app.execute(todo.partition("To end it: ")[2].encode())
    assert findings(app, "default_right") == []


WAYS = {
    "a predefined role": (
        f"grant pg_write_all_data to {APP}",
        ("error", "pg_write_all_data", f"revoke pg_write_all_data from {APP};"),
    ),
    "a predefined role of its group": (
        f"grant pg_write_all_data to {GROUP}; grant {GROUP} to {APP}",
        ("error", "as a member of pg_write_all_data", f"revoke pg_write_all_data from {GROUP};"),
    ),
    "a group that it has to become": (
        f"alter role {APP} noinherit; grant insert on actor_tokens to {GROUP}; grant {GROUP} to {APP}",
        ("error", f"insert on actor_tokens as a member of {GROUP}", "run: atlas-stage migrate"),
    ),
    "one column": (
        f"grant update (scope) on agent_permissions to {APP}",
        ("error", "update on agent_permissions", "run: atlas-stage migrate"),
    ),
    "ownership": (
        f"alter table actor_tokens owner to {APP}",
        ("notice", "owns actor_tokens", "it deploys, or should not"),
    ),
    "ownership of the schema": (
        f"alter schema public owner to {GROUP}; grant {GROUP} to {APP}",
        ("notice", "owns schema public", f"revoke {GROUP} from {APP};"),
    ),
    "a superuser's role": (
        f"create role atlas_test_dba superuser; grant atlas_test_dba to {APP}",
        ("notice", "superuser as a member of atlas_test_dba", f"revoke atlas_test_dba from {APP};"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_write_our_tables_is_named(db: psycopg.Connection, way: str) -> None:
    harm, (severity, what, todo) = WAYS[way]
    db.execute(f"create role {APP} login; create role {GROUP}")
    assert findings(db) == []

    db.execute(harm.encode())

    assert [(f[0], what in f[1], todo in f[2]) for f in findings(db) if f"login {APP} " in f[1]] == [
        (severity, True, True)
    ]
    if "revoke" in todo:
        db.execute(todo.encode())
        assert [f for f in findings(db) if what in f[1]] == []
