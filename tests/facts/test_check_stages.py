"""check_stages returns the same for many clients as for each of them alone."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import ADMIN, call, grant, make_client, move
from tests.support.words import STAGES

WORKER = "user:worker"


def allowed(db: psycopg.Connection, *clients: int, actor: str = WORKER) -> dict[int, dict[str, Any]]:
    answer = call(db, "check_stages", actor=actor, client_ids=list(clients))
    return {each["client_id"]: each for each in answer["clients"]}


def moves(told: dict[str, Any]) -> set[str]:
    return {each["to_stage"] for each in told["moves"]}


@pytest.mark.parametrize(
    "scope",
    [None, {"to": ["eom_close"]}, {"from": ["weekly"]}, {"service_tiers": ["full_service"]}],
)
def test_the_moves_are_those_that_check_stage_allows(db: psycopg.Connection, scope: dict[str, Any] | None) -> None:
    clients = [make_client(db, stage=stage) for stage in ("onboarding", "cleanup", "weekly")]
    grant(db, WORKER, "can_set_stage", scope)
    told = allowed(db, *clients)
    for client in clients:
        one_by_one = {
            stage
            for stage in STAGES
            if call(db, "check_stage", actor=WORKER, client_id=client, to_stage=stage)["allowed"]
        }
        assert moves(told[client]) == one_by_one


def test_a_grant_that_names_clients_holds_for_those_alone(db: psycopg.Connection) -> None:
    named, other = make_client(db), make_client(db)
    grant(db, WORKER, "can_set_stage", {"clients": [named]})
    told = allowed(db, named, other)
    assert moves(told[named])
    assert not moves(told[other])


def test_a_move_says_whether_it_opens_a_close_and_what_it_is(db: psycopg.Connection) -> None:
    weekly, reviewed = make_client(db), make_client(db, stage="eom_close")
    move(db, reviewed, "eom_review")
    told = allowed(db, weekly, reviewed, actor=ADMIN)
    assert [told[client]["opens_close"] for client in (weekly, reviewed)] == [["eom_close", "eom_review"], []]
    kinds = {each["to_stage"]: each["kind"] for each in told[reviewed]["moves"]}
    assert (kinds["weekly"], kinds["eom_close"], kinds["paused_client"]) == ("signed_off", "sent_back", "moved")


def test_flags_are_told_apart_by_whether_they_are_set(db: psycopg.Connection) -> None:
    client = make_client(db)
    call(db, "set_flag", client_id=client, flag="client_blocking")
    grant(db, WORKER, "can_set_flag")
    told = allowed(db, client)[client]
    assert told["clear_flags"] == ["client_blocking"]
    assert "advisory_due" in told["set_flags"]
    assert "stuck" not in told["set_flags"]


def test_fields_are_those_of_the_day_for_a_worker_and_all_for_an_admin(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    assert allowed(db, client)[client]["fields"] == []
    grant(db, WORKER, "can_set_stage")
    assert allowed(db, client)[client]["fields"] == ["owner", "collaborators", "notes"]
    told = allowed(db, client, actor="user:jimmie")[client]
    assert len(told["fields"]) == 8
    assert told["may_roll_back"]
    assert "offboarding" in told["override_to"]


def test_who_is_not_there_is_left_out(db: psycopg.Connection) -> None:
    client = make_client(db)
    assert set(allowed(db, client, 10**9)) == {client}
