"""What people of the firm do with their clients, each in their own way: (hour, client) -> acts."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.jobs import calendar
from tests.jobs.world import Person

Acts = list[tuple[str, str]]


def _wall(now: datetime) -> datetime:
    return now.astimezone(calendar.FIRM)


def closes_in_time(now: datetime, client: Person) -> Acts:
    """Two days for the books, one for the review."""
    return _closing(now, client, timedelta(days=2, hours=3), timedelta(days=1))


def closes_at_once(now: datetime, client: Person) -> Acts:
    """Signed off and back in weekly on the day it was rolled."""
    return _closing(now, client, timedelta(hours=2), timedelta(hours=1))


def closes_late(now: datetime, client: Person) -> Acts:
    """Stuck in the close, then stuck in the review."""
    return _closing(now, client, timedelta(days=12), timedelta(days=4))


def waits_for_the_client(now: datetime, client: Person) -> Acts:
    """Stuck; then it is the client we wait for; then stuck again."""
    age = now - client.entered
    if client.stage == "eom_close" and age == timedelta(days=11):
        return [("set_flag", "client_blocking")]
    if client.stage == "eom_close" and age == timedelta(days=12):
        return [("clear_flag", "client_blocking")]
    return _closing(now, client, timedelta(days=14), timedelta(days=1))


def pauses_over_the_month_end(now: datetime, client: Person) -> Acts:
    wall = _wall(now)
    if (wall.day, wall.hour) == (24, 10) and client.stage == "weekly" and wall.month % 2:
        return [("move", "paused_client")]
    if (wall.day, wall.hour) == (3, 10) and client.stage == "paused_client":
        return [("move", "weekly")]
    return closes_in_time(now, client)


def closes_early(now: datetime, client: Person) -> Acts:
    """Begins the close of each month on the 22nd, so that the roll finds it signed off."""
    wall = _wall(now)
    if (wall.day, wall.hour) == (22, 10) and client.stage == "weekly":
        return [("move", f"eom_close {wall:%Y-%m}")]
    return closes_in_time(now, client)


def reopens(now: datetime, client: Person) -> Acts:
    """Corrects the month before on the 20th of each second month."""
    wall = _wall(now)
    last = wall.replace(day=1) - timedelta(days=1)
    if (wall.day, wall.hour) == (20, 9) and client.stage == "weekly" and wall.month % 2:
        return [("move", f"eom_close {last:%Y-%m}")]
    return closes_in_time(now, client)


def undoes(now: datetime, client: Person) -> Acts:
    """Hands each close over a day too early, and undoes it."""
    if client.stage == "eom_close" and now - client.entered == timedelta(days=1):
        return [("move", "eom_review"), ("undo", "")]
    return closes_in_time(now, client)


def changes_cadence(now: datetime, client: Person) -> Acts:
    """Another one in the middle of each month."""
    wall = _wall(now)
    if (wall.day, wall.hour) == (15, 12):
        return [("cadence", ("monthly", "quarterly", "annual", "none")[wall.month % 4])]
    return closes_in_time(now, client)


def comes_and_goes(now: datetime, client: Person) -> Acts:
    """Inactive over the turn of the year, in the middle of two seasons."""
    wall = _wall(now)
    if (wall.month, wall.day, wall.hour) == (12, 20, 9) and client.stage == "weekly":
        return [("active", "no")]
    if (wall.month, wall.day, wall.hour) == (1, 20, 9) and not client.active:
        return [("active", "yes")]
    return closes_in_time(now, client) if client.active else []


def files_and_advises(now: datetime, client: Person) -> Acts:
    """Clears the sales tax when it is filed; sets advisory_due before and after the day it is cleared."""
    wall = _wall(now)
    if (wall.day, wall.hour) == (18, 15) and "sales_tax_due" in client.flags:
        return [("clear_flag", "sales_tax_due")]
    if (wall.day, wall.hour) == (3, 11) and "advisory_due" not in client.flags:
        return [("set_flag", "advisory_due")]
    if (wall.day, wall.hour) == (16, 11) and wall.month % 3 == 0:
        return [("set_flag", "advisory_due")]
    return closes_in_time(now, client)


def _closing(now: datetime, client: Person, books: timedelta, review: timedelta) -> Acts:
    age = now - client.entered
    if client.stage == "eom_close" and age == books:
        return [("move", "eom_review")]
    if client.stage == "eom_review" and age == review:
        return [("move", "weekly")]
    return []
