"""No role of the API has a right on any table; every table says what it is."""

from __future__ import annotations

import psycopg
import pytest

API_ROLES = ["atlas_anon", "atlas_api", "atlas_authenticator", "atlas_cron", "atlas_operator"]

RELATIONS = """
  select c.oid, c.relname, n.nspname, c.relkind
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'rules', 'api', 'jobs', 'ops') and c.relkind in ('r', 'v', 'm', 'S', 'p')
    -- yoyo's bookkeeping is the tool's own
    and c.relname not like '%%yoyo%%'
"""


@pytest.mark.parametrize("role", API_ROLES)
def test_has_no_right_on_any_table_view_or_sequence(db: psycopg.Connection, role: str) -> None:
    rights = db.execute(
        f"""
        select r.relname, privilege
        from ({RELATIONS}) r
        cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) privilege
        where r.relkind <> 'S' and has_table_privilege(%(role)s, r.oid, privilege)
        union all
        select r.relname, 'usage'
        from ({RELATIONS}) r
        where case when r.relkind = 'S' then has_sequence_privilege(%(role)s, r.oid, 'usage, select, update') end
        union all
        select r.relname, 'any column'
        from ({RELATIONS}) r
        where r.relkind <> 'S' and has_any_column_privilege(%(role)s, r.oid, 'select, insert, update, references')
        """,
        {"role": role},
    ).fetchall()

    assert rights == []


@pytest.mark.parametrize("role", API_ROLES)
def test_may_create_nothing(db: psycopg.Connection, role: str) -> None:
    schemas = db.execute(
        "select nspname from pg_namespace where has_schema_privilege(%s, oid, 'create')"
        " and nspname in ('public', 'rules', 'api', 'jobs', 'ops')",
        (role,),
    ).fetchall()

    assert schemas == []


def test_roles_are_what_the_design_says(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication"
        " from pg_roles where rolname like 'atlas\\_%%' and rolname not like 'atlas\\_test%%'"
        " order by rolname"
    ).fetchall()

    nothing_more = (False, False, False, False, False)
    assert rows == [
        ("atlas_anon", False, *nothing_more),
        ("atlas_api", False, *nothing_more),
        ("atlas_authenticator", True, *nothing_more),
        ("atlas_cron", True, *nothing_more),
        ("atlas_operator", False, *nothing_more),
        ("atlas_owner", False, *nothing_more),
        ("atlas_writer", False, *nothing_more),
    ]


def test_the_authenticator_inherits_nothing(db: psycopg.Connection) -> None:
    row = db.execute("select rolinherit from pg_roles where rolname = 'atlas_authenticator'").fetchone()

    assert row == (False,)


def test_nobody_is_a_member_of_the_owner(db: psycopg.Connection) -> None:
    members = db.execute(
        "select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member"
        " where a.roleid = 'atlas_owner'::regrole and not m.rolsuper"
    ).fetchall()

    assert members == []


def test_the_owner_may_not_touch_what_is_for_good(db: psycopg.Connection) -> None:
    row = db.execute(
        "select has_table_privilege('atlas_owner', 'public.stage_history', 'truncate'),"
        " c.relowner::regrole::text from pg_class c where c.oid = 'public.stage_history'::regclass"
    ).fetchone()

    assert row is not None
    assert row[0] is False or row[1] == "atlas_owner"


def test_every_table_of_ours_has_a_comment(db: psycopg.Connection) -> None:
    silent = db.execute(
        f"select relname from ({RELATIONS}) r where relkind = 'r'"
        " and relname not in ('clients', 'atlas_migrations')"
        " and coalesce(obj_description(r.oid, 'pg_class'), '') = ''"
    ).fetchall()

    assert silent == []


def test_every_constraint_of_ours_is_named_by_us(db: psycopg.Connection) -> None:
    # PostgreSQL's own names end in a number when it had to invent a second one.
    invented = db.execute(
        "select conname from pg_constraint where connamespace = 'public'::regnamespace and conname ~ '_check[0-9]+$'"
    ).fetchall()

    assert invented == []


def test_no_column_has_an_enum_type(db: psycopg.Connection) -> None:
    assert db.execute("select oid::regtype from pg_type where typtype = 'e'").fetchall() == []


def test_every_foreign_key_can_be_followed_by_an_index(db: psycopg.Connection) -> None:
    unindexed = db.execute(
        """
        select k.conrelid::regclass::text, k.conname
        from pg_constraint k
        where k.contype = 'f' and k.connamespace = 'public'::regnamespace
          and not exists (
            select from pg_index i
            where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1] and i.indpred is null
          )
        """
    ).fetchall()

    assert unindexed == []
