"""Many moves in one call: each item its own outcome, or all or nothing."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import call, client_row, grant, history_rows, make_client, move, refused

CLERK = "user:clerk"


def item(client: int, to_stage: str = "eom_close", version: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "client_id": client,
        "to_stage": to_stage,
        "reason": "month end",
        "expected_version": version,
        **more,
    }


def test_every_item_moves_and_answers_as_a_call_of_its_own(db: psycopg.Connection) -> None:
    first, second, alone = make_client(db), make_client(db, "eom_close"), make_client(db)

    answer = call(
        db,
        "set_stages",
        items=[
            item(first, payload={"a": 1}),
            item(second, "eom_review", version=1, channel="slack"),
        ],
    )
    single = move(db, alone, "eom_close", reason="month end", payload={"a": 1})

    assert (answer["done"], answer["refused"]) == (2, 0)
    assert [i["index"] for i in answer["items"]] == [0, 1]
    assert {i["status"] for i in answer["items"]} == {200}
    assert client_row(db, second)["stage"] == "eom_review"
    row = history_rows(db, second)[-1]
    assert (row["channel"], row["reason"], row["version"]) == ("slack", "month end", 2)
    ours = answer["items"][0]
    assert set(single) <= set(ours)
    different = {"id", "client_id", "name", "slug", "batch"}
    for part in ("client", "history"):
        assert {k: v for k, v in ours[part].items() if k not in different} == {
            k: v for k, v in single[part].items() if k not in different
        }


def test_each_refused_item_has_the_error_it_would_have_had_alone(db: psycopg.Connection) -> None:
    grant(db, CLERK, "can_set_stage", {"from": ["weekly", "onboarding", "eom_review"]})
    good = make_client(db)
    cases: list[tuple[dict[str, Any], int, str]] = [
        (item(0), 404, "client_not_found"),
        (item(make_client(db), version=7), 409, "version_conflict"),
        (item(make_client(db, "onboarding"), "eom_review"), 422, "transition_not_allowed"),
        (item(make_client(db), "holiday"), 422, "unknown_stage"),
        (item(make_client(db), "offboarding"), 403, "permission_missing"),
        (item(make_client(db, "cleanup"), "weekly"), 403, "permission_missing"),
        (item(make_client(db, active=False), version=1), 422, "client_inactive"),
        (item(make_client(db)) | {"reason": " "}, 422, "reason_required"),
        (item(make_client(db)) | {"reason": "x" * 2001}, 422, "text_too_long"),
        (item(make_client(db)) | {"reason": "a\x07b"}, 422, "text_not_clean"),
        (item(make_client(db)) | {"expected_version": None}, 422, "expected_version_required"),
        (item(make_client(db)) | {"channel": "cron"}, 422, "unknown_channel"),
        (item(make_client(db)) | {"payload": []}, 422, "payload_not_valid"),
        (item(make_client(db)) | {"override": True}, 403, "override_needs_admin"),
        (item(make_client(db), "weekly"), 422, "transition_not_allowed"),
    ]

    answer = call(db, "set_stages", actor=CLERK, items=[item(good), *(case[0] for case in cases)])

    assert (answer["done"], answer["refused"]) == (1, len(cases))
    assert answer["items"][0]["changed"] is True
    for (request, status, rule), outcome in zip(cases, answer["items"][1:], strict=True):
        assert (outcome["status"], outcome["details"]["rule"]) == (status, rule), (request, outcome)
        assert outcome["code"] == f"PT{status}"
        with pytest.raises(psycopg.Error) as alone:
            call(db, "set_stage", actor=CLERK, **request)
        assert alone.value.sqlstate == f"PT{status}"
        assert alone.value.diag.message_primary == outcome["message"]
        assert alone.value.diag.message_hint == outcome["hint"]


def test_an_item_that_is_wrong_alone_leaves_the_others(db: psycopg.Connection) -> None:
    good = make_client(db)
    wrong: list[Any] = [
        None,
        7,
        "x",
        [],
        {},
        {"client_id": "x"},
        item(good) | {"expected_version": "x"},
        item(good) | {"client_id": 1.5},
        item(good) | {"client_id": 10**30},
        item(good) | {"x": 1},
        item(good) | {"to_stage": 7},
        item(good) | {"override": "x"},
        item(good) | {"client_id": None},
        item(good) | {"expected_version": 1e300},
    ]

    answer = call(db, "set_stages", items=[*wrong, item(good)])

    for given, outcome in zip(wrong, answer["items"], strict=False):
        assert outcome["status"] in (400, 404, 422), (given, outcome)
    assert answer["items"][-1]["changed"] is True
    assert client_row(db, good)["version"] == 1


def test_with_atomic_one_refusal_refuses_all(db: psycopg.Connection) -> None:
    good, bad = make_client(db), make_client(db, "onboarding")

    with pytest.raises(psycopg.Error) as caught:
        call(db, "set_stages", items=[item(good), item(bad, "eom_review")], atomic=True)

    assert caught.value.sqlstate is not None
    assert caught.value.sqlstate.startswith("PT4")
    assert "transition_not_allowed" in (caught.value.diag.message_detail or "")
    assert client_row(db, good)["stage"] == "weekly"
    assert client_row(db, good)["version"] == 0


def test_with_atomic_all_go_where_all_may(db: psycopg.Connection) -> None:
    clients = [make_client(db) for _ in range(3)]

    answer = call(db, "set_stages", items=[item(client) for client in clients], atomic=True)

    assert (answer["done"], answer["refused"]) == (3, 0)
    assert {client_row(db, client)["stage"] for client in clients} == {"eom_close"}


def test_a_client_that_comes_twice_moves_twice_in_order(db: psycopg.Connection) -> None:
    client = make_client(db)

    answer = call(db, "set_stages", items=[item(client), item(client, "eom_review", version=1)])

    # Each item has the outcome that it would have had alone, one after the other.
    assert [i["status"] for i in answer["items"]] == [200, 200]
    assert client_row(db, client)["stage"] == "eom_review"
    assert [row["version"] for row in history_rows(db, client)] == [0, 1, 2]


def test_the_same_item_twice_is_a_conflict_the_second_time(db: psycopg.Connection) -> None:
    client = make_client(db)

    answer = call(db, "set_stages", items=[item(client), item(client)])

    assert [i["status"] for i in answer["items"]] == [200, 409]
    assert answer["items"][1]["details"]["rule"] == "version_conflict"
    assert answer["items"][1]["details"]["current_version"] == 1


def test_each_item_has_its_own_key(db: psycopg.Connection) -> None:
    first, second = make_client(db), make_client(db)
    items = [item(first, external_id="a"), item(second, external_id="b")]
    once = call(db, "set_stages", items=items)

    again = call(db, "set_stages", items=items)

    assert [i["replayed"] for i in once["items"]] == [False, False]
    assert [i["replayed"] for i in again["items"]] == [True, True]
    assert [i["history"]["id"] for i in again["items"]] == [i["history"]["id"] for i in once["items"]]
    assert len(history_rows(db, first)) == 2


def test_a_key_of_a_single_call_and_of_an_item_are_the_same_key(db: psycopg.Connection) -> None:
    client = make_client(db)
    single = call(db, "set_stage", external_id="a", **item(client))

    answer = call(db, "set_stages", items=[item(client, external_id="a")])

    assert answer["items"][0]["replayed"] is True
    assert answer["items"][0]["history"]["id"] == single["history"]["id"]


def test_a_key_used_for_another_item_is_refused(db: psycopg.Connection) -> None:
    first, second = make_client(db), make_client(db)

    answer = call(db, "set_stages", items=[item(first, external_id="a"), item(second, external_id="a")])

    assert [i["status"] for i in answer["items"]] == [200, 409]
    assert answer["items"][1]["details"]["rule"] == "idempotency_key_reused"
    assert client_row(db, second)["version"] == 0


def test_a_key_is_used_up_by_what_was_done_only(db: psycopg.Connection) -> None:
    client = make_client(db)
    call(db, "set_stages", items=[item(client, "eom_review", external_id="a")])  # refused

    answer = call(db, "set_stages", items=[item(client, external_id="a")])

    assert answer["items"][0]["status"] == 200


def test_an_override_of_one_item_is_not_the_others(db: psycopg.Connection) -> None:
    one, other = make_client(db, "onboarding"), make_client(db, "onboarding")

    answer = call(db, "set_stages", items=[item(one, "eom_review", override=True), item(other, "eom_review")])

    assert [i["status"] for i in answer["items"]] == [200, 422]
    assert answer["items"][0]["history"]["trigger_type"] == "manual_override"


@pytest.mark.parametrize("items", [None, [], {}, "x", 7, [{}] * 1001])
def test_items_is_an_array_of_1_to_1000(db: psycopg.Connection, items: Any) -> None:
    with refused(db, "items_not_valid", 422):
        call(db, "set_stages", items=items)


def test_a_thousand_items_go_in_one_call(db: psycopg.Connection) -> None:
    db.execute("insert into clients (name, slug) select 'bulk', 'b' || n from generate_series(1, 1000) n")
    rows = db.execute("select id from clients where name = 'bulk'").fetchall()

    answer = call(db, "set_stages", items=[item(client) for (client,) in rows])

    assert (answer["done"], answer["refused"]) == (1000, 0)
    count = db.execute("select count(*) from stage_history where to_stage = 'eom_close'").fetchone()
    assert count == (1000,)


def test_scopes_of_clients_hold_for_each_item(db: psycopg.Connection) -> None:
    mine, other = make_client(db), make_client(db)
    grant(db, CLERK, "can_set_stage", {"clients": [mine]})

    answer = call(db, "set_stages", actor=CLERK, items=[item(mine), item(other)])

    assert [i["status"] for i in answer["items"]] == [200, 403]
