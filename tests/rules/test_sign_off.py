"""Out of review: the right to sign off, the eligible reviewers, the separate reviewer."""

from __future__ import annotations

import contextlib

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

CLERK, SENIOR = "user:clerk", "user:senior"
WAYS_OUT = ["weekly", "eom_close"]


@pytest.fixture
def team(db: psycopg.Connection) -> None:
    """A clerk who may move clients, a senior who may sign off."""
    grant(db, CLERK, "can_set_stage")
    grant(db, SENIOR, "can_sign_off_eom_review")


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("target", WAYS_OUT)
def test_moving_clients_is_not_signing_off(db: psycopg.Connection, target: str) -> None:
    client = make_client(db, "eom_review")

    with refused(db, "permission_missing", 403, permission="can_sign_off_eom_review"):
        move(db, client, target, actor=CLERK)


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("target", WAYS_OUT)
def test_the_right_to_sign_off_is_enough(db: psycopg.Connection, target: str) -> None:
    client = make_client(db, "eom_review")

    assert move(db, client, target, actor=SENIOR)["client"]["stage"] == target


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("target", ["paused_client", "paused_internal"])
def test_pausing_a_review_is_an_ordinary_move(db: psycopg.Connection, target: str) -> None:
    client = make_client(db, "eom_review", reviewers=["user:other"])

    with refused(db, "permission_missing", 403, permission="can_set_stage"):
        move(db, client, target, actor=SENIOR)
    assert move(db, client, target, actor=CLERK)["client"]["stage"] == target


@pytest.mark.usefixtures("team")
@pytest.mark.parametrize("target", WAYS_OUT)
def test_where_reviewers_are_named_others_may_not_sign_off(db: psycopg.Connection, target: str) -> None:
    client = make_client(db, "eom_review", reviewers=["user:partner", "user:zoe"])

    with refused(db, "not_eligible_reviewer", 403, eligible_reviewers=["user:partner", "user:zoe"]) as refusal:
        move(db, client, target, actor=SENIOR)
    assert refusal.rules == {"not_eligible_reviewer"}


