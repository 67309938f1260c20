"""Every hour of years through the real jobs, against the calendar: everything once, and nothing else.

By default the half-year that has most in it, ATLAS_TEST_YEARS=10 for all of 2025 to 2034.
"""

from __future__ import annotations

import os
from datetime import date, timedelta

import psycopg
import pytest

from tests.jobs import calendar, people
from tests.jobs.world import World, states

pytestmark = pytest.mark.slow

YEARS = int(os.environ.get("ATLAS_TEST_YEARS", "0"))
# The half-year: a month that ends on a holiday, both changes of clocks, a leap day, all seasons, an annual close.
FIRST = date(2025, 1, 1) if YEARS else date(2027, 10, 15)
LAST = date(2025 + YEARS, 1, 2) if YEARS else date(2028, 5, 2)


def firm(world: World) -> None:
    """One client of each kind."""
    for cadence in ("monthly", "quarterly", "annual", "none"):
        world.add(cadence=cadence, schedule=cadence, acts=people.closes_in_time)
    world.add(acts=people.closes_at_once, schedule="quarterly")
    world.add(acts=people.closes_late)
    world.add(acts=people.waits_for_the_client)
    world.add(acts=people.pauses_over_the_month_end)
    world.add(acts=people.closes_early)
    world.add(acts=people.reopens)
    world.add(acts=people.undoes)
    world.add(acts=people.changes_cadence)
    world.add(acts=people.comes_and_goes, schedule="monthly")
    world.add(acts=people.files_and_advises, schedule="monthly")
    world.add("onboarding", schedule="annual")
    world.add("cleanup")


@pytest.mark.timeout(1800)
def test_everything_happens_once_and_nothing_else(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        world = World(db, calendar.at(FIRST))
        firm(world)
        world.run_until(calendar.at(LAST))

        happened = world.happened()
        assert len(happened) > 100 * max(1, YEARS)
        assert happened == sorted(world.expected)
        assert [(each.id, each.stage, sorted(each.flags)) for each in world.clients] == states(db)
        # every run is on the ledger, and none was missed
        assert db.execute("select distinct outcome from job_runs").fetchall() == [("done",)]
        rows = db.execute(
            "select job, count(*) from job_runs where due_at >= %s group by 1",
            (world.expected[0][0],),
        )
        counts = dict(rows.fetchall())
        assert counts["flag_seasonal"] == (LAST - FIRST).days
        assert counts["stage_stuck_detector"] == (calendar.at(LAST) - calendar.at(FIRST)) / timedelta(hours=1)
