"""The closes of a firm as the design page has them, in plain Python: sections 4, 6, 7 and 11.

Written from the page and not from the SQL, so that a mistake in one of the two shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.jobs import calendar
from tests.support.words import PAUSES, stages_after

Month = tuple[int, int]

CLOSING = ("eom_close", "eom_review")
ROLLER = "system:cron:stage_autoroll_eom_open"
UNDO_TIME = timedelta(minutes=10)


def text(month: Month) -> str:
    return f"{month[0]}-{month[1]:02}"


def shifted(month: Month, by: int) -> Month:
    number = month[0] * 12 + month[1] - 1 + by
    return number // 12, number % 12 + 1


@dataclass(eq=False)  # two moves can be alike
class Move:
    at: datetime
    actor: str
    from_stage: str
    to_stage: str
    from_returning_to: str | None
    from_month: Month | None
    month: Month | None
    run: int | None = None
    is_undone: bool = False

    @property
    def opens(self) -> bool:
        return (self.from_returning_to or self.from_stage) not in CLOSING

    @property
    def hands_over(self) -> bool:
        return self.to_stage == "eom_review" and self.from_returning_to != "eom_review"


@dataclass
class FieldChange:
    at: datetime
    actor: str
    name: str
    before: object


@dataclass
class Client:
    added: datetime
    cadence: str
    stage: str = "weekly"
    returning_to: str | None = None
    month: Month | None = None
    active: bool = True
    moves: list[Move] = field(default_factory=list)
    newest: Move | FieldChange | None = None  # its newest change, if that is no rollback
    rollbacks: dict[Month | None, str | None] = field(default_factory=dict)  # the last one's actor; null: of a run

    def of(self, month: Month) -> list[Move]:
        """The moves in force of a month's close, in order."""
        return [m for m in self.moves if m.month == month and not m.is_undone]

    def state(self, month: Month) -> str:
        if not (moves := self.of(month)):
            return "not_opened"
        to = moves[-1].to_stage
        states = {"eom_review": "in_review", "weekly": "closed", **dict.fromkeys(PAUSES, "paused")}
        return states.get(to, "open")

    def rolled_back_by(self, month: Month) -> str | None:
        """The person who rolled the opening back, if nothing of the close is in force."""
        return None if self.of(month) else self.rollbacks.get(month)

    def owes(self, month: Month) -> bool:
        return self.active and calendar.closes(self.cadence, month[1]) and self.added < calendar.due_after(*month)

    def default_month(self, now: datetime) -> Month:
        """Of a move into eom_close that names none."""
        newest = calendar.rolled_month(now)
        for back in range(15):
            month = shifted(newest, -back)
            wall = self.added.astimezone(calendar.FIRM)
            owed = (
                month >= (wall.year, wall.month)
                if self.cadence == "none"
                else calendar.closes(self.cadence, month[1]) and self.added < calendar.due_after(*month)
            )
            if owed or self.of(month):
                return month
        month = shifted(newest, 1)
        while self.cadence != "none" and not calendar.closes(self.cadence, month[1]):
            month = shifted(month, 1)
        return month

    def move(
        self,
        now: datetime,
        actor: str,
        to_stage: str,
        month: Month | None = None,
        run: int | None = None,
    ) -> None:
        was = self.month
        if to_stage in CLOSING and was is None:
            self.month = month or self.default_month(now)
        move = Move(now, actor, self.stage, to_stage, self.returning_to, was, self.month, run)
        self.newest = move
        self.moves.append(move)
        if to_stage not in PAUSES:
            self.returning_to = None
            if to_stage not in CLOSING:
                self.month = None
        elif self.stage not in PAUSES:
            self.returning_to = self.stage
        self.stage = to_stage

    def last_in_force(self) -> Move | None:
        return next((m for m in reversed(self.moves) if not m.is_undone), None)

    def change(self, now: datetime, actor: str, name: str, value: object) -> None:
        """Another value of a field."""
        self.newest = FieldChange(now, actor, name, getattr(self, name))
        setattr(self, name, value)

    def reverse(self, move: Move | FieldChange, actor: str, *, with_run: bool = False) -> None:
        self.newest = None
        if isinstance(move, FieldChange):
            setattr(self, move.name, move.before)
            return
        move.is_undone = True
        self.rollbacks[move.month] = None if with_run else actor
        self.stage, self.returning_to = move.from_stage, move.from_returning_to
        self.month = move.from_month

    def possible(self) -> list[str]:
        return sorted(stages_after(self.stage, self.returning_to) - {"offboarding"})


@dataclass
class Firm:
    now: datetime
    clients: dict[int, Client] = field(default_factory=dict)

    def to_open(self) -> dict[int, str]:
        """Each client that owes the month of the newest roll and is not in its close: why the roll doesn't open it."""
        month = calendar.rolled_month(self.now)
        found = {}
        for key, client in self.clients.items():
            state = client.state(month)
            if not client.owes(month) or state == "closed" or client.month == month:
                continue
            if state != "not_opened":
                found[key] = "left"
            elif client.month is not None:
                found[key] = "still_closing"
            elif client.returning_to is not None:
                found[key] = "paused"
            elif client.stage != "weekly":
                found[key] = f"in_{client.stage}"
            elif client.rolled_back_by(month):
                found[key] = "rolled_back"
            else:
                found[key] = "ready"
        return found

    def roll(self, run: int) -> None:
        month = calendar.rolled_month(self.now)
        for key, why in self.to_open().items():
            if why == "ready":
                self.clients[key].move(self.now, ROLLER, "eom_close", month, run)

    def roll_back_run(self, run: int, actor: str) -> None:
        """Every client without a later change that depends on the run goes back."""
        for client in self.clients.values():
            last = client.last_in_force()
            if last is not None and last.run == run and client.active:
                client.reverse(last, actor, with_run=True)

    def closes(self, month: Month) -> dict[int, dict[str, object]]:
        found = {}
        for key, client in self.clients.items():
            state, owed = client.state(month), client.owes(month)
            if state == "not_opened" and not owed:
                continue
            moves = client.of(month)
            over = [m for m in moves if m.hands_over]
            signed = moves[-1] if state == "closed" else None
            back = [m for m in moves if (m.from_stage, m.to_stage) == ("eom_review", "eom_close")]
            due = calendar.due_after(*month)
            found[key] = {
                "state": state,
                "owed": owed,
                "opened_at": moves[0].at if moves else None,
                "opened_by": moves[0].actor if moves else None,
                "reviewed_at": over[-1].at if over else None,
                "reviewed_by": over[-1].actor if over else None,
                "sent_back": len(back),
                "reopened": max(0, sum(m.opens for m in moves) - 1),
                "signed_off_at": signed.at if signed else None,
                "signed_off_by": signed.actor if signed else None,
                "rolled_back_by": client.rolled_back_by(month),
                "late": (signed.at if signed else self.now) >= due,
            }
        return found
