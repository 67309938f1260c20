"""The close of a month: which state it is in, who did which step and when, how long it took, whether it is late."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import call, client_row, history_rows, make_client, move, refused

ADA, BO = "user:ada", "user:bo"
MAY = "2026-05"


def open_close(db: psycopg.Connection, client: int, period: str = MAY, **arguments: Any) -> None:
    move(db, client, "eom_close", close_period=period, **arguments)


def close(db: psycopg.Connection, client: int, month: str = MAY) -> dict[str, Any]:
    """The client's own row of the month; {} where it is not listed."""
    listed = call(db, "closes", month=month)["closes"]
    return next((each for each in listed if each["client_id"] == client), {})


def state(db: psycopg.Connection, client: int, month: str = MAY) -> str | None:
    return close(db, client, month).get("state")


def closed_at(db: psycopg.Connection, client: int, opened: str, signed_off: str) -> None:
    """Open May's close and sign it off, at these times."""
    with clock.at(db, opened):
        open_close(db, client)
        move(db, client, "eom_review")
    with clock.at(db, signed_off):
        move(db, client, "weekly")


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    """A client in weekly, of the firm since long ago."""
    with clock.at(db, "2020-01-01 09:00"):
        return make_client(db)


def test_a_close_goes_from_its_opening_through_its_review_to_its_sign_off(db: psycopg.Connection, client: int) -> None:
    seen = [state(db, client)]
    open_close(db, client)
    seen.append(state(db, client))
    for stage in ("eom_review", "weekly"):
        move(db, client, stage)
        seen.append(state(db, client))

    assert seen == ["not_opened", "open", "in_review", "closed"]


def test_it_says_when_and_by_whom_each_step_was_made(db: psycopg.Connection, client: int) -> None:
    steps = [
        ("eom_close", "2026-05-29 06:00"),
        ("eom_review", "2026-06-02 10:00"),
        ("eom_close", "2026-06-03 11:00"),
        ("eom_review", "2026-06-04 12:00"),
        ("weekly", "2026-06-05 13:00"),
    ]
    for version, (stage, when) in enumerate(steps, 1):
        with clock.at(db, when):
            move(db, client, stage, close_period=MAY if version == 1 else None)

    found = close(db, client)

    times = {name: found[name][:16] for name in found if name.endswith("_at")}
    assert times == {
        "opened_at": "2026-05-29T11:00",
        "reviewed_at": "2026-06-04T17:00",
        "sent_back_at": "2026-06-03T16:00",
        "signed_off_at": "2026-06-05T18:00",
    }
    people = [found[f"{step}_by"] for step in ("opened", "reviewed", "sent_back", "signed_off")]
    assert people == ["user:jimmie"] * 4
    assert found["sent_back"] == 1


@pytest.mark.parametrize(
    ("opened", "closed", "days"),
    [
        ("2026-06-02 08:00", "2026-06-02 17:00", 0),
        ("2026-06-05 08:00", "2026-06-08 08:00", 1),  # over a weekend
        ("2026-05-22 08:00", "2026-05-27 08:00", 2),  # and Memorial Day
        ("2026-05-29 06:00", "2026-06-30 23:59", 21),  # with Juneteenth in it
        ("2026-06-06 08:00", "2026-06-07 08:00", 0),  # of a weekend
        ("2026-12-31 23:30", "2027-01-04 00:30", 1),
    ],
)
def test_business_days_are_those_after_the_day_of_the_opening(
    db: psycopg.Connection, client: int, opened: str, closed: str, days: int
) -> None:
    closed_at(db, client, opened, closed)

    assert close(db, client)["business_days"] == days


@pytest.mark.parametrize(
    ("signed_off", "late"),
    [("2026-06-12 23:59", False), ("2026-06-13 00:01", True)],
)
def test_a_close_is_late_after_the_tenth_business_day_of_the_next_month(
    db: psycopg.Connection, client: int, signed_off: str, late: bool
) -> None:
    closed_at(db, client, "2026-05-29 06:00", signed_off)

    found = close(db, client)

    assert found["late"] is late
    assert found["late_since"] == ("2026-06-13T05:00:00+00:00" if late else None)


def test_what_was_never_closed_is_late_since_it_was_due(db: psycopg.Connection, client: int) -> None:
    answer = call(db, "closes", month="2024-05")
    (found,) = [each for each in answer["closes"] if each["client_id"] == client]

    assert found["state"] == "not_opened"
    assert found["late_since"] == answer["due_at"] == "2024-06-15T05:00:00+00:00"


def test_the_due_day_is_a_setting(db: psycopg.Connection, client: int) -> None:
    closed_at(db, client, "2026-05-29 06:00", "2026-06-05 09:00")
    before = close(db, client)["late"]

    db.execute("update stage_settings set close_due_day = 4")

    assert (before, close(db, client)["late"]) == (False, True)


