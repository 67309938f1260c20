"""The database's calendar, against one that was computed separately."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from tests.jobs import calendar


def one(db: psycopg.Connection, statement: str, *parameters: object) -> object:
    row = db.execute(statement, parameters).fetchone()
    assert row is not None
    return row[0]


def test_holidays_are_the_us_federal_ones(db: psycopg.Connection) -> None:
    rows = db.execute("select day from business_holidays order by day").fetchall()

    # New Year's Day of 2036 is on a Tuesday: nothing of it is observed in 2035.
    assert [row[0] for row in rows] == sorted(day for day in calendar.HOLIDAYS if 2025 <= day.year <= 2035)


def last_business_day(db: psycopg.Connection, day: date) -> date:
    return one(db, "select last_business_day from rules.months(%s, %s)", day, day)


def test_the_last_business_day_of_every_month(db: psycopg.Connection) -> None:
    for year, month in calendar.months(2025, 2035):
        found = last_business_day(db, date(year, month, 13))
        assert found == calendar.last_business_day(year, month), (year, month)


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ((2025, 5), 30),  # the 31st is a Saturday
        ((2026, 5), 29),  # Memorial Day is earlier; the 31st is a Sunday
        ((2027, 12), 30),  # New Year's Day is observed on Friday, the 31st
        ((2028, 2), 29),  # a leap year
        ((2032, 12), 30),
        ((2033, 12), 30),  # Christmas is observed on Monday, the 26th; the 31st is a Saturday
    ],
)
def test_months_that_end_oddly(db: psycopg.Connection, month: tuple[int, int], day: int) -> None:
    assert last_business_day(db, date(*month, 1)) == date(*month, day)


def test_a_month_without_any_business_day_at_its_end_goes_further_back(
    db: psycopg.Connection,
) -> None:
    db.execute(
        "insert into business_holidays (day, name)"
        " select d, 'closed' from generate_series(date '2031-07-07', '2031-07-31', '1 day') d"
    )
    assert last_business_day(db, date(2031, 7, 1)) == date(2031, 7, 3)


@pytest.mark.parametrize(
    "moment",
    ["2026-03-08 01:59", "2026-03-08 03:00", "2026-11-01 00:59", "2026-11-01 01:00"],
)
def test_days_when_the_clocks_change_have_one_daily_run(db: psycopg.Connection, moment: str) -> None:
    due = one(
        db,
        "select (jobs.occurrences('flag_seasonal', %s::timestamp at time zone 'America/Chicago')).due_at",
        moment,
    )
    day = date.fromisoformat(moment[:10])
    assert due == calendar.at(day)
    assert one(db, "select (jobs.occurrences('flag_seasonal', %s)).next_due", due) == calendar.at(
        day + timedelta(days=1)
    )


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Havana", "2026-03-08"),  # 00:00 does not exist
        ("America/Havana", "2026-11-01"),  # 00:00 comes twice
        ("Asia/Kolkata", "2026-06-01"),
        ("Australia/Lord_Howe", "2026-04-05"),  # half an hour
        ("Pacific/Apia", "2026-06-01"),
    ],
)
def test_every_zone_has_one_run_a_day_and_never_one_in_the_future(db: psycopg.Connection, zone: str, day: str) -> None:
    db.execute("update stage_settings set time_zone = %s", (zone,))
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(days=2)
    found = set()
    for quarter in range(4 * 96):
        now = begin + timedelta(minutes=15 * quarter)
        due = one(db, "select (jobs.occurrences('flag_seasonal', %s)).due_at", now)
        later = one(db, "select (jobs.occurrences('flag_seasonal', %s)).next_due", now)
        assert isinstance(due, datetime)
        assert isinstance(later, datetime)
        assert due <= now < later
        found.add(due)
    assert len(found) in (4, 5)


def test_the_next_run_is_the_latest_one_when_its_time_comes(db: psycopg.Connection) -> None:
    row = db.execute(
        """
        select count(*) filter (where at_it.due_at <> o.next_due or before.due_at > h)
        from jobs.catalog() c
        cross join generate_series(timestamptz '2027-10-25', '2028-03-15', '7 hours') h
        cross join lateral jobs.occurrences(c.job, h) o
        cross join lateral jobs.occurrences(c.job, o.next_due) at_it
        cross join lateral jobs.occurrences(c.job, o.next_due - interval '1 second') before
        """
    ).fetchone()
    assert row == (0,)


def test_seasons_of_ten_years(db: psycopg.Connection) -> None:
    rows = db.execute(
        """
        select d::date, s.flag, rules.in_season(d::date, s.from_month, s.from_day, s.to_month, s.to_day)
        from stage_seasons s, generate_series(date '2025-01-01', '2034-12-31', '1 day') d
        """
    ).fetchall()
    assert len(rows) == 3 * 3652
    assert [row for row in rows if calendar.in_season(row[1], row[0]) != row[2]] == []
