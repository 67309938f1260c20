"""Fields of many clients in one call, each with its own outcome, and one undo."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    all_breaks,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    refused,
)

ANA = "user:ana"


def update(db: psycopg.Connection, *items: Any, actor: str = "user:jimmie") -> Any:
    return call(db, "update_clients", actor=actor, items=list(items))


def test_each_item_answers_as_it_would_alone(db: psycopg.Connection) -> None:
    client, other = make_client(db), make_client(db, owner="user:ben")
    answer = update(
        db,
        {
            "client_id": client,
            "owner": ANA,
            "collaborators": ["user:eve", "user:eve"],
            "reason": "leave",
        },
        {"client_id": client, "owner": ANA},
        {"client_id": other, "clear": ["owner"], "tier": "full_service", "active": False},
    )

    first, again, cleared = answer["items"]
    assert (answer["done"], answer["refused"]) == (3, 0)
    assert [each["changed"] for each in (first, again, cleared)] == [True, False, True]
    assert first["client"]["stage_collaborators"] == ["user:eve"]
    assert first["history"]["reason"] == "leave"
    row = client_row(db, other)
    assert (row["stage_owner"], row["service_tier"], row["active"]) == (None, "full_service", False)


def test_one_refusal_stops_no_other(db: psycopg.Connection) -> None:
    client = make_client(db)
    answer = update(
        db,
        {"client_id": 10**9, "owner": ANA},
        {"client_id": client, "owner": "Ana"},
        {"client_id": client, "tier": "gold"},
        {"client_id": client, "clear": ["tier"]},
        {"client_id": client, "expected_version": 7, "owner": ANA},
        {"client_id": client, "owner": ANA},
    )

    assert [each.get("details", {}).get("rule") for each in answer["items"]] == [
        "client_not_found",
        "actor_id_not_valid",
        "unknown_value",
        "unknown_value",
        "version_conflict",
        None,
    ]
    assert client_row(db, client)["stage_owner"] == ANA


@pytest.mark.parametrize(
    "item",
    [
        {"client_id": "one", "owner": ANA},
        {"client_id": 1, "owner": ANA, "stage": "weekly"},
        {"client_id": 1, "collaborators": "user:ana"},
        {"client_id": 1, "collaborators": {"user:ana": 1}},
        {"client_id": 1, "active": "perhaps"},
        {"client_id": 1, "clear": "owner"},
    ],
)
def test_what_is_no_item_is_refused(db: psycopg.Connection, item: Any) -> None:
    (outcome,) = update(db, item)["items"]
    assert (outcome["status"], outcome["details"]["rule"]) == (422, "item_not_valid")


def test_each_field_needs_its_permission(db: psycopg.Connection) -> None:
    client = make_client(db)
    grant(db, ANA, "can_set_stage")
    answer = update(
        db,
        {"client_id": client, "owner": ANA},
        {"client_id": client, "cadence": "annual"},
        actor=ANA,
    )
    assert [each["status"] for each in answer["items"]] == [200, 403]


def test_the_call_is_undone_as_a_whole(db: psycopg.Connection) -> None:
    clients = [make_client(db, owner=f"user:{n}") for n in range(3)]
    before = [client_row(db, each) for each in clients]
    batch = update(db, *({"client_id": each, "owner": ANA, "notes": "n"} for each in clients))["batch"]
    changed = update(db, {"client_id": clients[0], "owner": "user:ben"})["items"][0]["history"]

    answer = call(db, "undo_batch", batch=batch)

    assert answer["rolled_back"] == 2
    [kept] = answer["left"]
    assert (kept["client_id"], kept["blocking_history_id"]) == (clients[0], changed["id"])
    assert kept["rule"] == "rollback_blocked"
    assert client_row(db, clients[0])["name"] in kept["text"]
    assert [client_row(db, each) for each in clients[1:]] == [each | {"version": 2} for each in before[1:]]
    assert history_rows(db, clients[1])[-1]["payload"]["rolls_back_batch"] == batch
    assert all_breaks(db) == []


def test_a_repeated_call_gets_the_first_answer(db: psycopg.Connection) -> None:
    client = make_client(db)
    with db.transaction():
        db.execute("select set_config('request.headers', %s, true)", ('{"idempotency-key": "k"}',))
        first = update(db, {"client_id": client, "owner": ANA})
        assert update(db, {"client_id": client, "owner": ANA}) == first | {"replayed": True}
        with refused(db, "idempotency_key_reused", 409):
            update(db, {"client_id": client, "owner": "user:ben"})
