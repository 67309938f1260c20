"""A pause stops the clock of the stage and does not reset it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import all_breaks, call, client_row, history_rows, make_client, move

BEGAN = "2026-03-02 08:00"


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    """A client that entered cleanup on March 2."""
    with clock.at(db, BEGAN):
        return make_client(db, "cleanup")


def at(db: psycopg.Connection, client: int, when: str, to: str) -> Any:
    with clock.at(db, when):
        return move(db, client, to)["client"]


def entered(db: psycopg.Connection, client: int) -> datetime:
    found: datetime = client_row(db, client)["stage_entered_at"]
    return found


def test_a_resume_continues_the_time_before_the_pause(db: psycopg.Connection, client: int) -> None:
    began = entered(db, client)
    at(db, client, "2026-03-12 08:00", "paused_client")
    at(db, client, "2026-04-30 08:00", "cleanup")

    assert entered(db, client) - began == timedelta(days=49)


def test_two_pauses_and_a_switch_between_them_count_for_none_of_the_time(db: psycopg.Connection, client: int) -> None:
    began = entered(db, client)
    at(db, client, "2026-03-12 08:00", "paused_client")
    at(db, client, "2026-03-15 08:00", "paused_internal")
    at(db, client, "2026-03-20 08:00", "cleanup")  # 8 days of pause
    at(db, client, "2026-03-25 08:00", "paused_internal")
    at(db, client, "2026-03-27 08:00", "cleanup")  # and 2

    assert entered(db, client) - began == timedelta(days=10)


def test_pausing_a_column_of_overdue_clients_does_not_make_them_fresh(
    db: psycopg.Connection,
) -> None:
    with clock.at(db, BEGAN):
        client = make_client(db, "eom_close")
    at(db, client, "2026-03-13 09:00", "paused_client")
    shown = at(db, client, "2026-03-13 09:01", "eom_close")

    assert (shown["age_days"], shown["attention"]) == (11, "stuck")


def test_a_rolled_back_resume_and_pause_restore_their_times(db: psycopg.Connection, client: int) -> None:
    began = entered(db, client)
    at(db, client, "2026-03-12 08:00", "paused_client")
    paused = entered(db, client)
    at(db, client, "2026-03-20 08:00", "cleanup")
    rows = history_rows(db, client)
    call(db, "rollback", client_id=client, history_id=rows[-1]["id"], reason="r")
    assert entered(db, client) == paused
    at(db, client, "2026-03-22 08:00", "cleanup")
    assert entered(db, client) - began == timedelta(days=10)
    call(db, "rollback", client_id=client, history_id=history_rows(db, client)[-1]["id"], reason="r")
    call(db, "rollback", client_id=client, history_id=rows[-2]["id"], reason="r")

    assert entered(db, client) == began


def test_plain_sql_and_batches_stop_the_same_clock(db: psycopg.Connection, client: int) -> None:
    began = entered(db, client)
    db.execute("insert into actor_logins values (session_user, 'user:jimmie')")
    with clock.at(db, "2026-03-12 08:00"):
        db.execute("update clients set stage = 'paused_client' where id = %s", (client,))
    with clock.at(db, "2026-03-13 08:00"):
        db.execute("update clients set stage = 'cleanup' where id = %s", (client,))
    assert entered(db, client) - began == timedelta(days=1)
    for when, to in (("2026-03-14 08:00", "paused_client"), ("2026-03-16 08:00", "cleanup")):
        item = {
            "client_id": client,
            "to_stage": to,
            "reason": "r",
            "expected_version": client_row(db, client)["version"],
        }
        with clock.at(db, when):
            assert call(db, "set_stages", items=[item])["done"] == 1

    assert entered(db, client) - began == timedelta(days=3)


def test_a_client_that_began_in_a_pause_enters_its_stage_when_it_resumes(
    db: psycopg.Connection,
) -> None:
    with clock.at(db, BEGAN):
        client = int(call(db, "create_client", name="P", slug="begins-paused", stage="paused_client")["client"]["id"])
    at(db, client, "2026-03-12 08:00", "onboarding")

    assert entered(db, client).isoformat() == "2026-03-12T13:00:00+00:00"


def test_what_a_resume_stored_is_what_verify_expects(db: psycopg.Connection, client: int) -> None:
    at(db, client, "2026-03-12 08:00", "paused_client")
    at(db, client, "2026-03-20 08:00", "cleanup")

    assert all_breaks(db) == []
