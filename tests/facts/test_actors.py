"""Every function of api but `health` refuses a caller without an actor."""

from __future__ import annotations

import psycopg

FUNCTIONS = """
select
  p.proname::text,
  (
    select coalesce(string_agg(format('null::%s', t.type::regtype), ', ' order by t.nth), '')
    from unnest(p.proargtypes) with ordinality as t (type, nth)
  )
from pg_proc p
where p.pronamespace = 'api'::regnamespace
  and p.proname not in ('health', 'openapi')
  -- the gateway's two call a function of this list, which authenticates
  and p.proname not in ('read', 'write')
order by 1
"""


def without_an_actor(db: psycopg.Connection) -> dict[str, str]:
    """What each function answers in a session of PostgREST that has no valid token: the SQLSTATE."""
    functions = db.execute(FUNCTIONS).fetchall()
    db.execute("set local session authorization atlas_authenticator")
    db.execute("set local role atlas_api")
    said = {}
    for name, arguments in functions:
        try:
            with db.transaction(force_rollback=True):
                db.execute(f"select api.{name}({arguments})")
            said[name] = "it answered"
        except psycopg.Error as error:
            said[name] = error.sqlstate or ""
    db.execute("reset role")
    db.execute("reset session authorization")
    return said


def test_every_function_refuses_a_caller_without_an_actor_first(db: psycopg.Connection) -> None:
    said = without_an_actor(db)

    assert len(said) > 30
    assert {name: what for name, what in said.items() if what != "PT401"} == {}


def test_a_function_that_does_not_authenticate_is_found(db: psycopg.Connection) -> None:
    db.execute(
        "create function api.careless(n bigint) returns jsonb language plpgsql"
        " security definer as $$ begin return '{}'; end $$"
    )
    db.execute("grant execute on function api.careless(bigint) to atlas_api")

    assert without_an_actor(db)["careless"] == "it answered"
