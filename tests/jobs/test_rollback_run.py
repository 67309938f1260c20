"""rollback_run undoes a whole run, and lists the changes that later changes depend on."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import call, client_row, grant, history_rows, make_client, move, refused

ROLL = "stage_autoroll_eom_open"


def run(db: psycopg.Connection, job: str, as_of: str = "2026-05-29 12:00-05") -> Any:
    row = db.execute("select jobs.run(%s, as_of => %s::timestamptz)", (job, as_of)).fetchone()
    assert row is not None
    assert row[0]["outcome"] == "done", row
    return row[0]


@pytest.fixture
def clients(db: psycopg.Connection) -> list[int]:
    with clock.at(db, "2026-05-01 09:00"):  # before the run was due
        return [make_client(db) for _ in range(4)]


def test_every_client_goes_back_but_those_that_moved_on(db: psycopg.Connection, clients: list[int]) -> None:
    done = run(db, ROLL)
    moved_on = move(db, clients[0], "eom_review")["history"]["id"]
    call(db, "set_flag", client_id=clients[1], flag="advisory_due")  # is no hindrance

    answer = call(db, "rollback_run", run_id=done["run_id"], reason="a day early")

    assert (answer["job"], answer["rolled_back"]) == (ROLL, 3)
    assert [(each["client_id"], each["rule"], each["blocking_history_id"]) for each in answer["left"]] == [
        (clients[0], "rollback_blocked", moved_on)
    ]
    assert [client_row(db, client)["stage"] for client in clients] == [
        "eom_review",
        *["weekly"] * 3,
    ]
    row = history_rows(db, clients[2])[-1]
    assert (row["trigger_type"], row["reason"]) == ("rollback", "a day early")
    assert row["payload"]["rolls_back"] == history_rows(db, clients[2])[-2]["id"]


def test_asked_again_it_names_what_is_back_already_and_changes_nothing(
    db: psycopg.Connection, clients: list[int]
) -> None:
    done = run(db, ROLL)
    call(db, "rollback_run", run_id=done["run_id"], reason="r")
    before = [client_row(db, client) for client in clients]

    answer = call(db, "rollback_run", run_id=done["run_id"], reason="r")

    assert answer["rolled_back"] == 0
    assert {each["rule"] for each in answer["left"]} == {"already_rolled_back"}
    assert [client_row(db, client) for client in clients] == before


def test_two_changes_of_one_client_go_back_both(db: psycopg.Connection, clients: list[int]) -> None:
    done = run(db, "flag_seasonal", "2026-01-10 12:00-06")
    assert client_row(db, clients[0])["flags"] == ["season_1099", "season_year_end"]

    answer = call(db, "rollback_run", run_id=done["run_id"], reason="r")

    assert (answer["rolled_back"], answer["left"]) == (8, [])
    assert client_row(db, clients[0])["flags"] == []


def test_is_an_admin_s_and_needs_a_reason_and_a_run(db: psycopg.Connection, clients: list[int]) -> None:
    done = run(db, ROLL)
    grant(db, "user:ada", "can_set_stage")

    with refused(db, "permission_missing", 403, permission="can_admin"):
        call(db, "rollback_run", actor="user:ada", run_id=done["run_id"], reason="r")
    with refused(db, "reason_required", 422):
        call(db, "rollback_run", run_id=done["run_id"], reason=" ")
    with refused(db, "run_not_found", 404, run_id=0):
        call(db, "rollback_run", run_id=0, reason="r")
