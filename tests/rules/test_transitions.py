"""Transitions: every pair of stages, by the table of section 4."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import psycopg
import pytest

from tests.support.calls import (
    ADMIN,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    move,
    refused,
)
from tests.support.words import PAUSES, STAGES, WORKING, permission_for, stages_after

PAIRS = [(start, target) for start in STAGES for target in STAGES]
MOVES = [pair for pair in PAIRS if pair[1] in stages_after(pair[0], "cleanup")]
CLERK = "user:clerk"


@pytest.mark.parametrize(("start", "target"), PAIRS)
def test_a_move_is_allowed_exactly_where_the_table_allows_it(db: psycopg.Connection, start: str, target: str) -> None:
    client = make_client(db, start, returning_to="cleanup")
    allowed = stages_after(start, "cleanup")

    if target in allowed:
        answer = move(db, client, target)
        assert answer["client"]["stage"] == target
        assert answer["changed"] is True
        assert client_row(db, client)["stage"] == target
    else:
        before = client_row(db, client)
        with refused(
            db,
            "transition_not_allowed",
            422,
            from_stage=start,
            to_stage=target,
            allowed_stages=sorted(allowed),
        ):
            move(db, client, target)
        assert client_row(db, client) == before


@pytest.mark.parametrize(("start", "target"), PAIRS)
def test_the_dry_run_says_what_the_move_would(db: psycopg.Connection, start: str, target: str) -> None:
    client = make_client(db, start, returning_to="cleanup")
    allowed = stages_after(start, "cleanup")

    answer = call(db, "check_stage", client_id=client, to_stage=target)

    assert answer["allowed"] is (target in allowed)
    assert [r["rule"] for r in answer["refusals"]] == ([] if target in allowed else ["transition_not_allowed"])
    assert answer["allowed_stages"] == sorted(allowed)


@pytest.mark.parametrize(("start", "target"), PAIRS)
def test_a_plain_update_meets_the_same_table(db: psycopg.Connection, start: str, target: str) -> None:
    client = make_client(db, start, returning_to="cleanup")
    statement = "update clients set stage = %s where id = %s"

    db.execute("select rules.act_as(%s, 'by hand')", (ADMIN,))
    if start == target:
        db.execute(statement, (target, client))  # says nothing new
        assert len(history_rows(db, client)) == client_row(db, client)["version"] + 1
    elif target in stages_after(start, "cleanup"):
        db.execute(statement, (target, client))
        assert client_row(db, client)["stage"] == target
    else:
        with refused(db, "transition_not_allowed", 422, from_stage=start, to_stage=target):
            db.execute(statement, (target, client))


@pytest.mark.parametrize(("start", "target"), MOVES)
def test_a_move_needs_the_permission_of_the_table(db: psycopg.Connection, start: str, target: str) -> None:
    client = make_client(db, start, returning_to="cleanup")
    needed = permission_for(start, target)
    for permission in (
        "can_read_clients",
        "can_set_stage",
        "can_set_flag",
        "can_sign_off_eom_review",
        "can_offboard",
    ):
        if permission != needed:
            grant(db, CLERK, permission)

    with refused(db, "permission_missing", 403, permission=needed):
        move(db, client, target, actor=CLERK)

    grant(db, CLERK, needed)
    assert move(db, client, target, actor=CLERK)["client"]["stage"] == target


def test_an_unknown_stage_is_named_with_the_known_ones(db: psycopg.Connection) -> None:
    client = make_client(db)

    with refused(db, "unknown_stage", 422) as refusal:
        move(db, client, "holiday")

    assert set(refusal.details["known"]) == set(STAGES)


@pytest.mark.parametrize("stage", ["", " ", "WEEKLY", "weekly ", "x" * 100_000, "wéekly", "null"])
def test_a_stage_is_one_of_the_words_to_the_letter(db: psycopg.Connection, stage: str) -> None:
    client = make_client(db, "eom_review")

    with refused(db, "unknown_stage", 422):
        move(db, client, stage)


def test_every_move_stamps_when_it_was_entered_and_takes_the_next_version(
    connect: Callable[[], psycopg.Connection],
) -> None:
    db = connect()  # autocommit: each change has its own now()
    client = make_client(db)
    before = client_row(db, client)

    answer = move(db, client, "eom_close")

    after = client_row(db, client)
    assert after["version"] == before["version"] + 1
    assert after["stage_entered_at"] > before["stage_entered_at"]
    assert answer["client"]["version"] == after["version"]
    assert answer["history"]["version"] == after["version"]
    assert history_rows(db, client)[-1]["occurred_at"] == after["stage_entered_at"]


@pytest.mark.parametrize("change", ["flag", "field"])
def test_what_is_no_move_does_not_touch_when_the_stage_was_entered(
    connect: Callable[[], psycopg.Connection], change: str
) -> None:
    db = connect()
    client = make_client(db)
    before = client_row(db, client)

    if change == "flag":
        call(db, "set_flag", client_id=client, flag="advisory_due", reason="r")
    else:
        call(db, "update_client", client_id=client, notes="n", reason="r")

    assert client_row(db, client)["stage_entered_at"] == before["stage_entered_at"]


def test_a_caller_cannot_choose_when_the_stage_was_entered(db: psycopg.Connection) -> None:
    client = make_client(db)

    db.execute("select rules.act_as(%s)", (ADMIN,))
    db.execute(
        "update clients set stage = 'eom_close', stage_entered_at = '2001-01-01' where id = %s",
        (client,),
    )

    row = db.execute("select stage_entered_at = now() from clients where id = %s", (client,)).fetchone()
    assert row == (True,)


def test_moving_removes_stuck_and_keeps_the_other_flags(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_close")
    call(db, "set_flag", client_id=client, flag="client_blocking", reason="r")
    call(
        db,
        "set_flag",
        actor="system:cron:stage_stuck_detector",
        client_id=client,
        flag="stuck",
        reason="late",
    )
    assert client_row(db, client)["flags"] == ["client_blocking", "stuck"]
    version = client_row(db, client)["version"]

    move(db, client, "eom_review")

    after = client_row(db, client)
    assert after["flags"] == ["client_blocking"]
    assert after["version"] == version + 1


# Pauses


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("start", WORKING)
def test_a_pause_remembers_where_the_client_came_from_and_resuming_forgets_it(
    db: psycopg.Connection, start: str, pause: str
) -> None:
    client = make_client(db, start)

    paused = move(db, client, pause)["client"]
    assert paused["returning_to_stage"] == start

    resumed = move(db, client, start)["client"]
    assert resumed["stage"] == start
    assert resumed["returning_to_stage"] is None


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("start", WORKING)
def test_a_paused_client_resumes_nowhere_else(db: psycopg.Connection, start: str, pause: str) -> None:
    client = make_client(db, pause, returning_to=start)

    for target in WORKING:
        if target != start:
            with refused(db, "transition_not_allowed", 422):
                move(db, client, target)


def test_swapping_pauses_keeps_where_the_client_came_from(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_close")

    move(db, client, "paused_client")
    move(db, client, "paused_internal")
    swapped = move(db, client, "paused_client")["client"]

    assert swapped["returning_to_stage"] == "eom_close"


def test_leaving_from_a_pause_forgets_where_the_client_came_from(db: psycopg.Connection) -> None:
    client = make_client(db, "paused_client", returning_to="cleanup")

    assert move(db, client, "offboarding")["client"]["returning_to_stage"] is None


def test_resuming_into_review_needs_no_sign_off(db: psycopg.Connection) -> None:
    client = make_client(db, "paused_client", returning_to="eom_review")
    grant(db, CLERK, "can_set_stage")

    assert move(db, client, "eom_review", actor=CLERK)["client"]["stage"] == "eom_review"


def test_where_a_paused_client_returns_to_is_not_for_a_caller_to_write(
    db: psycopg.Connection,
) -> None:
    client = make_client(db, "paused_client", returning_to="eom_review")
    grant(db, CLERK, "can_set_stage")

    db.execute("select rules.act_as(%s)", (CLERK,))
    with pytest.raises(psycopg.Error), db.transaction():
        db.execute(
            "update clients set stage = 'weekly', returning_to_stage = 'weekly' where id = %s",
            (client,),
        )
    with contextlib.suppress(psycopg.Error), db.transaction():
        db.execute("update clients set returning_to_stage = 'weekly' where id = %s", (client,))
    assert client_row(db, client)["returning_to_stage"] == "eom_review"


def test_a_client_that_does_not_exist_is_not_found(db: psycopg.Connection) -> None:
    for client in (0, -1, 999_999_999, 2**63 - 1, -(2**63)):
        with refused(db, "client_not_found", 404, client_id=client):
            move(db, client, "weekly", expected_version=0)
        with refused(db, "client_not_found", 404):
            call(db, "check_stage", client_id=client, to_stage="weekly")
        with refused(db, "client_not_found", 404):
            call(db, "client", client_id=client)
        with refused(db, "client_not_found", 404):
            call(db, "stage_history", client_id=client)


# Inactive clients


@pytest.mark.parametrize("target", ["eom_close", "paused_client", "offboarding"])
def test_an_inactive_client_does_not_move(db: psycopg.Connection, target: str) -> None:
    client = make_client(db, active=False)

    with refused(db, "client_inactive", 422):
        move(db, client, target)


def test_an_inactive_client_moves_again_when_it_is_active(db: psycopg.Connection) -> None:
    client = make_client(db, active=False)

    call(db, "update_client", client_id=client, active=True, reason="back")

    assert move(db, client, "eom_close")["client"]["stage"] == "eom_close"


def test_one_update_cannot_make_a_client_active_and_move_it(db: psycopg.Connection) -> None:
    # The facts are those before the change: otherwise the rule could be skipped in one statement.
    client = make_client(db, active=False)

    db.execute("select rules.act_as(%s)", (ADMIN,))
    with refused(db, "client_inactive", 422):
        db.execute("update clients set active = true, stage = 'eom_close' where id = %s", (client,))


def test_one_update_cannot_change_the_reviewers_and_sign_off(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_review", reviewers=["user:senior"])
    grant(db, CLERK, "can_sign_off_eom_review")
    grant(db, CLERK, "can_set_stage")

    db.execute("select rules.act_as(%s)", (CLERK,))
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute(
            "update clients set eligible_reviewers = null, stage = 'weekly' where id = %s",
            (client,),
        )
    assert caught.value.sqlstate == "PT403"


def test_every_rule_that_fails_is_named(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_review", active=False, reviewers=["user:senior"])

    with refused(db, "permission_missing", 403) as refusal:
        move(db, client, "weekly", actor=CLERK)

    assert refusal.rules == {"permission_missing", "not_eligible_reviewer", "client_inactive"}


def test_the_refusal_of_a_dry_run_names_every_rule_too(db: psycopg.Connection) -> None:
    client = make_client(db, "onboarding", active=False)

    answer = call(db, "check_stage", actor=CLERK, client_id=client, to_stage="eom_review")

    assert {r["rule"] for r in answer["refusals"]} == {
        "permission_missing",
        "transition_not_allowed",
        "client_inactive",
    }
    assert {r["rule"]: r["status"] for r in answer["refusals"]}["permission_missing"] == 403
