"""The same calendar with outages, double starts and crashes: in the end everything was done once, what was
not is told, and the ledger has no hole. one seed by default, ATLAS_TEST_SEEDS=20 for more.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.jobs import calendar
from tests.support import clock
from tests.support.calls import call, make_client, move
from tests.support.jobs import JOBS

SEEDS = range(int(os.environ.get("ATLAS_TEST_SEEDS", "1")))
BEGIN = calendar.at(date(2026, 1, 2))
END = calendar.at(date(2026, 7, 14))  # the middle of a month: late rolls are closed by then

Connect = Callable[[], psycopg.Connection]
MONTHLY = ("stage_autoroll_eom_open", "flag_autoclear_advisory_due")


class Disturbed:
    """A scheduler that starts every job every hour, on a server and at hands that fail."""

    def __init__(self, connect: Connect, seed: int) -> None:
        self.connect = connect
        self.db = connect()
        self.random = random.Random(seed)
        self.down_until = BEGIN
        self.outcomes: Counter[str] = Counter()
        self.crashes = 0

    def hour(self, now: datetime) -> None:
        if now >= self.down_until and self.random.random() < 1 / 300:
            self.down_until = now + timedelta(hours=self.random.choice([1, 5, 30, 100, 200]))
        if now < self.down_until:
            return
        due = self.due(now)
        for job in JOBS:
            self.start(job, now, is_due=job in due)

    def start(self, job: str, now: datetime, *, is_due: bool) -> None:
        if is_due and self.random.random() < 1 / 100:
            self.crash(job, now)
            return
        if self.random.random() < 1 / 100:
            self.start_twice(job, now)
        if is_due or self.random.random() < 1 / 100:
            self.perform(self.db, job, now)

    def due(self, now: datetime) -> set[str]:
        rows = self.db.execute("select job from jobs.due(%s) where is_due", (now,)).fetchall()
        return {row[0] for row in rows}

    def perform(self, db: psycopg.Connection, job: str, now: datetime, *, only_if_due: bool = True) -> Any:
        with clock.at(db, now):
            row = db.execute("call jobs.run_in_slices(%s, %s, %s)", (job, now, only_if_due)).fetchone()
        assert row is not None
        self.outcomes[row[0]["outcome"]] += 1
        return row[0]

    def start_twice(self, job: str, now: datetime) -> None:
        """While one session is at it, another comes."""
        with self.connect() as first, clock.at(first, now):
            row = first.execute("select jobs.start_run(%s, %s)", (job, now)).fetchone()
            assert row is not None
            assert self.perform(self.db, job, now)["outcome"] == (
                "busy" if row[0]["outcome"] == "running" else row[0]["outcome"]
            )
            if row[0]["outcome"] == "running":
                finish(first, row[0]["run_id"])

    def crash(self, job: str, now: datetime) -> None:
        """The server loses the session after a part of the work."""
        crashing = self.connect()
        row = crashing.execute("select jobs.start_run(%s, %s)", (job, now)).fetchone()
        assert row is not None
        if row[0]["outcome"] == "running":
            run = row[0]["run_id"]
            found = crashing.execute("select jobs.clients_to_change(%s)", (run,)).fetchone()
            assert found is not None
            if found[0]:
                with clock.at(crashing, now):
                    crashing.execute("select jobs.change_slice(%s, %s)", (run, found[0][:2]))
            self.crashes += 1
        self.db.execute("select pg_terminate_backend(%s, 5000)", (crashing.info.backend_pid,))
        crashing.close()

    def people(self, now: datetime) -> None:
        """Clients two days in EOM close are handed over, clients in review since yesterday are signed off, and
        sales tax is filed on the last day of the month.
        """
        rows = self.db.execute("select id, stage, stage_entered_at, flags from clients order by id").fetchall()
        tomorrow = (now.astimezone(calendar.FIRM) + timedelta(days=1)).date()
        for client, stage, entered, flags in rows:
            with clock.at(self.db, now):
                if stage == "eom_close" and now - entered > timedelta(days=2):
                    move(self.db, client, "eom_review")
                elif stage == "eom_review" and now - entered > timedelta(days=1):
                    move(self.db, client, "weekly")
                if tomorrow.day == 1 and "sales_tax_due" in flags:
                    call(self.db, "clear_flag", client_id=client, flag="sales_tax_due")


def finish(db: psycopg.Connection, run: int) -> None:
    """Do the rest of a run that this session has started."""
    db.execute("select jobs.change_slice(%s, jobs.clients_to_change(%s))", (run, run))
    db.execute("select jobs.end_run(%s, '{}')", (run,))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(900)
def test_the_end_is_the_same_and_the_ledger_has_no_hole(connect: Connect, seed: int) -> None:
    firm = Disturbed(connect, seed)
    db = firm.db
    with clock.at(db, BEGIN):
        clients = [make_client(db, schedule="monthly") for _ in range(5)]
    for job in JOBS:
        firm.perform(db, job, BEGIN, only_if_due=False)

    for now in calendar.ticks(BEGIN + timedelta(hours=1), END):
        firm.hour(now)
        if now.astimezone(calendar.FIRM).hour == 17:
            firm.people(now)
            do_on_purpose_what_was_skipped(firm)
    firm.down_until = END
    for job in JOBS:
        firm.perform(db, job, END)

    assert firm.crashes > 0
    assert firm.outcomes["busy"] > 0
    check_month_ends(db, clients)
    check_flags(db, clients)
    check_ledger(db)


def do_on_purpose_what_was_skipped(firm: Disturbed) -> None:
    skipped = firm.db.execute(
        "select job, due_at from job_runs where outcome in ('skipped', 'failed') and job = any (%s) and due_at > %s",
        (list(MONTHLY), BEGIN),
    ).fetchall()
    for job, due_at in skipped:
        assert firm.perform(firm.db, job, due_at, only_if_due=False)["outcome"] == "done"


def check_month_ends(db: psycopg.Connection, clients: list[int]) -> None:
    """Each client was rolled once for every month that it owes, and is back in weekly.

    The clients were added before December was due.
    """
    rows = db.execute(
        "select client_id, close_period from stage_history"
        " where actor_id = 'system:cron:stage_autoroll_eom_open' order by 1, 2"
    ).fetchall()
    months = ["2025-12", *(f"2026-{month:02}" for month in range(1, 7))]
    assert rows == [(client, month) for client in clients for month in months]
    assert db.execute("select distinct stage from clients").fetchall() == [("weekly",)]


def check_flags(db: psycopg.Connection, clients: list[int]) -> None:
    """Every filing was announced once; the seasons came and went once; no client is stuck."""
    rows = db.execute(
        "select client_id, payload ->> 'period' from stage_history"
        " where actor_id = 'system:cron:flag_sales_tax_due' order by 1, 2"
    ).fetchall()
    assert rows == [(client, f"2026-{month:02}") for client in clients for month in range(1, 8)]
    rows = db.execute(
        "select coalesce('+' || flag_added, '-' || flag_removed), count(*) from stage_history"
        " where actor_id = 'system:cron:flag_seasonal' group by 1 order by 1"
    ).fetchall()
    changes = [f"{sign}{flag}" for sign in "+-" for flag in calendar.SEASONS]
    assert dict(rows) == dict.fromkeys(changes, len(clients))
    assert db.execute("select distinct flags from clients").fetchall() == [(["sales_tax_due"],)]


def check_ledger(db: psycopg.Connection) -> None:
    """Run or skipped, every occurrence is there: one row each, or one row per gap."""
    for job in JOBS:
        rows = db.execute(
            "select due_at, outcome, counts from job_runs where job = %s order by due_at", (job,)
        ).fetchall()
        covered = [
            due_at if outcome != "skipped" or "until" not in counts else datetime.fromisoformat(counts["until"])
            for due_at, outcome, counts in rows
        ]
        for (due_at, _, _), before in zip(rows[1:], covered, strict=False):
            row = db.execute("select (jobs.occurrences(%s, %s)).next_due", (job, before)).fetchone()
            assert row == (due_at,), (job, before)
        assert rows[0][0] <= BEGIN
        assert db.execute("select (jobs.occurrences(%s, %s)).due_at", (job, END)).fetchone() == (covered[-1],)
        assert all(outcome != "running" for _, outcome, _ in rows)