@pytest.mark.usefixtures("team")
def test_being_named_is_not_enough_without_the_permission(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_review", reviewers=[CLERK])

    with refused(db, "permission_missing", 403) as refusal:
        move(db, client, "weekly", actor=CLERK)
    assert refusal.rules == {"permission_missing"}


@pytest.mark.usefixtures("team")
def test_who_is_named_and_has_the_permission_signs_off(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_review", reviewers=["user:partner", SENIOR])

    assert move(db, client, "weekly", actor=SENIOR)["client"]["stage"] == "weekly"


def test_an_admin_who_is_not_named_needs_the_override(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_review", reviewers=["user:partner"])

    with refused(db, "not_eligible_reviewer", 403):
        move(db, client, "weekly")
    answer = move(db, client, "weekly", override=True)
    assert answer["history"]["trigger_type"] == "manual_override"


@pytest.mark.usefixtures("team")
def test_an_empty_list_of_reviewers_lets_nobody_sign_off(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_review", reviewers=[])

    assert client_row(db, client)["eligible_reviewers"] == []
    with refused(db, "not_eligible_reviewer", 403):
        move(db, client, "weekly", actor=SENIOR)


@pytest.mark.usefixtures("team")
def test_a_null_among_the_reviewers_opens_nothing(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_review", reviewers=["user:partner"])

    # Either such a list is refused, or it still means what it says.
    with contextlib.suppress(psycopg.Error), db.transaction():
        db.execute("select rules.act_as(%s)", (ADMIN,))
        db.execute("update clients set eligible_reviewers = '{user:partner,null}' where id = %s", (client,))
    with refused(db, "not_eligible_reviewer", 403):
        move(db, client, "weekly", actor=SENIOR)


@pytest.fixture
def separate(db: psycopg.Connection) -> None:
    db.execute("update stage_settings set separate_reviewer = true")


@pytest.mark.usefixtures("separate")
@pytest.mark.parametrize("target", WAYS_OUT)
def test_with_a_separate_reviewer_who_moved_it_in_may_not_sign_off(db: psycopg.Connection, target: str) -> None:
    grant(db, SENIOR, "can_set_stage")
    grant(db, SENIOR, "can_sign_off_eom_review")
    client = make_client(db, "eom_close")
    move(db, client, "eom_review", actor=SENIOR)

    with refused(db, "reviewer_moved_it_in", 403) as refusal:
        move(db, client, target, actor=SENIOR)
    assert refusal.rules == {"reviewer_moved_it_in"}
    assert move(db, client, target)["client"]["stage"] == target


@pytest.mark.usefixtures("separate")
def test_with_a_separate_reviewer_only_the_latest_entry_counts(db: psycopg.Connection) -> None:
    for actor in (SENIOR, CLERK):
        grant(db, actor, "can_set_stage")
        grant(db, actor, "can_sign_off_eom_review")
    client = make_client(db, "eom_close")
    move(db, client, "eom_review", actor=SENIOR)
    move(db, client, "eom_close", actor=CLERK)
    move(db, client, "eom_review", actor=CLERK)

    with refused(db, "reviewer_moved_it_in", 403):
        move(db, client, "weekly", actor=CLERK)
    assert move(db, client, "weekly", actor=SENIOR)["client"]["stage"] == "weekly"


@pytest.mark.usefixtures("separate")
def test_pausing_a_review_and_resuming_it_does_not_wash_the_mover_clean(
    db: psycopg.Connection,
) -> None:
    for actor in (SENIOR, CLERK):
        grant(db, actor, "can_set_stage")
        grant(db, actor, "can_sign_off_eom_review")
    client = make_client(db, "eom_close")
    move(db, client, "eom_review", actor=SENIOR)
    move(db, client, "paused_client", actor=CLERK)
    move(db, client, "eom_review", actor=CLERK)  # resumed by another actor

    with refused(db, "reviewer_moved_it_in", 403):
        move(db, client, "weekly", actor=SENIOR)


@pytest.mark.usefixtures("separate")
def test_a_bulk_update_is_judged_client_by_client(db: psycopg.Connection) -> None:
    for permission in ("can_set_stage", "can_sign_off_eom_review"):
        grant(db, SENIOR, permission)
    mine, other = make_client(db, "eom_close"), make_client(db, "eom_review")
    move(db, mine, "eom_review", actor=SENIOR)

    db.execute("select rules.act_as(%s, 'sign-off')", (SENIOR,))
    with refused(db, "reviewer_moved_it_in", 403, client_id=mine):
        db.execute("update clients set stage = 'weekly' where id = any(%s)", ([other, mine],))
    db.execute("update clients set stage = 'weekly' where id = %s", (other,))
    assert client_row(db, other)["stage"] == "weekly"


def test_without_it_one_person_may_do_both(db: psycopg.Connection) -> None:
    client = make_client(db, "eom_close")
    move(db, client, "eom_review")

    assert move(db, client, "weekly")["client"]["stage"] == "weekly"


@pytest.mark.usefixtures("team", "separate")
def test_the_dry_run_knows_reviewers_and_movers(db: psycopg.Connection) -> None:
    grant(db, SENIOR, "can_set_stage")
    client = make_client(db, "eom_close", reviewers=["user:partner"])
    move(db, client, "eom_review", actor=SENIOR)

    answer = call(db, "check_stage", actor=SENIOR, client_id=client, to_stage="weekly")

    assert {r["rule"] for r in answer["refusals"]} == {
        "not_eligible_reviewer",
        "reviewer_moved_it_in",
    }


class TestSeparatePeople:
    """With separate_reviewer, no person signs off what the same person handed over, alone or through another."""

    ANA, BO, AGENT = "user:ana", "user:bo", "agent:tally"

    @pytest.fixture(autouse=True)
    def separated(self, db: psycopg.Connection) -> None:
        db.execute("update stage_settings set separate_reviewer = true")
        for actor in (self.ANA, self.BO, self.AGENT):
            grant(db, actor, "can_set_stage")
            grant(db, actor, "can_sign_off_eom_review")

    @pytest.mark.parametrize(
        ("handed", "signs", "allowed"),
        [
            ((ANA, None), (ANA, None), False),
            ((ANA, None), (BO, None), True),
            ((AGENT, ANA), (ANA, None), False),
            ((ANA, None), (AGENT, ANA), False),
            ((AGENT, ANA), (AGENT, BO), False),
            ((AGENT, ANA), (BO, None), True),
            ((ANA, None), (BO, ANA), False),
        ],
    )
    def test_a_person_in_common_forbids_it(
        self,
        db: psycopg.Connection,
        handed: tuple[str, str | None],
        signs: tuple[str, str | None],
        allowed: bool,
    ) -> None:
        client = make_client(db, "eom_close")
        move(db, client, "eom_review", actor=handed[0], on_behalf_of=handed[1])
        item = {
            "client_id": client,
            "to_stage": "weekly",
            "reason": "r",
            "expected_version": client_row(db, client)["version"],
            "on_behalf_of": signs[1],
        }
        if allowed:
            assert call(db, "set_stages", actor=signs[0], items=[item])["done"] == 1
            return
        with refused(db, "reviewer_moved_it_in", 403):
            move(db, client, "weekly", actor=signs[0], on_behalf_of=signs[1])
        refusal = call(db, "set_stages", actor=signs[0], items=[item])["items"][0]
        assert refusal["details"]["rule"] == "reviewer_moved_it_in"

    def test_a_rolled_back_hand_over_is_none(self, db: psycopg.Connection) -> None:
        client = make_client(db, "eom_close")
        move(db, client, "eom_review", actor=self.ANA)
        row = history_rows(db, client)[-1]["id"]
        call(db, "rollback", client_id=client, history_id=row, reason="r")
        move(db, client, "eom_review", actor=self.BO)

        with refused(db, "reviewer_moved_it_in", 403):
            move(db, client, "weekly", actor=self.BO)
        move(db, client, "weekly", actor=self.ANA)

    def test_rolling_back_what_was_sent_back_restores_who_handed_over(self, db: psycopg.Connection) -> None:
        client = make_client(db, "eom_close")
        move(db, client, "eom_review", actor=self.ANA)
        move(db, client, "eom_close", actor=self.BO)
        row = history_rows(db, client)[-1]["id"]
        call(db, "rollback", client_id=client, history_id=row, reason="r")

        with refused(db, "reviewer_moved_it_in", 403):
            move(db, client, "weekly", actor=self.ANA)
        move(db, client, "weekly", actor=self.BO)
