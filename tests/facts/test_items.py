"""An item of a batch takes each argument with the type that it has in the call of one client."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.support.calls import call, make_client

ITEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "set_stages": ("set_stage", {"to_stage": "eom_close", "reason": "r", "expected_version": 0}),
    "set_flags": ("set_flag", {"flag": "client_blocking", "set": True}),
    "update_clients": ("update_client", {"notes": "n"}),
}
WRONG = [0, "x", True, [], ["x"], [1], {}, {"a": 1}]


def fits(value: Any, kind: str) -> bool:
    if kind == "text[]":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return type(value) is {"text": str, "boolean": bool, "bigint": int}[kind]


@pytest.mark.parametrize("batch", ITEMS)
def test_each_argument_has_the_type_of_the_single_call(db: psycopg.Connection, batch: str) -> None:
    single, given = ITEMS[batch]
    client = make_client(db)
    types = db.execute(
        "select a.name, format_type(a.type, null) from pg_proc p"
        " cross join unnest(p.proargnames, p.proargtypes::oid[]) as a (name, type)"
        " where p.pronamespace = 'api'::regnamespace and p.proname = %s",
        (single,),
    ).fetchall()
    assert len(types) > 7
    tried = 0
    for name, kind in types:
        if kind == "jsonb":
            continue
        for value in WRONG:
            item = {"client_id": client, **given, name: value}
            (outcome,) = call(db, batch, items=[item])["items"]
            details = outcome.get("details", {})
            if details.get("argument") == name:  # a batch has no such argument
                continue
            assert (details.get("rule") == "item_not_valid") is not fits(value, kind), (item, outcome)
            tried += 1
    assert tried > 40


@pytest.mark.parametrize("client_id", ["blue-heron", True, [], {}, 1e30])
def test_under_a_key_too_an_item_without_a_client_refuses_itself_only(db: psycopg.Connection, client_id: Any) -> None:
    client = make_client(db)
    items = [{"client_id": each, "flag": "client_blocking", "set": True} for each in (client_id, client)]
    db.execute("select set_config('request.headers', %s, true)", (json.dumps({"idempotency-key": "one"}),))

    outcomes = call(db, "set_flags", items=items)["items"]

    assert [each["status"] for each in outcomes] == [422, 200]
