"""Every function is owned, closed, documented and filed as the house rules say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

SQL = Path(__file__).parents[2] / "sql"

FUNCTIONS = """
select
  p.oid,
  n.nspname                              as schema,
  p.proname                              as name,
  p.proowner::regrole::text              as owner,
  p.prosecdef                            as definer,
  p.provolatile                          as volatility,
  coalesce(p.proconfig, '{}')            as config,
  l.lanname                              as language,
  p.prorettype::regtype::text            as returns,
  p.prosrc                               as source,
  coalesce(obj_description(p.oid, 'pg_proc'), '') as comment,
  coalesce(p.proargnames, '{}')          as arguments,
  pg_get_function_identity_arguments(p.oid) as signature,
  exists (
    select
    from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as right_ (grantor, grantee, privilege, grantable)
    where right_.grantee = 0
  )                                      as public_may_execute,
  array(
    select r.rolname::text
    from pg_roles r
    where r.rolname in ('atlas_anon', 'atlas_api', 'atlas_authenticator', 'atlas_cron', 'atlas_operator')
      and has_function_privilege(r.oid, p.oid, 'execute')
    order by 1
  )                                      as executable_by
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
where n.nspname in ('rules', 'api', 'jobs', 'ops')
order by 2, 3
"""

READS = {
    "health",
    "clients",
    "client",
    "client_id",
    "stage_history",
    "closes",
    "closes_by_month",
    "changes",
    "check_stages",
    "summary",
    "queue",
    "check_stage",
    "administration",
    "verify",
    "digest",
    "openapi",
    "people",
    "covers",
    "activity",
    "jobs",
    "settings",
    "permissions",
    "tokens",
    "read",  # the gateway's
}
WRITES = {
    "whoami",  # marks the use of the token
    "set_stage",
    "set_stages",
    "set_flags",
    "update_clients",
    "set_flag",
    "clear_flag",
    "rollback",
    "rollback_run",
    "rollback_batch",
    "undo",
    "undo_batch",
    "create_client",
    "update_client",
    "delete_client",
    "grant_permission",
    "revoke_permission",
    "issue_token",
    "revoke_token",
    "adopt_legacy_token",
    "set_role",
    "run_job",
    "set_setting",
    "set_stage_limit",
    "set_holiday",
    "set_transition",
    "invite",
    "accept_invite",
    "hand_over",
    "set_cover",
    "leave",
    "erase_words",
    "write",  # the gateway's
}

WRITERS = [
    "rules.check_deferred_constraints",
    "rules.remove_client",
    "rules.write_clients",
    "rules.write_new_client",
    "rules.write_trial_client",
]
# A trial's statements of a login of the host's, which it rolls back.
AS_THE_HOST = "ops.try_plain_sql"

Function = dict[str, Any]


@pytest.fixture
def functions(db: psycopg.Connection) -> list[Function]:
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(FUNCTIONS).fetchall()


def label(function: Function) -> str:
    return f"{function['schema']}.{function['name']}"


def names(functions: list[Function]) -> list[str]:
    return [label(function) for function in functions]


def test_there_are_functions_to_look_at(functions: list[Function]) -> None:
    assert len(functions) > 40


def test_public_may_execute_none(functions: list[Function]) -> None:
    assert names([f for f in functions if f["public_may_execute"]]) == []


def test_the_anonymous_role_may_execute_nothing_outside_the_pre_request_path(
    functions: list[Function],
) -> None:
    allowed = [f for f in functions if "atlas_anon" in f["executable_by"]]

    assert names(allowed) == ["api.health", "rules.pre_request", "rules.token_actor"]


def test_the_request_role_may_execute_all_of_api_and_nothing_of_jobs(
    functions: list[Function],
) -> None:
    api = [f for f in functions if f["schema"] == "api"]
    jobs = [f for f in functions if f["schema"] == "jobs"]

    assert names([f for f in api if "atlas_api" not in f["executable_by"]]) == []
    assert names([f for f in jobs if "atlas_api" in f["executable_by"]]) == []


def test_every_function_with_rights_of_its_own_looks_into_the_catalog_first_and_temp_last(
    functions: list[Function],
) -> None:
    definers = [f for f in functions if f["definer"]]

    assert len(definers) > 15
    # A host's trigger finds its names in the path of the writers.
    path = re.compile(r"search_path=pg_catalog, (public, )?pg_temp")
    lax = [f for f in definers if not any(path.fullmatch(each) for each in f["config"])]
    assert names(lax) == []
    assert [label(f) for f in definers if "search_path=pg_catalog, pg_temp" not in f["config"]] == WRITERS


def test_no_function_of_api_can_be_inlined(functions: list[Function]) -> None:
    api = [f for f in functions if f["schema"] == "api"]

    inlinable = [f for f in api if f["language"] == "sql" and not f["definer"] and not f["config"]]
    assert names(inlinable) == []


def test_no_argument_can_be_taken_for_a_column_that_the_host_adds(functions: list[Function]) -> None:
    unsafe = [
        label(each)
        for each in functions
        if each["language"] == "plpgsql"
        and any(each["arguments"])
        and not each["source"].lstrip().startswith("#variable_conflict use_variable")
    ]
    assert unsafe == []


def test_every_door_is_a_definer(functions: list[Function]) -> None:
    api = [f for f in functions if f["schema"] == "api"]

    assert names([f for f in api if not f["definer"]]) == []


def test_all_belong_to_the_owner_role_but_the_few_that_write_clients(
    functions: list[Function],
) -> None:
    assert names([f for f in functions if f["owner"] != "atlas_owner"]) == WRITERS
    assert {f["owner"] for f in functions} == {"atlas_owner", "atlas_writer"}


def test_only_the_writers_name_clients_as_what_they_write(functions: list[Function]) -> None:
    writing = re.compile(r"(insert\s+into|update|delete\s+from|merge\s+into)\s+(only\s+)?public\.clients\b")

    assert names([f for f in functions if writing.search(f["source"])]) == [
        AS_THE_HOST,
        *WRITERS[1:],
    ]


def test_api_has_no_overloads(functions: list[Function]) -> None:
    api = names([f for f in functions if f["schema"] == "api"])

    assert len(api) == len(set(api))


def test_api_has_exactly_the_functions_of_the_contract(functions: list[Function]) -> None:
    assert {f["name"] for f in functions if f["schema"] == "api"} == READS | WRITES


def test_reads_are_stable_and_writes_volatile(functions: list[Function]) -> None:
    volatility = {f["name"]: f["volatility"] for f in functions if f["schema"] == "api"}

    assert {name: volatility[name] for name in READS} == dict.fromkeys(READS, "s")
    assert {name: volatility[name] for name in WRITES} == dict.fromkeys(WRITES, "v")


def test_every_door_answers_json_and_names_its_arguments(functions: list[Function]) -> None:
    api = [f for f in functions if f["schema"] == "api"]
    answers = {label(f): f["returns"] for f in api}

    assert answers.pop("api.client_id") == "bigint"  # used in place of an id
    assert {*answers.values()} <= {"jsonb", 'api."application/json"'}
    assert names([f for f in api if "" in f["arguments"]]) == []


def test_every_door_has_a_summary_and_a_description(functions: list[Function]) -> None:
    for function in functions:
        if function["schema"] == "api":
            summary, *description = function["comment"].splitlines()
            assert 10 <= len(summary) <= 120, label(function)
            assert any(line.strip() for line in description), label(function)


def test_no_function_raises_serialization_failure(functions: list[Function]) -> None:
    # PostgREST before 16 repeats a 40001 forever.
    assert names([f for f in functions if re.search(r"40001|serialization_failure", f["source"])]) == []


def files() -> list[Path]:
    """The stored logic: a deploy runs sql/deploy/, and people run sql/examples/."""
    others = {SQL / "deploy", SQL / "examples"}
    return sorted(path for path in SQL.rglob("*.sql") if others.isdisjoint(path.parents))


def objects_in(path: Path) -> list[tuple[str, str]]:
    """(schema or `trigger`, name) of what a file creates."""
    raw = re.sub(r"--.*", "", path.read_text())
    text = re.sub(r"(?s)\$(\w*)\$.*?\$\1\$", "$$", raw)
    found = re.findall(r"(?im)^create\s+(?:or replace\s+)?(?:function|view|procedure)\s+(\w+)\.(\w+)", text)
    # types are made only where they are not there yet, so inside a block
    found += re.findall(r'(?im)^\s*create\s+(?:type|domain)\s+(\w+)\."?([\w/]+)', raw)
    found += [
        ("trigger", name)
        for name in re.findall(r"(?im)^create\s+(?:or replace\s+)?trigger\s+(\w+)", text)
        + re.findall(r"(?im)^\s*create\s+constraint\s+trigger\s+(\w+)", raw)
    ]
    return found


def test_each_file_makes_one_object_named_as_the_file_in_the_schema_of_its_folder() -> None:
    for path in files():
        if path.parent == SQL:
            continue
        objects = [(schema, name.replace("/", "_")) for schema, name in objects_in(path)]
        assert objects == [(path.relative_to(SQL).parts[0], path.stem)], path


def test_each_function_view_and_type_has_its_file(functions: list[Function], db: psycopg.Connection) -> None:
    filed = {f"{schema}.{name}" for path in files() for schema, name in objects_in(path)}
    others = db.execute(
        "select format('%s.%s', schemaname, viewname) from pg_views"
        " where schemaname in ('rules', 'api', 'jobs', 'ops')"
        " union all select format('%s.%s', t.typnamespace::regnamespace, t.typname) from pg_type t"
        " left join pg_class c on c.oid = t.typrelid"
        " where t.typnamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')"
        " and (t.typtype = 'd' or c.relkind = 'c')"
    ).fetchall()

    assert set(names(functions)) | {row[0] for row in others} == {
        name for name in filed if not name.startswith("trigger.")
    }


def test_each_trigger_on_our_tables_stands_in_the_list(db: psycopg.Connection) -> None:
    triggers = db.execute(
        "select tgname::text from pg_trigger t join pg_class c on c.oid = t.tgrelid"
        " where not tgisinternal and c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    listed = {name for schema, name in objects_in(SQL / "triggers.sql") if schema == "trigger"}
    # what records administration is made in a loop, alike for each table
    recorders = db.execute(
        "select t.name || '_record_' || e.event"
        " from rules.administered_tables() t"
        " cross join unnest("
        "array['insert', 'update', 'delete', 'truncate', 'api_insert', 'api_update', 'api_delete']"
        ") as e (event)"
        " where e.event not like 'api%%' or has_table_privilege('atlas_owner', 'public.' || t.name, substr(e.event, 5))"
    ).fetchall()
    listed |= {row[0] for row in recorders}

    assert {row[0] for row in triggers} == listed
    assert len(listed) >= 3


def test_no_function_body_is_in_a_migration() -> None:
    migrations = SQL.parent / "migrations"

    guilty = [
        path.name
        for path in migrations.glob("*.sql")
        if re.search(r"(?i)create\s+(or\s+replace\s+)?(function|procedure)", path.read_text())
    ]
    assert guilty == []


def test_the_code_schemas_hold_nothing_with_data_in_it(db: psycopg.Connection) -> None:
    kept = db.execute(
        "select c.oid::regclass::text from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('rules', 'api', 'jobs', 'ops') and c.relkind not in ('v', 'c')"
    ).fetchall()
    types = db.execute(
        "select t.oid::regtype::text from pg_type t"
        " join pg_namespace n on n.oid = t.typnamespace"
        " where n.nspname in ('rules', 'api', 'jobs', 'ops') and t.typtype in ('e', 'r')"
    ).fetchall()

    assert kept == []
    assert types == []


def test_a_function_that_prices_nested_loops_out_turns_the_jit_compiler_off(
    functions: list[dict[str, Any]],
) -> None:
    # the price alone sets the compiler off on servers that have it: seconds for one row
    priced = [f for f in functions if "enable_nestloop=off" in f["config"]]

    assert priced
    assert [f["name"] for f in priced if "jit=off" not in f["config"]] == []


def test_nothing_is_compiled_for_a_page_that_goes_by_index(db: psycopg.Connection) -> None:
    """Before PostgreSQL 18 a scan that is switched off has a price for which any query would be compiled."""
    compiled = db.execute(
        "select p.proname::text from pg_proc p where 'enable_seqscan=off' = any (p.proconfig)"
        " and not 'jit=off' = any (p.proconfig)"
    ).fetchall()

    assert compiled == []
