"""Undo: an actor's own newest change, and the changes of its own batch, for the minutes in the settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import (
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    move,
    refused,
    version,
)

ANA, BEN = "user:ana", "user:ben"


@pytest.fixture(autouse=True)
def bookkeepers(db: psycopg.Connection) -> None:
    for actor in (ANA, BEN):
        grant(db, actor, "can_set_stage")
        grant(db, actor, "can_set_flag")


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    return make_client(db)


def undo(db: psycopg.Connection, client: int, actor: str = ANA, **arguments: Any) -> Any:
    arguments.setdefault("expected_version", version(db, client))
    return call(db, "undo", actor=actor, client_id=client, **arguments)


def set_stages(db: psycopg.Connection, clients: list[int], to: str = "eom_close") -> Any:
    items = [
        {"client_id": each, "to_stage": to, "reason": "r", "expected_version": version(db, each)} for each in clients
    ]
    return call(db, "set_stages", actor=ANA, items=items)


def test_a_misclick_is_undone_by_the_actor_that_made_it(db: psycopg.Connection, client: int) -> None:
    before = client_row(db, client)
    move(db, client, "eom_close", actor=ANA)
    answer = undo(db, client)

    assert client_row(db, client) == before | {"version": 2}
    row = history_rows(db, client)[-1]
    assert (row["trigger_type"], row["actor_id"], row["reason"]) == ("rollback", ANA, None)
    assert (answer["changed"], answer["history"]["payload"]) == (
        True,
        {"rolls_back": history_rows(db, client)[-2]["id"]},
    )


@pytest.mark.parametrize("function", ["set_flag", "clear_flag"])
def test_a_flag_too(db: psycopg.Connection, client: int, function: str) -> None:
    if function == "clear_flag":
        call(db, "set_flag", client_id=client, flag="advisory_due")
    before = client_row(db, client)["flags"]
    call(db, function, actor=ANA, client_id=client, flag="advisory_due")
    undo(db, client)

    assert client_row(db, client)["flags"] == before


def test_no_other_actor_can(db: psycopg.Connection, client: int) -> None:
    move(db, client, "eom_close", actor=ANA)
    for other in (BEN, "user:jimmie"):
        with refused(db, "undo_not_yours", 403, made_by=ANA):
            undo(db, client, other)


@pytest.mark.parametrize(("minutes", "later", "can"), [(10, 9, True), (10, 11, False), (0, 0, False)])
def test_it_can_be_undone_for_the_minutes_in_the_settings(
    db: psycopg.Connection, client: int, minutes: int, later: int, can: bool
) -> None:
    db.execute("update stage_settings set undo_minutes = %s", (minutes,))
    move(db, client, "eom_close", actor=ANA)
    with clock.at(db, timedelta(minutes=later)):
        if can:
            undo(db, client)
        else:
            with refused(db, "undo_too_late", 403, minutes=minutes):
                undo(db, client)


def test_a_change_that_another_actor_followed_is_a_conflict(db: psycopg.Connection, client: int) -> None:
    move(db, client, "eom_close", actor=ANA)
    call(db, "set_flag", actor=BEN, client_id=client, flag="client_blocking")
    with refused(db, "version_conflict", 409, current_version=2):
        undo(db, client, expected_version=1)
    with refused(db, "undo_not_yours", 403):
        undo(db, client)


def test_an_undo_is_not_undone(db: psycopg.Connection, client: int) -> None:
    move(db, client, "eom_close", actor=ANA)
    undo(db, client)
    with refused(db, "not_reversible", 422):
        undo(db, client)


def test_a_repeated_undo_gets_the_first_answer(db: psycopg.Connection, client: int) -> None:
    move(db, client, "eom_close", actor=ANA)
    first = undo(db, client, expected_version=1, external_id="k")

    assert undo(db, client, expected_version=1, external_id="k") == first | {"replayed": True}
    assert version(db, client) == 2


@pytest.mark.parametrize("asked", [None, 99, -1])
def test_a_version_that_is_not_the_newest_undoes_nothing(
    db: psycopg.Connection, client: int, asked: int | None
) -> None:
    move(db, client, "eom_close", actor=ANA)
    rule, status = ("expected_version_required", 422) if asked is None else ("version_conflict", 409)
    with refused(db, rule, status):
        undo(db, client, expected_version=asked)
    with refused(db, "client_not_found", 404):
        call(db, "undo", actor=ANA, client_id=10**9, expected_version=1)


def test_a_bulk_move_is_undone_in_one_call(db: psycopg.Connection) -> None:
    clients = [make_client(db) for _ in range(4)]
    before = [client_row(db, each) for each in clients]
    batch = set_stages(db, clients)["batch"]
    later = move(db, clients[0], "eom_review", actor=BEN)["history"]["id"]
    call(db, "set_flag", actor=BEN, client_id=clients[1], flag="advisory_due")  # no hindrance

    answer = call(db, "undo_batch", actor=ANA, batch=batch)

    assert answer["batch"] == batch
    assert answer["rolled_back"] == 3
    assert [(each["client_id"], each["rule"], each["blocking_history_id"]) for each in answer["left"]] == [
        (clients[0], "rollback_blocked", later)
    ]
    after = [client_row(db, each)["stage"] for each in clients]
    assert after == ["eom_review", *(each["stage"] for each in before[1:])]


def test_a_batch_of_flags_and_one_with_a_client_twice(db: psycopg.Connection) -> None:
    client = make_client(db)
    flags = [{"client_id": client, "flag": flag, "set": True} for flag in ("advisory_due", "client_blocking")]
    batch = call(db, "set_flags", actor=ANA, items=flags)["batch"]
    assert call(db, "undo_batch", actor=ANA, batch=batch)["rolled_back"] == 2
    assert client_row(db, client)["flags"] == []


def test_a_batch_that_changed_nothing_has_nothing_to_undo(db: psycopg.Connection, client: int) -> None:
    assert set_stages(db, [client], "eom_review")["batch"] is None
    with refused(db, "batch_not_found", 404):
        call(db, "undo_batch", actor=ANA, batch=str(uuid4()))


def test_another_s_batch_is_an_admin_s_to_roll_back_at_any_time(db: psycopg.Connection, client: int) -> None:
    batch = set_stages(db, [client])["batch"]
    with refused(db, "undo_not_yours", 403):
        call(db, "undo_batch", actor=BEN, batch=batch)
    with clock.at(db, timedelta(days=3)):
        with refused(db, "undo_too_late", 403):
            call(db, "undo_batch", actor=ANA, batch=batch)
        with refused(db, "permission_missing", 403):
            call(db, "rollback_batch", actor=ANA, batch=batch, reason="r")
        answer = call(db, "rollback_batch", batch=batch, reason="three clicks too many")

    assert (answer["rolled_back"], answer["left"]) == (1, [])
    assert client_row(db, client)["stage"] == "weekly"
    again = call(db, "rollback_batch", batch=batch, reason="again")
    assert [each["rule"] for each in again["left"]] == ["already_rolled_back"]


def test_only_the_rows_of_one_call_are_a_batch(db: psycopg.Connection) -> None:
    first, second = make_client(db), make_client(db)
    one, two = set_stages(db, [first])["batch"], set_stages(db, [second])["batch"]
    call(db, "undo_batch", actor=ANA, batch=two)

    assert one != two
    assert [client_row(db, each)["stage"] for each in (first, second)] == ["eom_close", "weekly"]


def test_a_refused_caller_locks_nothing(connect: Any) -> None:
    with connect() as db:
        for actor in (ANA, BEN):
            grant(db, actor, "can_set_stage")
        client = make_client(db)
        move(db, client, "eom_close", actor=ANA)
        db.commit()
        with db.transaction(force_rollback=True), refused(db, "undo_not_yours", 403):
            call(db, "undo", actor=BEN, client_id=client, expected_version=1)
            with connect() as other:
                other.execute("select from clients where id = %s for update nowait", (client,))
