"""A random life of some closes, told to the database and to the model: after each step the reports agree.

Months, people, pauses, rollbacks, several months at once, the roll and the rollback of its runs.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.jobs import calendar
from tests.model.closes import (
    CLOSING,
    ROLLER,
    UNDO_TIME,
    Client,
    FieldChange,
    Firm,
    Move,
    shifted,
    text,
)
from tests.support import clock
from tests.support.calls import ADMIN, begin_anew, call, client_row, grant, make_client, move

pytestmark = pytest.mark.slow

ANA = "user:ana"
BEGIN = calendar.at(date(2026, 1, 2), 10)
CADENCES = ("monthly", "monthly", "quarterly", "none")
NUMBERS = ("state", "owed", "opened_at", "opened_by", "reviewed_at", "reviewed_by", "sent_back")
NUMBERS += ("reopened", "signed_off_at", "signed_off_by", "rolled_back_by", "late")

keys = st.integers(0, len(CADENCES) - 1)
months = st.one_of(st.none(), st.integers(-3, 1))  # from the month of the newest roll
actors = st.sampled_from([ADMIN, ANA, ANA])


class Life(RuleBasedStateMachine):
    """Steps through the database and the model side by side, in one transaction that is rolled back."""

    def __init__(self, db: psycopg.Connection) -> None:
        super().__init__()
        self.db = db
        begin_anew(db)
        self.firm = Firm(BEGIN)
        self.ids: list[int] = []
        self.run: int | None = None
        self.refusal: str | None = None  # the last one's details

    def teardown(self) -> None:
        self.db.rollback()

    @initialize()
    def begin(self) -> None:
        for permission in ("can_set_stage", "can_sign_off_eom_review"):
            grant(self.db, ANA, permission)
        for cadence in CADENCES:
            self.add(cadence)
        self.roll()

    def add(self, cadence: str) -> None:
        with clock.at(self.db, self.firm.now):
            made = make_client(self.db, cadence=cadence)
        self.ids.append(made)
        self.firm.clients[made] = Client(self.firm.now, cadence)

    def of(self, key: int) -> tuple[int, Client]:
        made = self.ids[key % len(self.ids)]
        return made, self.firm.clients[made]

    # What may happen

    @rule(hours=st.sampled_from([1, 1, 7, 24, 60, 96]))
    def wait(self, hours: int) -> None:
        """Time passes, and the scheduler starts the roll. It is never away for longer than the catch-up days."""
        self.firm.now += timedelta(hours=hours)
        self.roll()

    def roll(self) -> None:
        with clock.at(self.db, self.firm.now):
            self.compare_plan()
            row = self.db.execute(
                "call jobs.run_in_slices(%s, commits => false)", (ROLLER.rsplit(":", 1)[1],)
            ).fetchone()
        assert row is not None
        assert row[0]["outcome"] == "done", row
        self.run = row[0]["run_id"]
        self.firm.roll(self.run)
        self.compare()

    @precondition(lambda self: len(self.ids) < 7)
    @rule(cadence=st.sampled_from(CADENCES))
    def add_client(self, cadence: str) -> None:
        self.add(cadence)
        self.compare()

    @rule(key=keys, actor=actors, month=months, data=st.data())
    def move(self, key: int, actor: str, month: int | None, data: st.DataObject) -> None:
        made, client = self.of(key)
        if client.active and (possible := client.possible()):
            self._move(made, actor, data.draw(st.sampled_from(possible)), month)

    @rule(key=keys, to_stage=st.sampled_from(["weekly", "cleanup", "eom_close", "eom_review"]))
    def override(self, key: int, to_stage: str) -> None:
        made, client = self.of(key)
        if client.active and client.stage != to_stage:
            self._move(made, ADMIN, to_stage, None, override=True)

    @rule(key=keys, month=months, gap=st.sampled_from([0, 30]))
    def close(self, key: int, month: int | None, gap: int) -> None:
        """All of a close, as far as it goes."""
        made, client = self.of(key)
        for to_stage in ("eom_close", "eom_review", "weekly"):
            if client.active and to_stage in client.possible():
                self.firm.now += timedelta(minutes=gap)
                self._move(made, ANA, to_stage, month if to_stage == "eom_close" else None)

    def _move(self, made: int, actor: str, to_stage: str, month: int | None, *, override: bool = False) -> None:
        client = self.firm.clients[made]
        chosen = None
        if to_stage in CLOSING and client.month is None and month is not None:
            chosen = shifted(calendar.rolled_month(self.firm.now), month)
        with clock.at(self.db, self.firm.now):
            move(
                self.db,
                made,
                to_stage,
                actor=actor,
                override=override,
                close_period=text(chosen) if chosen else None,
            )
        client.move(self.firm.now, actor, to_stage, chosen)
        self.compare()

    @rule(key=keys, actor=actors, minutes=st.sampled_from([0, 5, 11]))
    def undo(self, key: int, actor: str, minutes: int) -> None:
        made, client = self.of(key)
        self.firm.now += timedelta(minutes=minutes)
        newest = client.newest
        allowed = (
            newest is not None
            and (client.active or isinstance(newest, FieldChange))
            and newest.actor == actor
            and self.firm.now - newest.at <= UNDO_TIME
        )
        row = client_row(self.db, made)
        answer = self.tell("undo", actor, client_id=made, expected_version=row["version"])
        assert answer is allowed, self.refusal
        if newest is not None and allowed:
            client.reverse(newest, actor)
        self.compare()

    @rule(key=keys)
    def roll_back(self, key: int) -> None:
        """An admin rolls the newest move back; another one is refused, as later moves depend on it."""
        made, client = self.of(key)
        last = client.last_in_force()
        if last is None or not client.active:
            return
        for each in client.moves:
            allowed = each is last
            if not each.is_undone:
                row = self._history_id(made, client, each)
                answer = self.tell("rollback", ADMIN, client_id=made, history_id=row, reason="why")
                assert answer is allowed, self.refusal
        client.reverse(last, ADMIN)
        self.compare()

    def _history_id(self, made: int, client: Client, each: Move) -> int:
        """The rows of a client's moves without its rollbacks, in order, are those of the model."""
        rows = self.db.execute(
            "select id from public.stage_history where client_id = %s and from_stage is not null"
            " and trigger_type <> 'rollback' order by version",
            (made,),
        ).fetchall()
        return int(rows[client.moves.index(each)][0])

    @precondition(lambda self: self.run is not None)
    @rule()
    def roll_back_run(self) -> None:
        run = self.run
        assert run is not None
        with clock.at(self.db, self.firm.now):
            call(self.db, "rollback_run", actor=ADMIN, run_id=run, reason="it ran too early")
        self.firm.roll_back_run(run, ADMIN)
        self.run = None
        self.compare()

    @rule(key=keys, active=st.booleans())
    def set_active(self, key: int, active: bool) -> None:
        made, client = self.of(key)
        if client.active is not active:
            with clock.at(self.db, self.firm.now):
                call(self.db, "update_client", client_id=made, active=active, reason="why")
            client.change(self.firm.now, ADMIN, "active", active)
            self.compare()

    @rule(key=keys, cadence=st.sampled_from([*CADENCES, "annual"]))
    def set_cadence(self, key: int, cadence: str) -> None:
        made, client = self.of(key)
        if client.cadence != cadence:
            with clock.at(self.db, self.firm.now):
                call(self.db, "update_client", client_id=made, cadence=cadence, reason="why")
            client.change(self.firm.now, ADMIN, "cadence", cadence)
            self.compare()

    # Comparing

    def tell(self, function: str, actor: str, **arguments: Any) -> bool:
        """Whether the database accepted it."""
        try:
            with clock.at(self.db, self.firm.now):
                call(self.db, function, actor=actor, **arguments)
        except psycopg.Error as error:
            assert (error.sqlstate or "").startswith("PT4"), error  # noqa: PT017
            self.db.execute(f"reset {clock.SETTING}".encode())
            self.refusal = error.diag.message_detail
            return False
        return True

    def compare_plan(self) -> None:
        """The dry run names everyone, in each class."""
        row = self.db.execute("select jobs.run(%s, dry_run => true)", (ROLLER.rsplit(":", 1)[1],)).fetchone()
        assert row is not None
        named = {
            each["id"]: word for word, found in row[0].items() if isinstance(found, dict) for each in found["clients"]
        }
        ready = {each["client_id"]: "ready" for each in row[0]["rows"]}
        assert named | ready == self.firm.to_open()

    def compare(self) -> None:
        for made, client in self.firm.clients.items():
            row = client_row(self.db, made)
            stored = row["stage"], row["returning_to_stage"], row["close_period"]
            month = text(client.month) if client.month else None
            assert stored == (client.stage, client.returning_to, month)
        newest = calendar.rolled_month(self.firm.now)
        with clock.at(self.db, self.firm.now):
            for by in range(-5, 3):
                month = shifted(newest, by)
                answer = call(self.db, "closes", month=text(month))
                listed = {each["client_id"]: {name: each[name] for name in NUMBERS} for each in answer["closes"]}
                expected = {
                    made: {
                        name: value.isoformat() if name.endswith("_at") and value else value
                        for name, value in close.items()
                    }
                    for made, close in self.firm.closes(month).items()
                }
                for each in listed.values():
                    for name in ("opened_at", "reviewed_at", "signed_off_at"):
                        each[name] = _utc(each[name])
                assert listed == expected, text(month)


def _utc(moment: str | None) -> str | None:
    return datetime.fromisoformat(moment).astimezone(UTC).isoformat() if moment else None


@pytest.mark.timeout(600)  # a failure is shrunk for up to five minutes
def test_a_random_life_of_closes_is_reported_alike(db: psycopg.Connection) -> None:
    run_state_machine_as_test(
        lambda: Life(db),
        settings=settings(
            max_examples=25,
            stateful_step_count=40,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
