"""When the jobs are due, worked out without the database: PyPI `holidays`, and plain Python."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays

FIRM = ZoneInfo("America/Chicago")
HOLIDAYS = holidays.country_holidays("US", years=range(2024, 2037))

# First and last day, month and day; the first one runs over the year's end.
SEASONS = {
    "season_year_end": ((12, 1), (1, 15)),
    "season_1099": ((1, 1), (1, 31)),
    "season_tax": ((2, 1), (4, 15)),
}
SLA_DAYS = {
    "onboarding": 30,
    "cleanup": 45,
    "eom_close": 10,
    "eom_review": 3,
    "paused_client": 30,
    "paused_internal": 14,
    "offboarding": 30,
}


def at(day: date, hour: int = 0) -> datetime:
    """An hour of the firm's day, in UTC."""
    return datetime.combine(day, time(hour), FIRM).astimezone(UTC)


def last_business_day(year: int, month: int) -> date:
    day = (date(year, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    while day.weekday() >= 5 or day in HOLIDAYS:
        day -= timedelta(days=1)
    return day


def rolls_on(year: int, month: int) -> datetime:
    return at(last_business_day(year, month), 6)


def rolled_month(now: datetime) -> tuple[int, int]:
    """The newest month whose roll is past."""
    wall = now.astimezone(FIRM)
    if now >= rolls_on(wall.year, wall.month):
        return wall.year, wall.month
    return (wall.year, wall.month - 1) if wall.month > 1 else (wall.year - 1, 12)


def due_after(year: int, month: int) -> datetime:
    """The end of the tenth business day of the next month."""
    day = date(year + month // 12, month % 12 + 1, 1)
    for _ in range(10):
        while day.weekday() > 4 or day in HOLIDAYS:
            day += timedelta(days=1)
        day += timedelta(days=1)
    return at(day)


def closes(cadence: str, month: int) -> bool:
    return (
        month
        in {
            "monthly": range(1, 13),
            "quarterly": (3, 6, 9, 12),
            "annual": (12,),
            "none": (),
        }[cadence]
    )


def files(schedule: str, month: int) -> bool:
    return (
        month
        in {
            "monthly": range(1, 13),
            "quarterly": (1, 4, 7, 10),
            "annual": (1,),
            "none": (),
        }[schedule]
    )


def in_season(flag: str, day: date) -> bool:
    first, last = SEASONS[flag]
    here = (day.month, day.day)
    return first <= here <= last if first <= last else here >= first or here <= last


def months(first: int, last: int) -> Iterator[tuple[int, int]]:
    for year in range(first, last + 1):
        for month in range(1, 13):
            yield year, month


def ticks(begin: datetime, end: datetime) -> Iterator[datetime]:
    """Every hour of the world, whatever the clocks on the wall do."""
    now = begin
    while now < end:
        yield now
        now += timedelta(hours=1)
