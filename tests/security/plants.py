"""What an attacker can leave where other code may find it: names like ours, like the catalog's, like a type's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

ATTACKER = "atlas_test_attacker"

# Whatever is planted calls this, and it says as whom it runs. A notice is heard even when the statement fails.
EVIL = """
create function {schema}.evil() returns boolean language plpgsql volatile as $$
begin
  raise notice 'evil ran as %', current_user;
  return true;
end
$$;
create function {schema}.evil_row() returns trigger language plpgsql as $$
begin
  raise notice 'evil ran as %', current_user;
  return coalesce(new, old);
end
$$;
grant execute on function {schema}.evil(), {schema}.evil_row() to public;
"""

# Types that a body names by one word. (`bigint`, `integer`, `boolean` are words of the grammar, always the catalog's.)
TYPES = (
    "text",
    "jsonb",
    "json",
    "timestamptz",
    "timestamp",
    "date",
    "time",
    "interval",
    "numeric",
    "int8",
    "int4",
    "int2",
    "bool",
    "name",
    "oid",
    "regclass",
    "regrole",
    "regprocedure",
    "regtype",
    "xid8",
    "bytea",
    "uuid",
    "inet",
    "tsquery",
    "tsvector",
    "varchar",
    "float8",
    "money",
    "int8range",
    "tstzrange",
)

CATALOGS = (
    "pg_roles",
    "pg_authid",
    "pg_auth_members",
    "pg_class",
    "pg_proc",
    "pg_namespace",
    "pg_constraint",
    "pg_trigger",
    "pg_attribute",
    "pg_locks",
    "pg_stat_activity",
    "pg_timezone_names",
    "pg_settings",
    "pg_database",
    "pg_type",
)

# Better matches than the catalog's own for what SQL says all day; `any…` signatures lose against exact ones.
FUNCTIONS = (
    ("now", "", "timestamptz", "pg_catalog.now()"),
    ("length", "text", "int", "1"),
    ("left", "text, int", "text", "$1"),
    ("lower", "text", "text", "$1"),
    ("to_jsonb", "text", "jsonb", "pg_catalog.to_jsonb($1)"),
    ("to_jsonb", "bigint", "jsonb", "pg_catalog.to_jsonb($1)"),
    ("to_jsonb", "jsonb", "jsonb", "$1"),
    ("cardinality", "text[]", "int", "pg_catalog.cardinality($1)"),
    ("cardinality", "bigint[]", "int", "pg_catalog.cardinality($1)"),
    ("array_length", "text[], int", "int", "pg_catalog.array_length($1, $2)"),
    ("array_append", "text[], text", "text[]", "pg_catalog.array_append($1, $2)"),
    ("format", "text, text", "text", "pg_catalog.format($1, $2)"),
    ("concat", "text, text", "text", "pg_catalog.concat($1, $2)"),
    ("jsonb_build_object", "text, text", "jsonb", "pg_catalog.jsonb_build_object($1, $2)"),
    ("jsonb_build_object", "text, bigint", "jsonb", "pg_catalog.jsonb_build_object($1, $2)"),
    ("current_setting", "text, boolean", "text", "pg_catalog.current_setting($1, $2)"),
    ("pg_has_role", "name, text, text", "boolean", "true"),
    ("set_config", "text, text, boolean", "text", "pg_catalog.set_config($1, $2, $3)"),
)
OPERATORS = (
    ("=", "text", "text", "boolean", "pg_catalog.texteq($1, $2)"),
    ("=", "name", "text", "boolean", "pg_catalog.texteq($1::text, $2)"),
    ("=", "bigint", "bigint", "boolean", "pg_catalog.int8eq($1, $2)"),
    ("=", "bigint", "int", "boolean", "pg_catalog.int8eq($1, $2)"),
    ("||", "text", "bigint", "text", "pg_catalog.concat($1, $2)"),
    ("||", "text", "int", "text", "pg_catalog.concat($1, $2)"),
    ("||", "text", "name", "text", "pg_catalog.concat($1, $2)"),
    ("||", "text[]", "text", "text[]", "pg_catalog.array_append($1, $2)"),
    ("||", "text[]", "text[]", "text[]", "pg_catalog.array_cat($1, $2)"),
    ("||", "bigint[]", "bigint", "bigint[]", "pg_catalog.array_append($1, $2)"),
    ("||", "bigint[]", "bigint[]", "bigint[]", "pg_catalog.array_cat($1, $2)"),
    ("||", "jsonb", "jsonb", "jsonb", "pg_catalog.jsonb_concat($1, $2)"),
    ("->>", "jsonb", "text", "text", "pg_catalog.jsonb_object_field_text($1, $2)"),
    ("<>", "bigint", "int", "boolean", "pg_catalog.int8ne($1, $2)"),
    (">", "bigint", "int", "boolean", "pg_catalog.int8gt($1, $2)"),
    ("<@", "text[]", "text[]", "boolean", "pg_catalog.arraycontained($1, $2)"),
    ("@>", "text[]", "text[]", "boolean", "pg_catalog.arraycontains($1, $2)"),
)


def domains(db: psycopg.Connection) -> None:
    """A temporary domain named like each type, whose CHECK runs the attacker's code."""
    db.execute(EVIL.format(schema="pg_temp"))
    for name in TYPES:
        db.execute(f"create domain pg_temp.{name} as pg_catalog.{name} check (pg_temp.evil())")
    for name in ("bigint", "integer", "boolean"):  # the grammar's own words, as names
        db.execute(f'create domain pg_temp."{name}" as {name} check (pg_temp.evil())')


