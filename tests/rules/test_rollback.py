"""Rollback: a compensating row that undoes a history row, once, while no later change depends on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    move,
    refused,
)
from tests.support.words import PERMISSIONS


def rollback(db: psycopg.Connection, client: int, row: int, **arguments: Any) -> Any:
    return call(db, "rollback", **{"client_id": client, "history_id": row, "reason": "a slip", **arguments})


def test_a_move_is_taken_back_with_its_time(connect: Callable[[], psycopg.Connection]) -> None:
    db = connect()  # autocommit: each change has its own now()
    client = make_client(db)
    before = client_row(db, client)
    moved = move(db, client, "eom_close")["history"]

    answer = rollback(db, client, moved["id"])

    after = client_row(db, client)
    assert after == before | {"version": 2}
    assert answer["changed"] is True
    row = history_rows(db, client)[-1]
    assert (row["from_stage"], row["to_stage"]) == ("eom_close", "weekly")
    assert row["trigger_type"] == "rollback"
    assert row["payload"]["rolls_back"] == moved["id"]
    assert row["reason"] == "a slip"
    assert len(history_rows(db, client)) == 3


def test_taking_back_a_pause_and_a_resume_restores_where_it_returns_to(
    db: psycopg.Connection,
) -> None:
    client = make_client(db, "cleanup")
    paused = move(db, client, "paused_client")["history"]
    resumed = move(db, client, "cleanup")["history"]

    back_in_pause = rollback(db, client, resumed["id"])["client"]
    assert (back_in_pause["stage"], back_in_pause["returning_to_stage"]) == (
        "paused_client",
        "cleanup",
    )
    # the pause can be rolled back now: the later change was itself rolled back
    working = rollback(db, client, paused["id"])["client"]
    assert (working["stage"], working["returning_to_stage"]) == ("cleanup", None)


def test_taking_back_the_swap_of_pauses_keeps_where_it_returns_to(db: psycopg.Connection) -> None:
    client = make_client(db, "paused_client", returning_to="eom_close")
    swapped = move(db, client, "paused_internal")["history"]

    after = rollback(db, client, swapped["id"])["client"]

    assert (after["stage"], after["returning_to_stage"]) == ("paused_client", "eom_close")


def test_taking_back_offboarding_needs_no_override(db: psycopg.Connection) -> None:
    client = make_client(db, "paused_internal", returning_to="weekly")
    left = move(db, client, "offboarding")["history"]

    after = rollback(db, client, left["id"])["client"]

    assert (after["stage"], after["returning_to_stage"]) == ("paused_internal", "weekly")


@pytest.mark.parametrize("function", ["set_flag", "clear_flag"])
def test_a_flag_change_is_taken_back(db: psycopg.Connection, function: str) -> None:
    client = make_client(db)
    if function == "clear_flag":
        call(db, "set_flag", client_id=client, flag="advisory_due", reason="r")
    before = client_row(db, client)
    changed = call(db, function, client_id=client, flag="advisory_due", reason="r")["history"]

    answer = rollback(db, client, changed["id"])

    assert client_row(db, client)["flags"] == before["flags"]
    row = answer["history"]
    assert (row["flag_added"], row["flag_removed"]) == (
        changed["flag_removed"],
        changed["flag_added"],
    )
    assert row["trigger_type"] == "rollback"


def test_a_job_s_flag_can_be_taken_back_by_an_admin(db: psycopg.Connection) -> None:
    client = make_client(db)
    row = call(
        db,
        "set_flag",
        actor="system:cron:flag_seasonal",
        client_id=client,
        flag="season_tax",
        reason="season",
    )["history"]

    assert rollback(db, client, row["id"])["client"]["flags"] == []


def test_taking_back_a_move_gives_back_the_stuck_that_it_removed(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_close")
    call(
        db,
        "set_flag",
        actor="system:cron:stage_stuck_detector",
        client_id=client,
        flag="stuck",
        reason="late",
    )
    before = client_row(db, client)
    moved = move(db, client, "eom_review")["history"]

    rollback(db, client, moved["id"])

    after = client_row(db, client)
    assert after["stage"] == "eom_close"
    # Restored, or left to the detector's next run; what must not be is a history that does not replay.
    flags: set[str] = set()
    for row in history_rows(db, client):
        flags |= {row["flag_added"]} - {None}
        flags -= {row["flag_removed"]}
    assert after["flags"] == sorted(flags)
    assert set(after["flags"]) <= set(before["flags"])


@pytest.mark.parametrize("permission", [p for p in PERMISSIONS if p != "can_admin"])
def test_only_an_admin_takes_back(db: psycopg.Connection, permission: str) -> None:
    client = make_client(db)
    row = move(db, client, "eom_close")["history"]
    grant(db, "user:clerk", permission)

    with refused(db, "permission_missing", 403, permission="can_admin"):
        rollback(db, client, row["id"], actor="user:clerk")


def test_a_row_is_taken_back_at_most_once(db: psycopg.Connection) -> None:
    client = make_client(db)
    row = move(db, client, "eom_close")["history"]
    rollback(db, client, row["id"])
    # … also when the same thing has been done again since
    move(db, client, "eom_close")

    with refused(db, "already_rolled_back", 409):
        rollback(db, client, row["id"])


def test_two_at_once_take_back_once(connect: Callable[[], psycopg.Connection]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    setup, first, second = connect(), connect(), connect()
    client = make_client(setup)
    row = move(setup, client, "eom_close")["history"]["id"]

    def go(session: psycopg.Connection) -> str | None:
        try:
            rollback(session, client, row)
        except psycopg.Error as error:
            return error.sqlstate
        return "done"

    with ThreadPoolExecutor() as pool:
        assert sorted(map(str, pool.map(go, (first, second)))) == ["PT409", "done"]
    assert [r["version"] for r in history_rows(setup, client)] == [0, 1, 2]


def test_a_later_move_blocks_and_is_named(db: psycopg.Connection) -> None:
    client = make_client(db)
    first = move(db, client, "eom_close")["history"]
    second = move(db, client, "eom_review")["history"]

    with refused(db, "rollback_blocked", 409, blocking_history_id=second["id"]):
        rollback(db, client, first["id"])


def test_the_latest_of_several_later_moves_is_the_one_to_take_back_first(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    rows = [move(db, client, stage)["history"]["id"] for stage in ("eom_close", "eom_review", "weekly")]

    with refused(db, "rollback_blocked", 409) as refusal:
        rollback(db, client, rows[0])
    assert refusal.details["blocking_history_id"] in rows[1:]
    for row in reversed(rows):
        rollback(db, client, row)
    assert client_row(db, client)["stage"] == "weekly"
    assert client_row(db, client)["version"] == 6


def test_a_later_change_of_the_same_flag_blocks(db: psycopg.Connection) -> None:
    client = make_client(db)
    arguments = {"client_id": client, "flag": "advisory_due", "reason": "r"}
    first = call(db, "set_flag", **arguments)["history"]
    second = call(db, "clear_flag", **arguments)["history"]

    with refused(db, "rollback_blocked", 409, blocking_history_id=second["id"]):
        rollback(db, client, first["id"])


def test_a_later_change_of_something_else_does_not_block(db: psycopg.Connection) -> None:
    client = make_client(db)
    moved = move(db, client, "eom_close")["history"]
    flagged = call(db, "set_flag", client_id=client, flag="advisory_due", reason="r")["history"]
    call(db, "set_flag", client_id=client, flag="client_blocking", reason="r")
    call(db, "update_client", client_id=client, notes="n", reason="r")

    assert rollback(db, client, moved["id"])["client"]["stage"] == "weekly"
    after = rollback(db, client, flagged["id"])["client"]
    assert after["flags"] == ["client_blocking"]
    assert after["stage_notes"] == "n"


def test_what_was_taken_back_and_done_again_blocks(db: psycopg.Connection) -> None:
    client = make_client(db)
    first = move(db, client, "eom_close")["history"]
    second = move(db, client, "eom_review")["history"]
    rollback(db, client, second["id"])
    third = move(db, client, "eom_review")["history"]

    with refused(db, "rollback_blocked", 409, blocking_history_id=third["id"]):
        rollback(db, client, first["id"])


def test_the_first_row_and_a_rollback_are_not_reversible(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    begin = history_rows(db, client)[0]["id"]
    moved = move(db, client, "eom_close")["history"]["id"]
    undone = rollback(db, client, moved)["history"]["id"]

    for row in (begin, undone):
        with refused(db, "not_reversible", 422):
            rollback(db, client, row)


def test_the_fields_of_a_change_get_their_former_values(db: psycopg.Connection) -> None:
    client = make_client(db, owner="user:ana", tier="full_service")
    before = client_row(db, client)
    row = call(
        db,
        "update_client",
        client_id=client,
        owner="user:ben",
        collaborators=["user:eve"],
        notes="n",
        active=False,
    )["history"]["id"]
    call(db, "update_client", client_id=client, cadence="annual")  # another field

    rollback(db, client, row)

    assert client_row(db, client) == before | {"version": 3, "close_cadence": "annual"}
    with refused(db, "already_rolled_back", 409):
        rollback(db, client, row)


def test_a_later_change_of_one_of_the_fields_blocks_until_it_is_rolled_back(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    first = call(db, "update_client", client_id=client, owner="user:ana", notes="n")["history"]
    second = call(db, "update_client", client_id=client, clear=["owner"])["history"]

    with refused(db, "rollback_blocked", 409, blocking_history_id=second["id"]):
        rollback(db, client, first["id"])
    rollback(db, client, second["id"])
    rollback(db, client, first["id"])

    row = client_row(db, client)
    assert (row["stage_owner"], row["stage_notes"]) == (None, None)


def test_erased_words_dont_come_back(db: psycopg.Connection) -> None:
    client = make_client(db)
    notes = call(db, "update_client", client_id=client, notes="private")["history"]["id"]
    both = call(db, "update_client", client_id=client, notes="more", owner="user:ana")["history"]["id"]
    call(db, "erase_words", client_id=client, reason="asked to")

    with refused(db, "not_reversible", 422):
        rollback(db, client, notes)
    rollback(db, client, both)
    assert client_row(db, client)["stage_owner"] is None
    assert client_row(db, client)["stage_notes"] is None


def test_a_move_of_an_inactive_client_is_not_taken_back(db: psycopg.Connection) -> None:
    client = make_client(db)
    moved = move(db, client, "eom_close")["history"]["id"]
    flagged = call(db, "set_flag", client_id=client, flag="advisory_due", reason="r")["history"]["id"]
    call(db, "update_client", client_id=client, active=False, reason="r")

    with refused(db, "client_inactive", 422):
        rollback(db, client, moved)
    # a flag is not a move
    assert rollback(db, client, flagged)["client"]["flags"] == []


@pytest.mark.parametrize("row", [0, -1, 2**63 - 1, -(2**63)])
def test_a_row_that_does_not_exist(db: psycopg.Connection, row: int) -> None:
    client = make_client(db)

    with refused(db, "history_not_found", 404):
        rollback(db, client, row)


def test_a_row_of_another_client_is_not_found(db: psycopg.Connection) -> None:
    client, other = make_client(db), make_client(db)
    row = move(db, other, "eom_close")["history"]

    with refused(db, "history_not_found", 404):
        rollback(db, client, row["id"])
    assert client_row(db, other)["stage"] == "eom_close"


def test_a_client_that_does_not_exist(db: psycopg.Connection) -> None:
    with refused(db, "client_not_found", 404):
        rollback(db, 0, 1)


@pytest.mark.parametrize("reason", [None, "", " \n"])
def test_needs_a_reason(db: psycopg.Connection, reason: str | None) -> None:
    client = make_client(db)
    row = move(db, client, "eom_close")["history"]

    with refused(db, "reason_required", 422):
        rollback(db, client, row["id"], reason=reason)


@pytest.mark.parametrize(("reason", "rule"), [("x" * 2001, "text_too_long"), ("a\x07b", "text_not_clean")])
def test_its_reason_is_clean_and_short(db: psycopg.Connection, reason: str, rule: str) -> None:
    client = make_client(db)
    row = move(db, client, "eom_close")["history"]

    with refused(db, rule, 422, field="reason"):
        rollback(db, client, row["id"], reason=reason)


def test_is_repeatable_by_key(db: psycopg.Connection) -> None:
    client = make_client(db)
    row = move(db, client, "eom_close")["history"]["id"]

    first = rollback(db, client, row, external_id="undo-1")
    second = rollback(db, client, row, external_id="undo-1")

    assert second == first | {"replayed": True}
    assert client_row(db, client)["version"] == 2


def test_a_rollback_is_a_change_of_its_own_for_version_checks(db: psycopg.Connection) -> None:
    client = make_client(db)
    row = move(db, client, "eom_close")["history"]["id"]
    rollback(db, client, row)

    with refused(db, "version_conflict", 409, current_version=2):
        move(db, client, "eom_close", expected_version=0)


def test_an_override_and_a_plain_update_can_be_taken_back_too(db: psycopg.Connection) -> None:
    client = make_client(db, "onboarding")
    override = move(db, client, "eom_review", override=True)["history"]["id"]
    assert rollback(db, client, override)["client"]["stage"] == "onboarding"

    db.execute("select rules.act_as('user:jimmie', 'by hand')")
    db.execute("update clients set stage = 'weekly' where id = %s", (client,))
    plain = history_rows(db, client)[-1]["id"]
    assert rollback(db, client, plain)["client"]["stage"] == "onboarding"


@pytest.mark.parametrize("stage", ["eom_close", "eom_review"])
@pytest.mark.parametrize(("to_stage", "override"), [("offboarding", False), ("weekly", True), ("cleanup", True)])
def test_a_client_that_left_a_paused_close_returns_to_it(
    db: psycopg.Connection, stage: str, to_stage: str, override: bool
) -> None:
    client = make_client(db, "paused_client", returning_to=stage)
    before = client_row(db, client)
    move(db, client, to_stage, override=override)
    rollback(db, client, history_rows(db, client)[-1]["id"])

    assert client_row(db, client) == before | {"version": before["version"] + 2}
