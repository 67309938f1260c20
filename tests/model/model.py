"""The rules of clients as the design page has them, in plain Python: sections 3 to 6.

Written from the page and not from the SQL, so that a mistake in one of the two shows.
A refused change names its rules; an accepted one changes the model's client.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.words import (
    FLAGS,
    FLAGS_OF_ANYONE,
    PAUSES,
    SETTER_OF_FLAG,
    STAGES,
    permission_for,
    stages_after,
)

DAY_TO_DAY = {"stage_owner", "stage_notes"}


class Refused(Exception):  # noqa: N818  it is the model's answer, not an error
    """The change is forbidden; `rules` are the codes of every rule that fails."""

    def __init__(self, *rules: str) -> None:
        super().__init__(", ".join(sorted(rules)))
        self.rules = set(rules)


@dataclass(frozen=True)
class Grant:
    actor: str
    permission: str
    scope: dict[str, list[Any]] | None = None

    def covers(self, permission: str, facts: dict[str, Any]) -> bool:
        """Whether this grant lets its actor do that: can_admin implies everything within its scope."""
        if self.permission not in (permission, "can_admin"):
            return False
        keys = {
            "from": "from",
            "to": "to",
            "flags": "flag",
            "clients": "client",
            "service_tiers": "tier",
        }
        return all(key in keys and facts.get(keys[key]) in values for key, values in (self.scope or {}).items())


# The columns of the fields, and what the model calls them.
FIELDS = {
    "stage_owner": "owner",
    "stage_notes": "notes",
    "service_tier": "tier",
    "eligible_reviewers": "reviewers",
    "active": "active",
}


@dataclass(frozen=True)
class Row:
    """One row of history, as far as the model speaks of it."""

    version: int
    actor: str
    trigger_type: str
    from_stage: str | None = None
    to_stage: str | None = None
    flag_added: str | None = None
    flag_removed: str | None = None
    fields: frozenset[str] = frozenset()
    former: tuple[tuple[str, Any], ...] = field(default=(), compare=False)  # what these fields were before
    came_from: str | None = None  # returning_to_stage before a move
    took_stuck: bool = False  # a move that removed `stuck`
    gave_stuck: bool = False  # the rollback of such a move
    rolls_back: int | None = None  # the version of the row that this one rolls back


@dataclass(frozen=True)
class Client:
    stage: str = "onboarding"
    flags: frozenset[str] = frozenset()
    returning_to: str | None = None
    active: bool = True
    tier: str = "recurring_only"
    reviewers: frozenset[str] | None = None
    owner: str | None = None
    notes: str | None = None
    version: int = 0
    history: tuple[Row, ...] = ()


@dataclass
class Model:
    """All clients and grants; each method is one thing that an actor may try."""

    clients: dict[int, Client] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    separate_reviewer: bool = False

    def may(self, actor: str, permission: str, **facts: Any) -> bool:
        return any(g.actor == actor and g.covers(permission, facts) for g in self.grants)

    def add(self, key: int, client: Client) -> None:
        """A client that exists, at version 0."""
        first = Row(0, "", "", None, client.stage)
        self.clients[key] = replace(client, version=0, history=(first,))

    # Judging

    def move_refusals(self, actor: str, key: int, to_stage: str, *, override: bool = False) -> set[str]:
        client = self.clients[key]
        if to_stage not in STAGES:
            return {"unknown_stage"}
        facts = {"client": key, "from": client.stage, "to": to_stage, "tier": client.tier}
        rules: set[str] = set()
        possible = to_stage in stages_after(client.stage, client.returning_to)
        if override:
            if not self.may(actor, "can_admin", **facts):
                rules.add("override_needs_admin")
            possible = to_stage != client.stage
        else:
            needed = permission_for(client.stage, to_stage)
            if not self.may(actor, needed, **facts):
                rules.add("permission_missing")
            if needed == "can_sign_off_eom_review":
                if client.reviewers is not None and actor not in client.reviewers:
                    rules.add("not_eligible_reviewer")
                if self.separate_reviewer and actor == self.mover_into_review(client):
                    rules.add("reviewer_moved_it_in")
        if not possible:
            rules.add("transition_not_allowed")
        if not client.active:
            rules.add("client_inactive")
        return rules

    @staticmethod
    def mover_into_review(client: Client) -> str | None:
        """Who handed the client over to review: a resume is no hand-over, and the row must be in force."""
        undone = {row.rolls_back for row in client.history}
        for row in reversed(client.history):
            if (
                row.to_stage == "eom_review"
                and row.came_from != "eom_review"
                and row.trigger_type != "rollback"
                and row.version not in undone
            ):
                return row.actor
        return None

    def flag_refusals(self, actor: str, key: int, flag: str) -> set[str]:
        client = self.clients[key]
        if flag not in FLAGS:
            return {"unknown_flag"}
        rules: set[str] = set()
        facts = {"client": key, "flag": flag, "tier": client.tier, "from": client.stage}
        if not self.may(actor, "can_set_flag", **facts):
            rules.add("permission_missing")
        own_job = actor == f"system:cron:{SETTER_OF_FLAG.get(flag)}"
        person = flag == "sales_tax_due" and actor.startswith("user:")
        if not (flag in FLAGS_OF_ANYONE or own_job or person):
            rules.add("flag_reserved")
        return rules

    def field_refusals(self, actor: str, key: int, fields: set[str]) -> set[str]:
        client = self.clients[key]
        needed = "can_set_stage" if fields <= DAY_TO_DAY else "can_admin"
        facts = {"client": key, "tier": client.tier, "from": client.stage}
        return set() if self.may(actor, needed, **facts) else {"permission_missing"}

    # Changing

    def move(self, actor: str, key: int, to_stage: str, expected: int, *, override: bool = False) -> None:
        client = self.clients[key]
        if to_stage in STAGES and expected != client.version:
            raise Refused("version_conflict")
        if rules := self.move_refusals(actor, key, to_stage, override=override):
            raise Refused(*rules)
        why = "manual_override" if override else self.trigger_type(actor)
        self.clients[key] = self._moved(client, actor, to_stage, why)

    def set_flag(self, actor: str, key: int, flag: str, on: bool) -> bool:
        """Whether it changed anything."""
        if rules := self.flag_refusals(actor, key, flag):
            raise Refused(*rules)
        client = self.clients[key]
        if (flag in client.flags) is on:
            return False
        self.clients[key] = self._flagged(client, actor, flag, on, self.trigger_type(actor))
        return True

    def update(self, actor: str, key: int, values: dict[str, Any]) -> bool:
        """Change other fields; whether it changed anything."""
        client = self.clients[key]
        changed = {name for name, value in values.items() if self.value(client, name) != value}
        if not changed:
            return False
        if rules := self.field_refusals(actor, key, changed):
            raise Refused(*rules)
        self.clients[key] = self._updated(client, actor, values, changed)
        return True

    def plain_update(self, actor: str, key: int, stage: str, flags: frozenset[str], values: dict[str, Any]) -> None:
        """One UPDATE of everything at once: judged as a whole on the facts before it, recorded change by change.

        Every stage change removes `stuck`, and a statement that moves cannot set it.
        """
        client = self.clients[key]
        moved = stage != client.stage
        if moved:
            flags = (flags - {"stuck"}) | ({"stuck"} & client.flags)  # the move takes it, nothing else
        changed_flags = flags ^ client.flags
        changed = {name for name, value in values.items() if self.value(client, name) != value}
        failing = [self.move_refusals(actor, key, stage)] if moved else []
        failing += [self.flag_refusals(actor, key, flag) for flag in sorted(changed_flags)]
        failing += [self.field_refusals(actor, key, changed)] if changed else []
        if any(failing):
            # Which of several refused changes is told first is not the page's business.
            raise Refused(*set().union(*failing))

        after = client
        if moved:
            after = self._moved(after, actor, stage, self.trigger_type(actor))
        for flag in sorted(changed_flags):
            after = self._flagged(after, actor, flag, flag in flags, self.trigger_type(actor))
        if changed:
            after = self._updated(after, actor, values, changed)
        self.clients[key] = after

    def rollback(self, actor: str, key: int, version: int) -> None:
        client = self.clients[key]
        row = client.history[version]
        if not self.may(actor, "can_admin", client=key, **{"from": client.stage, "tier": client.tier}):
            raise Refused("permission_missing")
        is_move = row.from_stage is not None
        flag = row.flag_added or row.flag_removed
        if not (is_move or flag or row.fields) or row.rolls_back is not None:
            raise Refused("not_reversible")
        undone = {r.rolls_back for r in client.history if r.rolls_back is not None}
        if version in undone:
            raise Refused("already_rolled_back")
        if is_move and not client.active:
            raise Refused("client_inactive")
        if any(self.stands_on(row, later, undone) for later in client.history[version + 1 :]):
            raise Refused("rollback_blocked")
        number = client.version + 1
        if is_move:
            assert row.from_stage is not None
            # `stuck` belongs to the stage that it was set in: the one left loses it, the one restored has it again.
            stuck = frozenset({"stuck"}) if row.took_stuck else frozenset()
            flags = (client.flags - {"stuck"}) | stuck
            undo = Row(
                number,
                actor,
                "rollback",
                client.stage,
                row.from_stage,
                came_from=client.returning_to,
                took_stuck="stuck" in client.flags - flags,
                gave_stuck="stuck" in flags - client.flags,
                rolls_back=version,
            )
            client = replace(client, stage=row.from_stage, returning_to=row.came_from, flags=flags)
        elif row.fields:
            undo = Row(number, actor, "rollback", fields=row.fields, rolls_back=version)
            client = replace(client, **{FIELDS[name]: value for name, value in row.former})
        else:
            assert flag is not None
            undo = Row(
                number,
                actor,
                "rollback",
                flag_added=row.flag_removed,
                flag_removed=row.flag_added,
                rolls_back=version,
            )
            client = replace(client, flags=client.flags ^ {flag})
        self.clients[key] = replace(client, version=number, history=(*client.history, undo))

    @staticmethod
    def stands_on(row: Row, later: Row, undone: set[int | None]) -> bool:
        """Whether a later change of the same thing depends on a row. A change that was rolled back doesn't count."""
        flag = row.flag_added or row.flag_removed
        carried_stuck = flag == "stuck" and (later.took_stuck or later.gave_stuck)
        if later.rolls_back is not None:
            return carried_stuck  # a rollback of a move changed `stuck`, and a rollback can't be rolled back
        if later.version in undone:
            return False
        if row.from_stage is not None:
            return later.from_stage is not None
        if row.fields:
            return not row.fields.isdisjoint(later.fields)
        return carried_stuck or flag in (later.flag_added, later.flag_removed)

    @staticmethod
    def trigger_type(actor: str) -> str:
        """Of an ordinary change; of a system actor the page leaves it open here."""
        if actor.startswith("user:"):
            return "manual"
        return "agent_action" if actor.startswith("agent:") else "system"

    @staticmethod
    def value(client: Client, name: str) -> Any:
        return getattr(client, FIELDS[name])

    def _moved(self, client: Client, actor: str, to_stage: str, why: str) -> Client:
        number = client.version + 1
        row = Row(
            number,
            actor,
            why,
            client.stage,
            to_stage,
            came_from=client.returning_to,
            took_stuck="stuck" in client.flags,
        )
        if to_stage not in PAUSES:
            returning_to = None
        elif client.stage in PAUSES:
            returning_to = client.returning_to
        else:
            returning_to = client.stage
        return replace(
            client,
            stage=to_stage,
            returning_to=returning_to,
            flags=client.flags - {"stuck"},
            version=number,
            history=(*client.history, row),
        )

    def _flagged(self, client: Client, actor: str, flag: str, on: bool, why: str) -> Client:
        number = client.version + 1
        row = Row(number, actor, why, flag_added=flag if on else None, flag_removed=None if on else flag)
        flags = client.flags | {flag} if on else client.flags - {flag}
        return replace(client, flags=flags, version=number, history=(*client.history, row))

    def _updated(self, client: Client, actor: str, values: dict[str, Any], changed: set[str]) -> Client:
        number = client.version + 1
        row = Row(
            number,
            actor,
            self.trigger_type(actor),
            fields=frozenset(changed),
            former=tuple((name, self.value(client, name)) for name in sorted(changed)),
        )
        return replace(
            client,
            **{FIELDS[name]: values[name] for name in changed},
            version=number,
            history=(*client.history, row),
        )
