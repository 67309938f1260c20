"""Flags of many clients in one call, each with its own outcome."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import call, client_row, make_client, refused


def set_flags(db: psycopg.Connection, *items: Any, actor: str = "user:jimmie") -> list[dict[str, Any]]:
    return call(db, "set_flags", actor=actor, items=list(items))["items"]


def flag(client: int, *, setting: bool = True, name: str = "advisory_due") -> dict[str, Any]:
    return {"client_id": client, "flag": name, "set": setting, "reason": "many at once"}


def test_each_item_answers_as_it_would_alone(db: psycopg.Connection) -> None:
    client, other = make_client(db), make_client(db)
    first, again, cleared = set_flags(db, flag(client), flag(client), flag(other, setting=False))
    assert first["client"]["flags"] == ["advisory_due"]
    assert first["history"]["reason"] == "many at once"
    assert [each["changed"] for each in (first, again, cleared)] == [True, False, False]


def test_one_refusal_stops_no_other(db: psycopg.Connection) -> None:
    client = make_client(db)
    outcomes = set_flags(db, flag(10**9), flag(client, name="stuck"), flag(client, name="nothing"), flag(client))
    assert [each["status"] for each in outcomes] == [404, 403, 422, 200]
    assert outcomes[0]["details"]["rule"] == "client_not_found"
    assert client_row(db, client)["flags"] == ["advisory_due"]


def test_who_may_not_is_refused_item_by_item(db: psycopg.Connection) -> None:
    (outcome,) = set_flags(db, flag(make_client(db)), actor="user:nobody")
    assert (outcome["status"], outcome["details"]["rule"]) == (403, "permission_missing")


@pytest.mark.parametrize(
    "item",
    [
        1,
        None,
        [],
        "flag",
        {"client_id": 1, "flag": "advisory_due"},
        {"client_id": ["one"], "flag": "advisory_due", "set": True},
        {"client_id": 1e30, "flag": "advisory_due", "set": True},
        {"client_id": 1.5, "flag": "advisory_due", "set": True},
        {"client_id": 1, "flag": "advisory_due", "set": "maybe"},
        {"client_id": 1, "flag": "advisory_due", "set": True, "flags": []},
    ],
)
def test_what_is_no_item_is_refused_as_one(db: psycopg.Connection, item: Any) -> None:
    client = make_client(db)
    refusal, done = set_flags(db, item, flag(client))
    assert refusal["details"]["rule"] == "item_not_valid"
    assert done["changed"]


@pytest.mark.parametrize("items", [[], {}, None, 1, [{}] * 1001])
def test_what_is_no_list_of_items_is_refused(db: psycopg.Connection, items: Any) -> None:
    with refused(db, "items_not_valid", 422):
        call(db, "set_flags", items=items)
