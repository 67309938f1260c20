"""Answers and errors as Python has them."""

from __future__ import annotations

import httpx
import pytest

from atlas_stage import (
    Conflict,
    InvalidInput,
    Stage,
    StageError,
    UnknownStage,
)
from atlas_stage.errors import from_refusal
from atlas_stage.models import Client, HistoryRow, counts_in_words
from atlas_stage.transports.http import WHOAMI


class TestRecords:
    def test_keys_of_a_newer_database_are_ignored(self, client: Client) -> None:
        assert Client.from_json({**client.as_json(), "mood": "sunny"}) == client

    def test_records_turn_into_json_and_back(self, stage: Stage, client: Client) -> None:
        (row, *_) = stage.iter_history(client.id)
        assert HistoryRow.from_json(row.as_json()) == row

    def test_an_instant_beyond_the_calendar_is_the_last(self, client: Client) -> None:
        end = Client.from_json({**client.as_json(), "stage_entered_at": "infinity"})
        assert end.stage_entered_at.year == 9999

    def test_an_error_is_one_printable_line(self) -> None:
        error = from_refusal(
            "PT422",
            "no such stage",
            {"rule": "unknown_stage", "stage": "\x1b[31m\n\u202ered", "more": {"deep": 1}},
        )
        assert str(error) == r"no such stage (stage: \x1b[31m\n\u202ered)"
        assert isinstance(error, UnknownStage)

    def test_a_run_says_what_it_changed_and_whom_it_left(self) -> None:
        named = {"number": 11, "clients": [{"id": n, "slug": f"c-{n}"} for n in range(11)]}
        counts = {"moved": 1234, "unchanged": 3, "skipped": {"client_inactive": 2}, "failed": 1, "paused": named}
        assert counts_in_words(counts) == (
            "moved 1,234, unchanged 3, skipped 2 (client_inactive 2), failed 1,"
            " paused 11 (c-0, c-1, c-2, c-3, c-4, c-5, c-6, c-7, c-8, c-9, …)"
        )
        assert counts_in_words({}) == "changed nothing"

    def test_a_new_rule_falls_back_to_its_status(self) -> None:
        assert type(from_refusal("PT409", "x", {"rule": "brand_new"})) is Conflict
        assert type(from_refusal("PT418", "x")) is StageError

    @pytest.mark.parametrize("status", [400, 405, 413, 415])
    def test_what_the_gateway_does_not_let_through_is_invalid_input(self, status: int) -> None:
        assert type(from_refusal(f"PT{status}", "x", {"rule": "brand_new"})) is InvalidInput

    @pytest.mark.parametrize("body", ["[" * 100_000, '{"code": "PTABC"}', '{"code": "PT422", "details": {"rule": []}}'])
    def test_an_answer_of_any_other_program_is_an_error_of_ours(self, body: str) -> None:
        with pytest.raises(StageError):
            WHOAMI.read(httpx.Response(422, text=body))
