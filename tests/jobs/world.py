"""A small firm in a made-up time: its people act at set hours, the jobs run every hour, and what the jobs
should do is worked out beside them from the calendar alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import psycopg

from tests.jobs import calendar
from tests.support import clock
from tests.support.calls import ADMIN, call, make_client, move, version

Event = tuple[datetime, str, int, str]  # when, which job, which client, what

# The jobs' hours between two changes by people, in one transaction.
TICK = f"""
create procedure public.sim_tick(first timestamptz, last timestamptz) language plpgsql as $$
declare
  v_hour timestamptz := first;
  v_job  text;
begin
  while v_hour <= last loop
    perform set_config('{clock.SETTING}', v_hour::text, true);
    for v_job in select d.job from jobs.due(v_hour) d where d.is_due loop
      perform jobs.run(v_job, v_hour);
    end loop;
    v_hour := v_hour + interval '1 hour';
  end loop;
end
$$;
"""


@dataclass
class Person:
    """A client as the model knows it, and what its people do: act name -> day of the month and hour."""

    id: int
    stage: str
    entered: datetime
    cadence: str = "monthly"
    schedule: str = "none"
    flags: set[str] = field(default_factory=set)
    active: bool = True
    returning: str | None = None
    filed: set[tuple[int, int]] = field(default_factory=set)
    added: datetime = datetime.max
    opened: set[tuple[int, int]] = field(default_factory=set)
    paused_after: timedelta = timedelta(0)
    before: tuple[str, datetime, str | None, set[str]] = ("", datetime.max, None, set())  # a move
    acts: Callable[[datetime, Person], list[tuple[str, str]]] = lambda _now, _client: []


class World:
    """The firm in the database, and the model of it."""

    def __init__(self, db: psycopg.Connection, begin: datetime) -> None:
        self.db = db
        self.begin = self.now = begin
        self.clients: list[Person] = []
        self.expected: list[Event] = []
        db.execute(TICK)

    def add(
        self,
        stage: str = "weekly",
        *,
        cadence: str = "monthly",
        schedule: str = "none",
        acts: Callable[[datetime, Person], list[tuple[str, str]]] | None = None,
    ) -> Person:
        with clock.at(self.db, self.now):
            made = make_client(self.db, stage, cadence=cadence, schedule=schedule)
        client = Person(made, stage, self.now, cadence, schedule, added=self.now)
        if acts is not None:
            client.acts = acts
        self.clients.append(client)
        return client

    # -- the model: what the jobs should do at an hour, from the calendar alone

    def expect(self, now: datetime) -> None:
        wall = now.astimezone(calendar.FIRM)
        day = wall.date()
        self._expect_roll(now)
        if now == calendar.at(day) and day.day == 16:
            for client in self.clients:
                self._flag(now, "flag_autoclear_advisory_due", client, "advisory_due", on=False)
        self._expect_stuck(now)
        if now == calendar.at(day):
            self._expect_daily(now)

    def _expect_roll(self, now: datetime) -> None:
        """Each hour from a month's roll to the next: the clients that owe the month, not opened yet."""
        month = calendar.rolled_month(now)
        rolled = calendar.rolls_on(*month)
        if rolled < self.begin and (self.begin.date() - rolled.date()).days > 5:
            return  # too late to catch up
        for client in self.clients:
            if (
                client.active
                and client.stage == "weekly"
                and month not in client.opened
                and calendar.closes(client.cadence, month[1])
                and client.added < calendar.due_after(*month)
            ):
                client.stage, client.entered = "eom_close", now
                client.opened.add(month)
                client.flags.discard("stuck")
                self._expect(rolled, "stage_autoroll_eom_open", client, "eom_close")

    def _expect_stuck(self, now: datetime) -> None:
        for client in self.clients:
            days = calendar.SLA_DAYS.get(client.stage)
            late = days is not None and now - client.entered > timedelta(days=days)
            waiting = "client_blocking" in client.flags
            stuck = client.active and late and not waiting
            self._flag(now, "stage_stuck_detector", client, "stuck", on=stuck)

    def _expect_daily(self, now: datetime) -> None:
        day = now.astimezone(calendar.FIRM).date()
        period = (day.year, day.month)
        for client in self.clients:
            if (
                client.active
                and day.day >= 10
                and calendar.files(client.schedule, day.month)
                and period not in client.filed
                and "sales_tax_due" not in client.flags
            ):
                client.filed.add(period)
                self._flag(now, "flag_sales_tax_due", client, "sales_tax_due", on=True)
        for client in self.clients:
            for flag in sorted(calendar.SEASONS):
                season = calendar.in_season(flag, day)
                if client.active or not season:
                    self._flag(now, "flag_seasonal", client, flag, on=season)

    def _flag(self, now: datetime, job: str, client: Person, flag: str, *, on: bool) -> None:
        if (flag in client.flags) != on:
            (client.flags.add if on else client.flags.discard)(flag)
            self._expect(now, job, client, f"+{flag}" if on else f"-{flag}")

    def _expect(self, now: datetime, job: str, client: Person, what: str) -> None:
        self.expected.append((now, job, client.id, what))

    # -- the people

    def act(self, now: datetime) -> bool:
        """Let the people do what is on their minds at this hour, in the model and in the database."""
        acted = False
        for client in self.clients:
            for act, value in client.acts(now, client):
                acted = True
                with clock.at(self.db, now):
                    self._do(now, client, act, value)
        return acted

    def _do(self, now: datetime, client: Person, act: str, value: str) -> None:
        if act == "move":
            value, _, month = value.partition(" ")
            move(self.db, client.id, value, close_period=month or None)
            client.before = (client.stage, client.entered, client.returning, set(client.flags))
            if month:
                client.opened.add((int(month[:4]), int(month[5:])))
            paused = value.startswith("paused")
            resumes = client.returning == value
            if paused:
                client.paused_after = now - client.entered
            client.returning = client.stage if paused else None
            client.stage, client.entered = value, now - client.paused_after if resumes else now
            client.flags.discard("stuck")
        elif act == "undo":
            expected = version(self.db, client.id)
            call(self.db, act, actor=ADMIN, client_id=client.id, expected_version=expected)
            client.stage, client.entered, client.returning, client.flags = client.before
        elif act in ("set_flag", "clear_flag"):
            call(self.db, act, client_id=client.id, flag=value)
            (client.flags.add if act == "set_flag" else client.flags.discard)(value)
        elif act == "cadence":
            call(self.db, "update_client", client_id=client.id, cadence=value)
            client.cadence = value
        elif act == "active":
            client.active = value == "yes"
            call(self.db, "update_client", client_id=client.id, active=client.active)

    # -- running, and looking

    def run_until(self, end: datetime) -> None:
        """Hour by hour: first the jobs, then the people."""
        first = self.now
        while self.now < end:
            self.expect(self.now)
            people = any(client.acts(self.now, client) for client in self.clients)
            if people or self.now + timedelta(hours=1) >= end:
                with clock.at(self.db, first):
                    self.db.execute("call public.sim_tick(%s, %s)", (first, self.now))
                self.act(self.now)
                first = self.now + timedelta(hours=1)
            self.now += timedelta(hours=1)

    def happened(self) -> list[Event]:
        """What the jobs did, by the history."""
        rows = self.db.execute(
            """
            select (payload ->> 'due_at')::timestamptz, actor_id, client_id,
                   coalesce(to_stage, '+' || flag_added, '-' || flag_removed)
            from stage_history
            where channel = 'cron'
            """
        ).fetchall()
        return sorted((when, actor.removeprefix("system:cron:"), client, what) for when, actor, client, what in rows)


def states(db: psycopg.Connection) -> list[tuple[int, str, list[str]]]:
    return db.execute("select id, stage, flags from clients order by id").fetchall()
