"""No text that a caller sends becomes SQL: not by a value, not by a name, not on the way through the gateway.

The canary is a sequence: what advances it stays, whatever is rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.http.api import Api
from tests.http.conftest import served
from tests.http.test_connections import CALLS, FOR_THE_GATEWAY, OPEN
from tests.support.calls import ADMIN, as_actor, make_client

SINGS = "nextval('public.canary')"
HOSTILE = [
    f"'; select {SINGS}; --",
    f"' || {SINGS} || '",
    f"x'); select {SINGS}; --",
    f'"; select {SINGS}; --',
    f"$$; select {SINGS}; $$",
    f"\\'; select {SINGS}; --",
    f"%s', {SINGS}) %I %L --",
    f"{{{SINGS}}}",
    f"1 + {SINGS}",
]
TEXTS = ("text", "text[]", "jsonb")


@pytest.fixture
def canary(db: psycopg.Connection) -> psycopg.Connection:
    make_client(db)
    db.execute("create sequence public.canary")
    db.execute("grant usage on sequence public.canary to public")
    return db


def sings(db: psycopg.Connection) -> bool:
    row = db.execute("select is_called from public.canary").fetchone()
    assert row is not None
    return bool(row[0])


def text_arguments(db: psycopg.Connection) -> list[tuple[str, str, str]]:
    """Every argument of a function of `api` that takes a text, a list of texts, or JSON."""
    return db.execute(
        "select p.proname::text, a.name, a.type::regtype::text from pg_proc p"
        " cross join lateral unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)"
        " where p.pronamespace = 'api'::regnamespace and a.type::regtype::text = any (%s) order by 1, 2",
        (list(TEXTS),),
    ).fetchall()


def filled(given: Any, hostile: str) -> Iterator[Any]:
    """JSON with the text in each place that it has: each value, and one name more."""
    if isinstance(given, list):
        for at, each in enumerate(given or [{}]):
            yield from ([*given[:at], worse, *given[at + 1 :]] for worse in filled(each, hostile))
    elif isinstance(given, dict):
        yield from (given | {name: hostile} for name in given)
        yield given | {hostile: hostile}
    else:
        yield {hostile: hostile}


def values(kind: str, given: Any, hostile: str) -> Iterator[Any]:
    if kind == "text":
        yield hostile
    elif kind == "text[]":
        yield [hostile]
    else:
        yield from map(Jsonb, filled(given, hostile))


def said(db: psycopg.Connection, function: str, arguments: dict[str, Any], kinds: dict[str, str]) -> str:
    """Call it as an admin: `done`, or the SQLSTATE."""
    named = sql.SQL(", ").join(
        sql.SQL("{} => %s::{}").format(sql.Identifier(name), sql.SQL(kinds[name])) for name in arguments
    )
    try:
        with db.transaction(force_rollback=True):
            as_actor(db, ADMIN)
            db.execute(
                sql.SQL("select api.{}({})").format(sql.Identifier(function), named),
                [
                    Jsonb(value) if kinds[name] == "jsonb" and not isinstance(value, Jsonb) else value
                    for name, value in arguments.items()
                ],
            )
    except psycopg.Error as error:
        return error.sqlstate or "?"
    return "done"


def test_every_text_argument_takes_sql_for_a_text(canary: psycopg.Connection) -> None:
    db = canary
    kinds: dict[str, dict[str, str]] = {}
    for function, name, kind in db.execute(
        "select p.proname::text, a.name, a.type::regtype::text from pg_proc p"
        " cross join lateral unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)"
        " where p.pronamespace = 'api'::regnamespace"
    ).fetchall():
        kinds.setdefault(function, {})[name] = kind
    tried = 0
    outcomes = set()
    for function, argument, kind in text_arguments(db):
        given = CALLS[function]
        for hostile in HOSTILE:
            for value in values(kind, given.get(argument), hostile):
                outcomes.add(said(db, function, given | {argument: value}, kinds[function]))
                tried += 1

    assert tried > 500
    assert not sings(db)
    # a refusal of the rules, or done; 22: an array that is none
    assert {each for each in outcomes if not each.startswith(("PT4", "done"))} == set()


def test_the_canary_would_sing(canary: psycopg.Connection) -> None:
    canary.execute(
        "create function pg_temp.careless(word text) returns void language plpgsql as"
        " $f$ begin execute 'select ''' || word || ''''; end $f$"
    )
    canary.execute("select pg_temp.careless(%s)", (HOSTILE[1],))

    assert sings(canary)


@pytest.fixture(scope="module")
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    with served(request) as running:
        yield running


def test_nor_does_the_gateway_make_sql_of_a_name_or_a_value(api: Api) -> None:
    assert api.dsn is not None
    with psycopg.connect(api.dsn, autocommit=True) as db:
        make_client(db)
        db.execute("create sequence public.canary")
        db.execute("grant usage on sequence public.canary to public")
        arguments = text_arguments(db)
        headers = {"Authorization": f"Bearer {api.admin}"}
        statuses = set()
        for hostile in HOSTILE:
            for function, argument, kind in arguments:
                if function in FOR_THE_GATEWAY | OPEN:
                    continue
                if kind == "text":
                    wanted = CALLS[function] | {argument: hostile}
                    statuses.add(api.http.post(f"/rpc/{function}", json=wanted, headers=headers).status_code)
            statuses.add(api.http.post("/rpc/client", json={hostile: 1}, headers=headers).status_code)
            for path in (
                f"/rpc/{quote(hostile, safe='')}",
                f"/api/clients/{quote(hostile, safe='')}",
                f"/api/clients?search={quote(hostile, safe='')}",
                f"/api/clients?{quote(hostile, safe='')}=1",
                f"/api/agents/{quote(hostile, safe='')}/queue",
            ):
                statuses.add(api.http.get(path, headers=headers).status_code)
            key = hostile.encode("ascii", "ignore").decode()
            statuses.add(
                api.http.post(
                    "/api/clients/1/flags/client_blocking",
                    json={},
                    headers=headers | {"Idempotency-Key": key},
                ).status_code
            )
            statuses.add(api.http.get("/rpc/whoami", headers={"Authorization": f"Bearer {hostile}"}).status_code)

        assert not sings(db)
    assert {status for status in statuses if status >= 500} == set()
    assert {200, 401, 404} <= statuses
