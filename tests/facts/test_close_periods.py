"""Which month a move into a close belongs to, and that each month's close is independent of the others."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import (
    call,
    client_row,
    history_rows,
    make_client,
    move,
    refused,
    version,
)

OCTOBER, NOVEMBER, DECEMBER = "2026-10", "2026-11", "2026-12"


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    """A client in weekly that was there in October."""
    with clock.at(db, "2026-01-05 09:00"):
        return make_client(db)


def period(db: psycopg.Connection, client: int) -> str | None:
    found: str | None = client_row(db, client)["close_period"]
    return found


def close(db: psycopg.Connection, client: int, month: str) -> dict[str, Any]:
    listed = call(db, "closes", month=month)["closes"]
    return next((each for each in listed if each["client_id"] == client), {})


def close_month(db: psycopg.Connection, client: int, month: str | None = None) -> None:
    for stage in ("eom_close", "eom_review", "weekly"):
        move(db, client, stage, close_period=month if stage == "eom_close" else None)


def roll_back(db: psycopg.Connection, client: int, nth: int = -1) -> Any:
    row = history_rows(db, client)[nth]["id"]
    return call(db, "rollback", client_id=client, history_id=row, reason="a mistake")


@pytest.mark.parametrize(
    ("cadence", "added", "when", "month"),
    [
        ("monthly", "2026-01-05", "2026-11-28 10:00", OCTOBER),
        ("monthly", "2026-11-20", "2026-11-28 10:00", NOVEMBER),  # added since
        ("monthly", "2026-01-05", "2026-11-30 05:59", OCTOBER),
        ("monthly", "2026-01-05", "2026-11-30 06:00", NOVEMBER),
        ("monthly", "2026-01-05", "2026-12-02 10:00", NOVEMBER),
        ("monthly", "2026-01-05", "2028-02-29 05:59", "2028-01"),
        ("monthly", "2026-01-05", "2028-02-29 06:00", "2028-02"),
        ("quarterly", "2026-01-05", "2026-11-28 10:00", "2026-09"),
        ("quarterly", "2026-11-20", "2026-11-28 10:00", DECEMBER),
        ("quarterly", "2026-01-05", "2026-12-31 06:00", DECEMBER),
        ("annual", "2025-01-05", "2026-11-28 10:00", "2025-12"),
        ("annual", "2026-02-05", "2026-11-28 10:00", DECEMBER),
        ("none", "2026-10-20", "2026-11-28 10:00", OCTOBER),
        ("none", "2026-11-20", "2026-11-28 10:00", NOVEMBER),
    ],
)
def test_a_move_that_names_no_month_takes_the_newest_that_was_rolled_and_is_owed(
    db: psycopg.Connection, cadence: str, added: str, when: str, month: str
) -> None:
    with clock.at(db, f"{added} 09:00"):
        client = make_client(db, cadence=cadence)
    with clock.at(db, when):
        moves = call(db, "check_stages", client_ids=[client])["clients"][0]
        answer = move(db, client, "eom_close")

    assert moves["close_period"] == month
    assert answer["client"]["close_period"] == answer["history"]["close_period"] == month


def test_a_quarterly_client_with_a_close_of_another_month_continues_it(
    db: psycopg.Connection,
) -> None:
    with clock.at(db, "2026-01-05 09:00"):
        client = make_client(db, cadence="quarterly")
    with clock.at(db, "2026-11-10 09:00"):
        close_month(db, client, OCTOBER)
    with clock.at(db, "2026-11-28 09:00"):
        move(db, client, "eom_close")

    assert period(db, client) == OCTOBER


def test_the_month_is_on_every_row_of_the_close_and_on_no_other(db: psycopg.Connection, client: int) -> None:
    move(db, client, "eom_close", close_period=OCTOBER)
    call(db, "set_flag", client_id=client, flag="client_blocking")
    for stage in ("paused_client", "paused_internal", "eom_close", "eom_review", "eom_close"):
        move(db, client, stage)
        assert period(db, client) == OCTOBER
    roll_back(db, client)
    move(db, client, "weekly")
    assert period(db, client) is None
    move(db, client, "cleanup")

    months = [row["close_period"] for row in history_rows(db, client)]
    assert months == [None, OCTOBER, None, *[OCTOBER] * 7, None]


@pytest.mark.parametrize("month", ["2026-13", "2026-5", "May", "", "2026-11-01", "9" * 500])
def test_a_month_that_is_none_is_refused(db: psycopg.Connection, client: int, month: str) -> None:
    with refused(db, "period_not_valid", 422):
        move(db, client, "eom_close", close_period=month)


def test_only_a_move_that_opens_a_close_chooses_its_month(db: psycopg.Connection, client: int) -> None:
    with refused(db, "period_not_expected", 422):
        move(db, client, "cleanup", close_period=OCTOBER)
    move(db, client, "eom_close", close_period=OCTOBER)
    with refused(db, "period_not_expected", 422, current_period=OCTOBER):
        move(db, client, "eom_review", close_period=NOVEMBER)
    move(db, client, "eom_review", close_period=OCTOBER)

    assert period(db, client) == OCTOBER


def test_plain_sql_takes_the_default_or_a_month_of_its_own(db: psycopg.Connection, client: int) -> None:
    other = make_client(db)
    db.execute("insert into actor_logins values (session_user, 'user:jimmie')")
    with clock.at(db, "2026-11-28 10:00"):
        db.execute("update clients set stage = 'eom_close' where id = %s", (client,))
        db.execute(
            "update clients set stage = 'eom_close', close_period = '2026-09' where id = %s",
            (other,),
        )
    db.execute("update clients set close_period = '2001-01' where id = %s", (client,))

    assert (period(db, client), period(db, other)) == (OCTOBER, "2026-09")


def test_a_client_that_begins_in_a_close_has_its_month(db: psycopg.Connection) -> None:
    with clock.at(db, "2026-11-28 10:00"):
        client = make_client(db, "eom_review")

    assert period(db, client) == NOVEMBER
    assert close(db, client, NOVEMBER)["state"] == "in_review"


def test_the_database_holds_the_month_to_the_stage(db: psycopg.Connection, client: int) -> None:
    db.execute("set constraints all immediate")
    db.execute("alter table clients disable trigger user")
    for change in ("stage = 'eom_close'", "close_period = '2026-10'"):
        statement = f"update clients set {change} where id = %s".encode()
        with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
            db.execute(statement, (client,))


def test_october_reopened_on_november_28_is_october(db: psycopg.Connection, client: int) -> None:
    with clock.at(db, "2026-11-03 10:00"):
        close_month(db, client)
    with clock.at(db, "2026-11-28 10:00"):
        move(db, client, "eom_close", reason="October has to be corrected")
        reopened = close(db, client, OCTOBER)
        move(db, client, "eom_review")
        move(db, client, "weekly")

    found = close(db, client, OCTOBER)
    assert (reopened["state"], reopened["signed_off_at"]) == ("open", None)
    assert (found["state"], found["reopened"]) == ("closed", 1)
    assert found["signed_off_at"].startswith("2026-11-28")
    assert close(db, client, NOVEMBER)["state"] == "not_opened"


def test_a_month_that_is_reopened_later_is_open_whatever_was_opened_since(db: psycopg.Connection, client: int) -> None:
    close_month(db, client, OCTOBER)
    close_month(db, client, NOVEMBER)
    move(db, client, "eom_close", close_period=OCTOBER)

    assert [close(db, client, month)["state"] for month in (OCTOBER, NOVEMBER)] == [
        "open",
        "closed",
    ]


def test_a_rolled_back_reopening_leaves_the_month_signed_off(db: psycopg.Connection, client: int) -> None:
    with clock.at(db, "2026-11-03 10:00"):
        close_month(db, client, OCTOBER)
    before = close(db, client, OCTOBER)
    move(db, client, "eom_close", close_period=OCTOBER)
    roll_back(db, client)

    assert close(db, client, OCTOBER) == before
    assert before["state"] == "closed"


def test_rolled_back_steps_count_nowhere(db: psycopg.Connection, client: int) -> None:
    move(db, client, "eom_close", close_period=OCTOBER)
    move(db, client, "eom_review")
    handed_over = close(db, client, OCTOBER)
    move(db, client, "eom_close")
    assert close(db, client, OCTOBER)["sent_back"] == 1
    roll_back(db, client)

    assert close(db, client, OCTOBER) == handed_over
    roll_back(db, client, 2)
    assert close(db, client, OCTOBER)["reviewed_at"] is None
    roll_back(db, client, 1)
    found = close(db, client, OCTOBER)
    assert (found["state"], found["opened_at"]) == ("not_opened", None)
    assert found["rolled_back_by"] == "user:jimmie"


def test_a_sign_off_over_a_rolled_back_one_is_the_one_that_counts(db: psycopg.Connection, client: int) -> None:
    with clock.at(db, "2026-11-03 10:00"):
        close_month(db, client, OCTOBER)
    roll_back(db, client)
    with clock.at(db, "2026-11-05 10:00"):
        move(db, client, "weekly")

    assert close(db, client, OCTOBER)["signed_off_at"].startswith("2026-11-05")


def test_a_key_that_was_used_for_another_month_is_refused(db: psycopg.Connection, client: int) -> None:
    at = version(db, client)
    first = move(db, client, "eom_close", close_period=OCTOBER, external_id="k")
    again = move(db, client, "eom_close", close_period=OCTOBER, external_id="k", expected_version=at)
    assert again == first | {"replayed": True}
    with refused(db, "idempotency_key_reused", 409):
        move(db, client, "eom_close", close_period=NOVEMBER, external_id="k", expected_version=at)


def test_each_item_of_a_batch_has_its_month(db: psycopg.Connection, client: int) -> None:
    other = make_client(db)
    answer = call(
        db,
        "set_stages",
        items=[
            {
                "client_id": each,
                "to_stage": "eom_close",
                "reason": "r",
                "expected_version": 0,
                "close_period": month,
            }
            for each, month in ((client, OCTOBER), (other, "2026-1"))
        ],
    )
    first, second = answer["items"]
    assert first["client"]["close_period"] == OCTOBER
    assert second["details"]["rule"] == "period_not_valid"


@pytest.mark.parametrize("state", ["late", "waiting_on_client", "stuck"])
def test_a_client_in_a_close_that_was_due_is_late_everywhere(db: psycopg.Connection, client: int, state: str) -> None:
    with clock.at(db, "2026-11-02 10:00"):
        move(db, client, "eom_close")
    if state == "waiting_on_client":
        call(db, "set_flag", client_id=client, flag="client_blocking")
    when = "2026-11-13 10:00" if state == "stuck" else "2026-11-17 00:00"
    with clock.at(db, when):
        shown = call(db, "client", client_id=client)["client"]
        listed = call(db, "clients", attention=state)["clients"]
        counted = call(db, "summary")
        found = close(db, client, OCTOBER)

    assert shown["attention"] == state
    assert [each["id"] for each in listed] == [client]
    assert counted["attention"][state] == 1
    assert found["late"] == (state != "stuck")