def composites(db: psycopg.Connection) -> None:
    """A temporary composite type named like each of ours, with a domain for its field that runs the attacker's code."""
    db.execute(EVIL.format(schema="pg_temp"))
    db.execute("create domain pg_temp.field as pg_catalog.text check (pg_temp.evil())")
    taken = set()
    for name in (*_types_of_ours(db), "record", "row", "setof", *TYPES):
        if name not in taken:
            taken.add(name)
            db.execute(
                sql.SQL("create type pg_temp.{} as (id pg_temp.field, stage pg_temp.field)").format(
                    sql.Identifier(name)
                )
            )


def tables(db: psycopg.Connection) -> None:
    """A temporary table named like each of ours and the catalog's: defaults and triggers run the attacker's code."""
    db.execute(EVIL.format(schema="pg_temp"))
    for name in _relations(db):
        db.execute(
            sql.SQL(
                "create temporary table {0} ("
                " id pg_catalog.int8 default pg_catalog.length(pg_temp.evil()::pg_catalog.text),"
                " oid pg_catalog.oid, rolname pg_catalog.name, stage pg_catalog.text, actor_id pg_catalog.text);"
                "insert into pg_temp.{0} default values;"
                "create trigger t before insert or update or delete on pg_temp.{0}"
                " for each row execute function pg_temp.evil_row();"
                "grant all on pg_temp.{0} to public"
            ).format(sql.Identifier(name))
        )


def views(db: psycopg.Connection) -> None:
    """A temporary view named like each of ours and the catalog's, that runs the attacker's code for each row."""
    db.execute(EVIL.format(schema="pg_temp"))
    for name in _relations(db):
        db.execute(
            sql.SQL(
                "create temporary view {0} as select 1::pg_catalog.int8 as id, 1::pg_catalog.oid as oid,"
                " 'x'::pg_catalog.name as rolname, 'x'::pg_catalog.text as stage where pg_temp.evil();"
                "grant all on pg_temp.{0} to public"
            ).format(sql.Identifier(name))
        )


def functions(db: psycopg.Connection, schema: str = "public") -> None:
    """A function named like the catalog's, for the types that are used, found before or as a better match."""
    db.execute(EVIL.format(schema=schema))
    for name, arguments, returns, value in FUNCTIONS:
        db.execute(_body(f"{schema}.{name}", arguments, returns, value, schema))


def operators(db: psycopg.Connection, schema: str = "public") -> None:
    """An operator named like the catalog's, for the types that are used."""
    db.execute(EVIL.format(schema=schema))
    for number, (name, left, right, returns, value) in enumerate(OPERATORS):
        function = f"{schema}.operator_{number}"
        db.execute(_body(function, f"{left}, {right}", returns, value, schema))
        db.execute(f"create operator {schema}.{name} (function = {function}, leftarg = {left}, rightarg = {right})")


def casts(db: psycopg.Connection) -> None:
    """Implicit casts from a type of the attacker's to what our functions take."""
    db.execute(EVIL.format(schema="public"))
    db.execute("create type public.bait as (value text)")
    for name in ("text", "bigint", "jsonb", "boolean"):
        db.execute(_body(f"public.bait_{name}", "public.bait", name, f"null::pg_catalog.{name}", "public"))
        db.execute(f"create cast (public.bait as {name}) with function public.bait_{name}(public.bait) as implicit")


PLANTS = {
    "domains": domains,
    "composite types": composites,
    "temporary tables": tables,
    "temporary views": views,
    "functions in public": functions,
    "operators in public": operators,
    "casts": casts,
}


@contextmanager
def heard(db: psycopg.Connection) -> Iterator[set[str]]:
    """As whom the attacker's code ran meanwhile."""
    ran: set[str] = set()

    def listen(diagnostic: psycopg.errors.Diagnostic) -> None:
        said = re.search(r"evil ran as (\S+)", diagnostic.message_primary or "")
        if said:
            ran.add(said[1])

    db.add_notice_handler(listen)
    try:
        yield ran
    finally:
        db.remove_notice_handler(listen)


def _body(function: str, arguments: str, returns: str, value: str, schema: str) -> str:
    # not inlinable: plpgsql, so that it runs where the call runs
    return (
        f"create function {function}({arguments}) returns {returns} language plpgsql as"
        f" $f$ begin perform {schema}.evil(); return {value}; end $f$;"
    )


def _relations(db: psycopg.Connection) -> list[str]:
    ours = db.execute(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'S')"
    ).fetchall()
    return [row[0] for row in ours] + list(CATALOGS)


def _types_of_ours(db: psycopg.Connection) -> list[str]:
    rows = db.execute(
        "select distinct t.typname::text from pg_type t join pg_namespace n on n.oid = t.typnamespace"
        " where n.nspname in ('rules', 'api', 'jobs', 'ops') and t.typtype in ('c', 'd')"
        " and left(t.typname, 1) <> '_'"
    ).fetchall()
    return [row[0] for row in rows]
