"""Every caller on every function, from the catalog, against what `doors.toml` says."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.support.calls import call

LOGIN, OPERATOR = "atlas_test_login", "atlas_test_matrix_operator"

FUNCTIONS = """
select
  format('%s.%s', p.pronamespace::regnamespace, p.proname),
  p.prokind::text,
  p.oid::regproc::text,
  (select coalesce(string_agg(format('null::%s', a.type::regtype), ', '), '') from unnest(p.proargtypes) as a (type))
from pg_proc p
where p.pronamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')
order by 1
"""

DOORS = tomllib.loads((Path(__file__).parent / "doors.toml").read_text())


def of_token(state: str) -> Callable[[psycopg.Connection, str], None]:
    """A request through PostgREST with a token in that state: what PostgREST itself says before it calls."""

    def become(db: psycopg.Connection, function: str) -> None:
        token = "atl_unknown"
        if state in ("valid", "revoked", "expired"):
            issued = call(db, "issue_token", actor_id="user:matrix", never_expires=True)
            token = issued["token"]
            change = {
                "revoked": "revoked_at = now()",
                "expired": "expires_at = now() - interval '1 second'",
            }
            if state in change:
                db.execute(f"update actor_tokens set {change[state]} where actor_id = 'user:matrix'")
        headers = {} if state in ("no", "no, at /") else {"x-atlas-token": token}
        path = "/" if state == "no, at /" else f"/rpc/{function}"
        db.execute("set local session authorization atlas_authenticator")
        db.execute("set local role atlas_anon")
        db.execute(
            "select set_config('request.headers', %s, true), set_config('request.path', %s, true)",
            (json.dumps(headers), path),
        )
        db.execute("select rules.pre_request()")

    return become


def of_login(role: str) -> Callable[[psycopg.Connection, str], None]:
    """A SQL session of that login."""
    return lambda db, _: db.execute(f"set local session authorization {role}") and None


CALLERS = {
    "anonymous": of_token("no, at /"),  # a request without a token, at a path that needs none
    "no token": of_token("no"),  # and at the function's own
    "valid token": of_token("valid"),  # of an actor without any grant
    "revoked token": of_token("revoked"),
    "expired token": of_token("expired"),
    "unknown token": of_token("unknown"),
    "scheduler": of_login("atlas_cron"),
    "authenticator": of_login("atlas_authenticator"),  # PostgREST's login before it has switched roles
    "login": of_login(LOGIN),  # any psql login
    "operator": of_login(OPERATOR),  # a psql login that is a member of atlas_operator
}


def gets_in(db: psycopg.Connection, caller: str, function: str, statement: str) -> bool:
    """Whether the body of the function runs."""
    try:
        with db.transaction(force_rollback=True):
            CALLERS[caller](db, function.partition(".")[2])
            db.execute(statement)
    except psycopg.Error as error:
        # A refusal with a context comes from inside a body that runs with its caller's rights.
        inside = error.sqlstate == "42501" and error.diag.context is not None
        return inside or error.sqlstate not in ("42501", "PT401")
    return True


def expected() -> dict[str, set[str]]:
    return {function: set(door["callers"]) for door in DOORS["door"] for function in door["functions"]}


@pytest.fixture(scope="module")
def reached(_module_connection: psycopg.Connection) -> dict[str, set[str]]:
    """Each function with the callers that get into it."""
    db = _module_connection
    db.rollback()
    db.execute(f"create role {LOGIN} login")
    db.execute(f"create role {OPERATOR} login in role atlas_operator")
    found = db.execute(FUNCTIONS).fetchall()
    matrix = {
        function: {
            caller
            for caller in CALLERS
            if gets_in(db, caller, function, f"{'call' if kind == 'p' else 'select'} {name}({arguments})")
        }
        for function, kind, name, arguments in found
    }
    db.rollback()
    return matrix


def test_every_function_has_an_expectation(reached: dict[str, set[str]]) -> None:
    unexpected = {
        function
        for function, callers in reached.items()
        if function not in expected() and (callers or function.partition(".")[0] not in DOORS["closed"])
    }

    assert unexpected == set(), "name them in doors.toml, or close them"


def test_every_expectation_has_its_function(reached: dict[str, set[str]]) -> None:
    assert set(expected()) - set(reached) == set()


@pytest.mark.parametrize("caller", CALLERS)
def test_gets_into_what_it_may_and_nothing_else(reached: dict[str, set[str]], caller: str) -> None:
    may = {function for function, callers in expected().items() if caller in callers}

    assert {function for function, callers in reached.items() if caller in callers} == may


def test_a_function_that_somebody_opened_is_found(db: psycopg.Connection) -> None:
    db.execute(f"create role {LOGIN} login")
    db.execute("grant usage on schema rules to public")
    db.execute("grant execute on function rules.close_period(timestamptz) to public")

    assert gets_in(db, "login", "rules.close_period", "select rules.close_period(now())")