@pytest.mark.parametrize(
    ("when", "month"),
    [
        ("2026-05-29 05:59", "2026-04"),
        ("2026-05-29 06:00", "2026-05"),
        ("2026-06-15 12:00", "2026-05"),
        ("2026-06-30 05:59", "2026-05"),
        ("2026-06-30 06:00", "2026-06"),
        ("2026-01-15 12:00", "2025-12"),
        ("2028-02-29 06:00", "2028-02"),
    ],
)
def test_a_month_is_closed_from_its_roll_to_the_next_one_by_the_firm_s_clock(
    db: psycopg.Connection, when: str, month: str
) -> None:
    row = db.execute("select rules.close_period(%s::timestamp at time zone 'America/Chicago')", (when,)).fetchone()

    assert row == (month,)


def test_left_out_the_month_is_the_one_that_is_open_now(db: psycopg.Connection) -> None:
    row = db.execute("select rules.close_period(now())").fetchone()
    assert row is not None

    assert call(db, "closes")["month"] == call(db, "closes", month="")["month"] == row[0]


def test_a_pause_is_no_end_of_the_close(db: psycopg.Connection, client: int) -> None:
    open_close(db, client)
    move(db, client, "paused_client")
    paused = state(db, client)
    move(db, client, "eom_close")
    move(db, client, "eom_review")

    assert (paused, state(db, client)) == ("paused", "in_review")
    assert close(db, client)["sent_back"] == 0


def test_an_opening_that_was_taken_back_was_none(db: psycopg.Connection, client: int) -> None:
    open_close(db, client)
    row = history_rows(db, client)[-1]["id"]
    call(db, "rollback", client_id=client, history_id=row, reason="too early")

    found = close(db, client)

    assert (found["state"], found["opened_at"], found["opened_by"]) == ("not_opened", None, None)


def test_a_sign_off_that_was_taken_back_is_none(db: psycopg.Connection, client: int) -> None:
    open_close(db, client)
    move(db, client, "eom_review")
    move(db, client, "weekly")
    row = history_rows(db, client)[-1]["id"]
    call(db, "rollback", client_id=client, history_id=row, reason="not yet")

    found = close(db, client)

    assert (found["state"], found["signed_off_by"]) == ("in_review", None)


def test_a_second_opening_of_the_month_continues_the_first(db: psycopg.Connection, client: int) -> None:
    closed_at(db, client, "2026-05-29 06:00", "2026-06-03 17:00")
    open_close(db, client, actor="user:jimmie", reason="something was forgotten")

    found = close(db, client)

    assert (found["state"], found["signed_off_at"]) == ("open", None)
    assert found["opened_at"].startswith("2026-05-29")


def test_each_month_s_close_is_its_own(db: psycopg.Connection, client: int) -> None:
    open_close(db, client, "2026-04")
    move(db, client, "eom_review")
    move(db, client, "weekly")
    open_close(db, client, MAY)
    move(db, client, "eom_review")

    assert [state(db, client, month) for month in ("2026-03", "2026-04", MAY)] == [
        "not_opened",
        "closed",
        "in_review",
    ]


def test_what_a_client_does_after_its_sign_off_opens_nothing(db: psycopg.Connection, client: int) -> None:
    open_close(db, client)
    for stage in ("eom_review", "weekly", "cleanup", "weekly", "paused_client", "weekly"):
        move(db, client, stage)

    assert state(db, client) == "closed"


@pytest.mark.parametrize(
    ("cadence", "months"),
    [
        ("monthly", ["2026-02", "2026-03", "2026-12"]),
        ("quarterly", ["2026-03", "2026-12"]),
        ("annual", ["2026-12"]),
        ("none", []),
    ],
)
def test_a_month_has_the_clients_whose_cadence_closes_in_it(
    db: psycopg.Connection, client: int, cadence: str, months: list[str]
) -> None:
    call(db, "update_client", client_id=client, cadence=cadence, reason="agreed")

    listed = [m for m in ("2026-02", "2026-03", "2026-12") if close(db, client, m)]

    assert listed == months


def test_an_inactive_client_is_listed_where_its_close_was_opened(db: psycopg.Connection, client: int) -> None:
    open_close(db, client)
    call(db, "update_client", client_id=client, active=False, reason="gone")

    assert (state(db, client), close(db, client, "2026-03")) == ("open", {})


def test_who_came_after_a_close_was_due_is_not_of_it(db: psycopg.Connection) -> None:
    with clock.at(db, "2026-06-12 12:00"):
        client = make_client(db)

    assert (state(db, client, "2026-04"), state(db, client, MAY)) == (None, "not_opened")


def test_closes_filter_by_state_and_by_owner(db: psycopg.Connection, client: int) -> None:
    with clock.at(db, "2026-06-01 09:00"):
        other = make_client(db, owner=ADA)
    open_close(db, client)

    def found(**filters: str) -> list[int]:
        listed = call(db, "closes", month=MAY, **filters)["closes"]
        return [each["client_id"] for each in listed if each["client_id"] in (client, other)]

    assert found(state="open") == [client]
    assert found(state="not_opened") == [other]
    assert found(owner=ADA) == [other]
    assert found(state="", owner="") == [client, other]


