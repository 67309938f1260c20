"""Every hour of ten years through the real jobs, against the calendar: everything once, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg
import pytest

from tests.jobs import calendar, people
from tests.jobs.world import World, states

pytestmark = pytest.mark.slow

# Each from July to July, so that a year's end is in the middle.
YEARS = range(2025, 2035)


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
@pytest.mark.parametrize("year", YEARS)
def test_everything_happens_once_and_nothing_else(fresh_dsn: str, year: int) -> None:
    first, last = date(year, 7, 1), date(year + 1, 7, 2)
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        world = World(db, calendar.at(first))
        firm(world)
        world.run_until(calendar.at(last))

        happened = world.happened()
        assert len(happened) > 100
        assert happened == sorted(world.expected)
        assert [(each.id, each.stage, sorted(each.flags)) for each in world.clients] == states(db)
        # every run is on the ledger, and none was missed
        assert db.execute("select distinct outcome from job_runs").fetchall() == [("done",)]
        rows = db.execute(
            "select job, count(*) from job_runs where due_at >= %s group by 1",
            (world.expected[0][0],),
        )
        counts = dict(rows.fetchall())
        assert counts["flag_seasonal"] == (last - first).days
        assert counts["stage_stuck_detector"] == (calendar.at(last) - calendar.at(first)) / timedelta(hours=1)
