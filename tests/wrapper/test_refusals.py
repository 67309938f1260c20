"""What goes wrong is named after the rule that refused, over every way there is."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pytest

from atlas_stage import (
    Conflict,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    PermissionDenied,
    ReasonRequired,
    RollbackBlocked,
    RuleViolation,
    Stage,
    StageError,
    TransitionNotAllowed,
    Transport,
    UnknownFlag,
    UnknownStage,
    VersionConflict,
)
from atlas_stage.models import Client
from tests.support.stack import ADMIN, As
from tests.wrapper.conftest import move


@pytest.fixture
def stage(shared_stage: Stage) -> Stage:
    return shared_stage


@pytest.fixture
def client(another_client: Client) -> Client:
    return another_client


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "expected", "rule"),
        [
            ({"expected_version": 0}, VersionConflict, "version_conflict"),
            ({"expected_version": None}, RuleViolation, "expected_version_required"),
            ({"to_stage": "nowhere"}, UnknownStage, "unknown_stage"),
            ({"to_stage": "eom_review"}, TransitionNotAllowed, "transition_not_allowed"),
            ({"reason": " \t"}, ReasonRequired, "reason_required"),
            ({"reason": "x" * 1_000_000}, RuleViolation, "text_too_long"),
            ({"reason": "bell \a"}, RuleViolation, "text_not_clean"),
            ({"channel": "fax"}, RuleViolation, "unknown_channel"),
            ({"payload": [1]}, InvalidInput, "invalid_input"),
        ],
    )
    def test_a_refused_move_raises_the_rule_and_changes_nothing(
        self,
        stage: Stage,
        client: Client,
        arguments: dict[str, Any],
        expected: type[StageError],
        rule: str,
    ) -> None:
        move = {
            "to_stage": "eom_close",
            "reason": "month end",
            "expected_version": client.version,
        }
        with pytest.raises(expected) as caught:
            stage.set_stage(client.id, **{**move, **arguments})
        assert caught.value.rule == rule
        assert stage.client(client.id).client == client

    def test_a_conflict_gives_the_current_version(self, stage: Stage, client: Client) -> None:
        with pytest.raises(VersionConflict) as caught:
            stage.set_stage(client.id, to_stage="eom_close", reason="x", expected_version=0)
        assert caught.value.details["current_version"] == client.version
        assert caught.value.status == 409
        assert str(caught.value).startswith("Someone changed Blue Heron")

    def test_a_forbidden_move_names_the_allowed_ones(self, stage: Stage, client: Client) -> None:
        with pytest.raises(TransitionNotAllowed) as caught:
            move(stage, client, "eom_review")
        assert "eom_close" in caught.value.details["allowed_stages"]
        assert "EOM close" in str(caught.value)

    def test_a_missing_permission_is_named(self, as_actor: As) -> None:
        client = as_actor(ADMIN).create_client("Blue Heron", slug="blue-heron").client
        with pytest.raises(PermissionDenied) as caught:
            move(as_actor("agent:tally"), client, "weekly")
        assert caught.value.details["permission"] == "can_set_stage"
        assert caught.value.hint

    def test_all_failing_rules_are_in_the_line(self, stage: Stage, client: Client) -> None:
        asleep = stage.update_client(client.id, active=False).client
        with pytest.raises(RuleViolation) as caught:
            move(stage, asleep, "eom_review")
        assert {each["rule"] for each in caught.value.details["refusals"]} == {
            "transition_not_allowed",
            "client_inactive",
        }
        assert " Also: " in str(caught.value)

    def test_what_is_not_there_is_not_found(self, stage: Stage, client: Client) -> None:
        for call in (
            lambda: stage.client(999_999),
            lambda: stage.client(-1),
            lambda: stage.rollback(client.id, history_id=999_999, reason="x"),
            lambda: stage.revoke_permission(999_999),
            lambda: stage.revoke_token("0123456789ab"),
        ):
            with pytest.raises(NotFound):
                call()

    def test_conflicts_have_their_classes(self, stage: Stage, client: Client) -> None:
        stage.set_flag(client.id, flag="advisory_due", external_id=client.slug)
        with pytest.raises(IdempotencyKeyReused):
            stage.set_flag(client.id, flag="client_blocking", external_id=client.slug)
        with pytest.raises(Conflict):
            stage.create_client("Again", slug=client.slug)
        first = move(stage, stage.client(client.id).client, "eom_close")
        row = stage.client(client.id).history
        assert row is not None
        move(stage, first, "eom_review")
        with pytest.raises(RollbackBlocked) as caught:
            stage.rollback(client.id, history_id=row.id, reason="x")
        assert caught.value.details["blocking_history_id"] > row.id

    def test_an_unknown_flag_has_its_class(self, stage: Stage, client: Client) -> None:
        with pytest.raises(UnknownFlag):
            stage.set_flag(client.id, flag="purple")


class TestValuesThatCannotBeSent:
    @pytest.mark.parametrize("value", [7.0, 1.5, True, 2**63, -(2**63) - 1, 10**100, [7]])
    def test_a_client_is_a_whole_number_or_text(self, stage: Stage, value: Any) -> None:
        with pytest.raises(InvalidInput, match="client_id"):
            stage.client(value)

    @pytest.mark.parametrize("value", ["nul\0", "lone \ud800", 7, b"bytes"])
    def test_text_is_clean_text(self, stage: Stage, client: Client, value: Any) -> None:
        with pytest.raises(InvalidInput):
            stage.set_flag(client.id, flag="advisory_due", reason=value)

    @pytest.mark.parametrize("value", [{"x": math.nan}, {"x": {1, 2}}, {"x": "\0"}, {"x": "\ud800"}, {"x": 10**5000}])
    def test_a_payload_is_json(self, stage: Stage, client: Client, value: Any) -> None:
        with pytest.raises(StageError) as caught:
            stage.set_flag(client.id, flag="advisory_due", payload=value)
        assert caught.value.status in {400, 422}

    def test_an_endless_payload_is_refused(self, stage: Stage, client: Client) -> None:
        endless: dict[str, Any] = {}
        endless["again"] = endless
        with pytest.raises(InvalidInput):
            stage.set_flag(client.id, flag="advisory_due", payload=endless)

    def test_an_expiry_has_a_time_zone(self, stage: Stage) -> None:
        with pytest.raises(InvalidInput, match="expires_at"):
            stage.issue_token("agent:tally", expires_at=datetime(2030, 1, 1))

    def test_numbers_beyond_the_sql_type_are_refused(self, stage: Stage) -> None:
        with pytest.raises(InvalidInput):
            stage.clients(page_size=2**40)

    def test_an_unknown_argument_is_refused(self, stage: Stage) -> None:
        with pytest.raises(InvalidInput):
            _transport(stage).call("client", {"client_id": 1, "colour": "blue"}, read=True)

    def test_an_unknown_function_is_refused(self, stage: Stage) -> None:
        with pytest.raises((InvalidInput, NotFound)):
            _transport(stage).call("drop_everything", {}, read=False)


def _transport(stage: Stage) -> Transport:
    return vars(stage)["_transport"]