def test_closes_page_by_client(db: psycopg.Connection) -> None:
    clients = [make_client(db) for _ in range(5)]
    for each in clients:
        open_close(db, each)

    pages, after = [], None
    while True:
        page = call(db, "closes", month=MAY, page_size=2, after=after)
        pages.append([each["client_id"] for each in page["closes"]])
        after = page["next_after"]
        if after is None:
            break

    assert [each for page in pages for each in page if each in clients] == clients
    assert {len(page) for page in pages[:-1]} == {2}


@pytest.mark.parametrize("month", ["2026-13", "2026-5", "May", "2026-05-01", "9999-01", "'", "2026-00"])
def test_what_is_no_month_is_refused(db: psycopg.Connection, month: str) -> None:
    with refused(db, "month_not_valid", 422):
        call(db, "closes", month=month)


def test_an_unknown_state_is_refused_with_the_known_ones(db: psycopg.Connection) -> None:
    with refused(db, "unknown_value", 422, field="state"):
        call(db, "closes", state="done")


def test_a_close_tells_which_client_it_is_of(db: psycopg.Connection) -> None:
    client = make_client(db, name="Łódź", slug="lodz", owner=ADA)
    open_close(db, client)
    row = client_row(db, client)

    found = close(db, client)

    assert [found[name] for name in ("name", "slug", "stage_owner", "stage")] == [
        row[name] for name in ("name", "slug", "stage_owner", "stage")
    ]


def months(db: psycopg.Connection, **asked: Any) -> dict[str, dict[str, Any]]:
    """What closes_by_month answers, by month."""
    return {each["month"]: each for each in call(db, "closes_by_month", **asked)["months"]}


@pytest.fixture
def closed_in_days(db: psycopg.Connection) -> None:
    """May: Ada's took 0, 1, 2 and 21 business days, an unowned one 1, Bo's is in review. April: Ada's is open."""
    for owner, closed_on in (
        (ADA, "06-02"), (ADA, "06-03"), (ADA, "06-04"), (ADA, "07-02"), (None, "06-03"), (BO, None),
    ):  # fmt: skip
        with clock.at(db, "2020-01-01 09:00"):
            each = make_client(db, owner=owner)
        with clock.at(db, "2026-06-02 08:00"):
            open_close(db, each)
            move(db, each, "eom_review")
        if closed_on:
            with clock.at(db, f"2026-{closed_on} 17:00"):
                move(db, each, "weekly")
    each = make_client(db, owner=ADA, cadence="none")
    open_close(db, each, "2026-04")


@pytest.mark.usefixtures("closed_in_days")
def test_the_last_months_are_counted_the_oldest_first(db: psycopg.Connection) -> None:
    counted = months(db, months=3, month=MAY)

    assert [*counted] == ["2026-03", "2026-04", MAY]
    may = counted[MAY]
    numbers = ("clients", "not_opened", "open", "in_review", "closed", "median_business_days")
    assert [may[name] for name in numbers] == [6, 0, 0, 1, 5, 1]
    assert [counted["2026-04"][name] for name in numbers] == [7, 6, 1, 0, 0, None]
    assert may["due_at"] == call(db, "closes", month=MAY)["due_at"]


@pytest.mark.usefixtures("closed_in_days")
def test_each_owner_is_counted_in_its_month(db: psycopg.Connection) -> None:
    owners = months(db, months=1, month=MAY)[MAY]["owners"]

    assert [(each["owner"], each["clients"], each["closed"]) for each in owners] == [
        (ADA, 4, 4),
        (BO, 1, 0),
        (None, 1, 1),
    ]
    # of an even number, the lower of the two in the middle
    assert [each["median_business_days"] for each in owners] == [1, None, 1]


@pytest.mark.usefixtures("closed_in_days")
def test_what_is_counted_is_what_closes_lists(db: psycopg.Connection) -> None:
    for month, counted in months(db, month=MAY).items():
        listed = call(db, "closes", month=month)["closes"]
        for name in ("not_opened", "open", "in_review", "closed"):
            assert counted[name] == sum(each["state"] == name for each in listed), (month, name)
        assert counted["late"] == sum(each["late"] for each in listed)
        assert counted["clients"] == len(listed) == sum(o["clients"] for o in counted["owners"])


def test_a_month_in_which_nobody_closes_has_zeros(db: psycopg.Connection) -> None:
    nobody = months(db, months=1, month="1999-01")["1999-01"]

    assert (nobody["clients"], nobody["closed"], nobody["owners"]) == (0, 0, [])
    assert nobody["median_business_days"] is None


@pytest.mark.parametrize("number", [0, -1, 25, None])
def test_months_are_one_to_twenty_four(db: psycopg.Connection, number: int | None) -> None:
    with refused(db, "months_not_valid", 422):
        call(db, "closes_by_month", months=number)
