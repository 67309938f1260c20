"""The answers of the functions of schema `api`, as frozen dataclasses.

Instants are aware datetimes, lists are tuples. Unknown keys are ignored: a newer database doesn't break an
older script.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import GenericAlias, UnionType
from typing import Any, Self, TypeVar, dataclass_transform, get_args, get_origin, get_type_hints, overload

from atlas_stage.errors import SAME_VERSION, StageError, from_refusal

T = TypeVar("T")
Json = Mapping[str, Any]


@dataclass_transform(frozen_default=True)
class Record:
    """Base of the answers. Each subclass is a frozen dataclass that can be read from JSON and written as JSON.

    `answers` lists the functions of `api` that return it, `f.key` if it is a key of the answer, `pages` those that
    return pages of it. tools/generate.py reads them.
    """

    def __init_subclass__(cls, *, answers: str = "", pages: str = "", kw_only: bool = False) -> None:
        dataclass(frozen=True, kw_only=kw_only)(cls)

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """The record in a JSON object. Raises StageError if a field is missing or has the wrong shape."""
        return _record(cls, data)  # type: ignore[no-any-return]

    def as_json(self) -> dict[str, Any]:
        """The record as JSON values: instants in ISO 8601, tuples as lists."""
        return json.loads(json.dumps(vars(self), default=json_of))  # type: ignore[no-any-return]


def json_of(value: object) -> Any:
    """A value that the module json can't write, as one that it can."""
    match value:
        case Record():
            return vars(value)
        case StageError():
            return value.as_json()
        case datetime():
            return value.isoformat()
    return str(value)


class Page(Record, Sequence[T]):
    """One page of a list. `next` holds the arguments that lead to the next page; it is empty after the last."""

    items: tuple[T, ...]
    next: Json

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...
    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        return self.items[place]

    def __len__(self) -> int:
        return len(self.items)


def read(kind: Any, value: Any) -> Any:
    """A JSON value as a record, a `Page[Client]`, a datetime or a tuple of these. Raises StageError."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else read(parts[0], value)
    if origin is tuple:
        return tuple(read(parts[0], each) for each in value)
    if origin is Page:
        return _record(kind, value)
    if isinstance(kind, type) and issubclass(kind, Record):
        return kind.from_json(value)
    if kind is not datetime:
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # beyond Python's calendar, as `infinity`
        return datetime.max.replace(tzinfo=UTC)


def _record(kind: Any, data: Json) -> Any:
    try:
        kinds = kinds_of(kind)
        found = {name: read(kinds[name], data[name]) for name in kinds.keys() & data.keys()}
        if "next" in kinds:
            found["next"] = {
                name.removeprefix("next_"): value
                for name, value in data.items()
                if name.startswith("next_") and value is not None
            }
        if "items" in kinds and "items" not in found:
            items, *_ = (value for value in data.values() if isinstance(value, list))
            found["items"] = read(kinds["items"], items)
        return kind(**found)
    except (AttributeError, TypeError, ValueError) as error:
        message = f"the answer isn't what this version expects: {error}"
        raise StageError(message, rule="answer_not_known", hint=SAME_VERSION) from error


@cache
def kinds_of(kind: Any) -> dict[str, Any]:
    """The type of each field of a record. The items of a page have the type that the page was given."""
    record: Any = get_origin(kind) or kind
    kinds = get_type_hints(record)
    if issubclass(record, Page):
        item = get_args(kind) or get_args(record.__orig_bases__[0])
        kinds["items"] = GenericAlias(tuple, (*item, ...))
    return kinds


def _kept(left: Sequence[Json]) -> str:
    """How many changes were not made, and the first 20 with why."""
    each = (f"\n  client {each['client_id']}: {each['text']}" for each in left[:20])
    return f"{len(left)} kept{''.join(each)}"


class Client(Record, pages="clients"):
    """Every column of `clients`, its whole days in the stage, and its attention.

    `attention` is None, `stuck`, `late` or `waiting_on_client`.
    """

    id: int
    name: str
    slug: str
    stage: str
    stage_entered_at: datetime
    version: int
    active: bool
    flags: tuple[str, ...]
    close_cadence: str
    sales_tax_schedule: str
    service_tier: str
    stage_collaborators: tuple[str, ...] = ()
    stage_owner: str | None = None
    stage_notes: str | None = None
    returning_to_stage: str | None = None
    close_period: str | None = None
    eligible_reviewers: tuple[str, ...] | None = None
    notes: str | None = None
    gdrive_folder: str | None = None
    age_days: int | None = None
    attention: str | None = None


class HistoryRow(Record, pages="stage_history"):
    """One recorded change. `version` counts from 0; `recorded_at`: when, if over a minute after `occurred_at`.

    `person` is whose change it is, `actor_id` who made it: the same, or an adapter that acts for the person. It is
    None only in answers that an idempotency key kept from before there was one.
    """

    id: int
    client_id: int
    version: int
    occurred_at: datetime
    actor_type: str
    actor_id: str
    channel: str
    trigger_type: str
    from_stage: str | None = None
    to_stage: str | None = None
    flag_added: str | None = None
    flag_removed: str | None = None
    on_behalf_of: str | None = None
    triggered_by: str | None = None
    reason: str | None = None
    payload: Json = field(default_factory=dict)
    external_id: str | None = None
    close_period: str | None = None
    batch: str | None = None
    recorded_at: datetime | None = None
    person: str | None = None


class ClientView(Record, answers="client"):
    client: Client
    history: HistoryRow | None = None


class Change(ClientView, answers="set_stage set_flag clear_flag rollback undo create_client update_client"):
    """What a write did. `changed` False: no change was needed; `replayed`: an earlier answer is repeated."""

    changed: bool = True
    replayed: bool = False


class DeletedClient(Record, answers="delete_client.deleted"):
    client_id: int
    name: str
    slug: str
    deleted_at: datetime
    deleted_by: str
    reason: str


class Rollback(Record):
    """What a rollback of many changes undid: how many, and the error of each change that it had to keep."""

    rolled_back: int
    left: tuple[Json, ...]

    def in_words(self) -> str:
        """The numbers, and the first 20 that were kept, each with why."""
        return f"{self.rolled_back} changes undone, {_kept(self.left)}"


class RunRollback(Rollback, answers="rollback_run"):
    run_id: int
    job: str


class BatchRollback(Rollback, answers="rollback_batch undo_batch"):
    batch: str


class Move(Record):
    to_stage: str
    note: str | None = None
    kind: str = "moved"


class Moves(Record, pages="check_stages"):
    """What the caller may do with a client. `close_period`: of the close that a move in `opens_close` is for."""

    client_id: int
    version: int
    close_period: str | None = None
    opens_close: tuple[str, ...] = ()
    moves: tuple[Move, ...] = ()
    override_to: tuple[str, ...] = ()
    set_flags: tuple[str, ...] = ()
    clear_flags: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    may_roll_back: bool = False


class Refusal(Record):
    """A rule that a move would break; `facts` is everything else that the database reports about it."""

    rule: str
    status: int
    message: str
    hint: str | None = None
    facts: Json = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """The refusal; keys that aren't fields are its facts."""
        facts = {name: value for name, value in data.items() if name not in kinds_of(Refusal)}
        return super().from_json({**data, "facts": facts})

    def as_error(self) -> StageError:
        """The exception that the real move would raise for this rule."""
        facts = {"rule": self.rule, **self.facts}
        return from_refusal(f"PT{self.status}", self.message, facts, self.hint)


class Check(Record, answers="check_stage"):
    """Whether a move would be allowed, every rule against it, and the stages that the client may go to."""

    allowed: bool
    refusals: tuple[Refusal, ...] = ()
    allowed_stages: tuple[str, ...] = ()
    close_period: str | None = None


class Outcome(Record):
    """The outcome of one item of a bulk call: the change, or the error it would have raised alone."""

    index: int
    status: int
    change: Change | None = None
    error: StageError | None = None

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """The outcome; an item with a `code` is a refusal."""
        if "code" not in data:
            return cls(data["index"], data["status"], Change.from_json(data))
        error = from_refusal(data["code"], data["message"], data.get("details"), data.get("hint"))
        return cls(data["index"], data["status"], error=error)


class Outcomes(Record, answers="set_stages set_flags update_clients"):
    """The outcomes in the order of the items. `batch` undoes the call with `undo_batch`; None: nothing was changed."""

    items: tuple[Outcome, ...]
    done: int = 0
    refused: int = 0
    batch: str | None = None


class QueueItem(Record, pages="queue"):
    """A client in an actor's queue, why it is there, and when its time in the stage is up (None: no limit)."""

    client: Client
    why: tuple[str, ...] = ()
    sla_due_at: datetime | None = None


class StageCount(Record):
    """A stage, and how many active clients are in it."""

    stage: str
    position: int
    kind: str
    clients: int
    stuck: int
    late: int
    waiting_on_client: int
    max_days: int | None = None
    waiting_flags: tuple[str, ...] = ()
    description: str | None = None


class OwnerCount(Record):
    """How many active clients an owner has; `owner` None: clients without an owner."""

    clients: int
    stuck: int
    late: int
    waiting_on_client: int
    owner: str | None = None


class FlagCount(Record):
    flag: str
    clients: int
    description: str | None = None
    set_by: tuple[str, ...] = ()


class Summary(Record, answers="summary"):
    """How many active clients there are, by what. Changes made since come after `cursor` in the feed."""

    clients: int
    stages: tuple[StageCount, ...]
    owners: tuple[OwnerCount, ...]
    flags: tuple[FlagCount, ...]
    attention: Mapping[str, int]
    time_zone: str
    as_of: datetime
    month: str
    cursor: str
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    undo_minutes: int = 0


class FeedRow(HistoryRow):
    client_name: str = ""
    client_slug: str = ""
    kind: str = "changed"


class ActivityRow(FeedRow, pages="activity"):
    """A change. `undo_until`: until when the caller can undo it; None: not at all."""

    is_rolled_back: bool = False
    is_reversible: bool = False
    undo_until: datetime | None = None


class Feed(Page[FeedRow], kw_only=True, answers="changes"):
    """The next changes. `cursor` goes into `after`; `behind_since`: since when committed changes are missing."""

    cursor: str
    more: bool = False
    behind_since: datetime | None = None

    @classmethod
    def from_json(cls, data: Json) -> Self:
        following = data["cursor"] if data.get("more") else None
        return super().from_json({**data, "next_after": following})


class Close(Record):
    """A client's close of a month: not_opened, open, in_review, paused or closed, with the days to its sign-off."""

    client_id: int
    name: str
    slug: str
    stage: str
    state: str
    late: bool
    stage_owner: str | None = None
    opened_at: datetime | None = None
    opened_by: str | None = None
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None
    sent_back: int = 0
    sent_back_at: datetime | None = None
    sent_back_by: str | None = None
    reopened: int = 0
    rolled_back_by: str | None = None
    signed_off_at: datetime | None = None
    signed_off_by: str | None = None
    signed_off_through: str | None = None  # the agent that signed it off for that person
    business_days: int | None = None
    late_since: datetime | None = None
    owed: bool = True


class ClosePage(Page[Close], kw_only=True, answers="closes"):
    """A page of the closes of a month; a close that isn't signed off by `due_at` is late."""

    month: str
    due_at: datetime


class CloseCounts(Record, kw_only=True):
    """How many closes are in each state, and how many are late. The median is None if none is closed."""

    clients: int
    not_opened: int
    open: int
    in_review: int
    paused: int
    closed: int
    late: int
    median_business_days: int | None = None


class OwnerCloses(CloseCounts, kw_only=True):
    owner: str | None = None


class MonthCloses(CloseCounts, kw_only=True, pages="closes_by_month"):
    month: str
    due_at: datetime
    owners: tuple[OwnerCloses, ...]


class Held(Record):
    permission: str
    scope: Json | None = None


class Actor(Record, answers="whoami"):
    """The caller, as the database knows it, and what it may do. `allowed_changes`: edit, flag, move, undo."""

    actor_id: str
    actor_type: str
    permissions: tuple[Held, ...] = ()
    allowed_changes: tuple[str, ...] = ()


class Permission(Record, pages="permissions"):
    """A grant. `scope` None: not restricted. A revoked grant has `revoked_at` and no effect."""

    id: int
    actor_id: str
    permission: str
    granted_at: datetime
    granted_by: str
    scope: Json | None = None
    revoked_at: datetime | None = None
    notes: str | None = None


class PermissionChange(Record, answers="grant_permission revoke_permission"):
    """A grant after it was granted or revoked; `changed` False means that no change was needed."""

    permission: Permission
    changed: bool = True


class Person(Record):
    """A person or agent. Only admins see `role` (None: other grants than a role has) and what follows it."""

    actor_id: str
    owns: int = 0
    collaborates: int = 0
    reviews: int = 0
    role: str | None = None
    permissions: tuple[str, ...] = ()
    tokens: int = 0
    last_seen_at: datetime | None = None


class People(Record, answers="people"):
    people: tuple[Person, ...]
    roles: tuple[Json, ...] = ()


class RoleChange(Record, answers="set_role"):
    """The permissions of an actor's role; `changed` False means that the actor had exactly these."""

    actor_id: str
    role: str
    permissions: tuple[str, ...] = ()
    changed: bool = True


class Invite(Record, answers="invite"):
    """An invite: a secret that can be exchanged once for a token, before it expires."""

    actor_id: str
    expires_at: datetime
    invite: str = field(repr=False)


class HandOver(Record, answers="hand_over"):
    """How many clients were handed over, and the error of each that wasn't. `batch` undoes it."""

    done: int
    left: tuple[Json, ...] = ()
    batch: str | None = None
    cover_id: int | None = None

    def in_words(self) -> str:
        """The numbers, and the first 20 that were kept, each with why."""
        return f"{self.done} clients handed over, {_kept(self.left)}"


class Cover(Record):
    """Who covers for whom, and who gets how many clients back on the day `until`. `kept`: those changed meanwhile."""

    cover_id: int
    from_actor_id: str
    to_actor_id: str
    until: str
    clients: int
    kept: tuple[Json, ...] = ()
    made_by: str = ""
    made_at: datetime | None = None
    may_end: bool = False


class Covers(Record, answers="covers"):
    covers: tuple[Cover, ...]


class CoverEnd(Record, answers="set_cover"):
    """The new day of a cover, or how many clients were given back when it ended."""

    cover_id: int
    given_back: int
    until: str | None = None
    left: tuple[Json, ...] = ()

    def in_words(self) -> str:
        """The numbers, and the first 20 that were kept, each with why."""
        return f"{self.given_back} clients given back, {_kept(self.left)}"


class Leaving(Record, answers="leave"):
    """What an actor lost who left; `handed_over` is None if no one took over their clients."""

    actor_id: str
    permissions: int
    tokens: int
    handed_over: HandOver | None = None


class Token(Record, answers="revoke_token.token adopt_legacy_token.token", pages="tokens"):
    """A token without its secret: `id` is the beginning of its hash; `state` is active, expired or revoked."""

    id: str
    actor_id: str
    description: str | None = None
    created_at: datetime | None = None
    created_by: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    state: str = "active"


class IssuedToken(Record, answers="accept_invite issue_token"):
    """A new token. `token` is the secret itself: it is shown once and stored nowhere."""

    id: str
    actor_id: str
    token: str = field(repr=False)
    description: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None


class Settings(Record, answers="settings"):
    """What the firm can set: settings by name, stages, moves, and the holidays and month ends of a year."""

    settings: Json
    stages: tuple[Json, ...]
    transitions: tuple[Json, ...]
    permissions: Json
    year: int
    holidays: tuple[Json, ...]
    closes: tuple[Json, ...]


class JobState(Record):
    """A job: its occurrence in force, how many were missed before it, and when it is due next."""

    job: str
    due_at: datetime
    state: str
    is_due: bool
    missed: int
    next_due: datetime
    last_success: datetime | None = None
    schedule: str = ""
    description: str = ""


class JobRun(Record, answers="run_job"):
    """An occurrence of a job. `outcome`: done, failed, running or skipped, or busy or nothing_due if it has no row.

    `changed`: the sum of its changes. `counts`: its changes by kind, unchanged, skipped (by rule), failed, errors (the
    first twenty), and by reason the clients that it only names: `number`, and the first 1,000 as `clients`.
    """

    job: str
    due_at: datetime
    as_of: datetime
    outcome: str
    run_id: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    seconds: float | None = None
    attempts: int = 1
    changed: int = 0
    counts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    # of a dry run: how many clients, and the first 1,000 of them
    would_change: int | None = None
    would_skip: int | None = None
    rows: tuple[Json, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether it is done, or there was nothing to do."""
        return self.outcome in {"done", "nothing_due", "busy", "running"}

    def in_words(self) -> str:
        """The outcome as one line."""
        counts = counts_in_words(self.counts)
        again = f", attempt {self.attempts}" if self.attempts > 1 else ""
        words = {
            "done": f"done in {self.seconds or 0:.1f} s{again}: {counts}",
            "failed": f"failed: {self.error} ({counts})",
            "skipped": f"skipped: {self.error}",
            "busy": "busy: another session is running it",
            "nothing_due": "nothing to do: it already ran, or isn't due",
        }
        return words.get(self.outcome, self.outcome)


class JobList(Record, answers="jobs"):
    jobs: tuple[JobState, ...]
    runs: tuple[JobRun, ...]


def counts_in_words(counts: dict[str, Any]) -> str:
    """What a run did, such as `moved 41, unchanged 3, skipped 2 (client_inactive 2)`, and which clients it left."""
    numbers = {name: number for name, number in counts.items() if isinstance(number, int)}
    left = [f"{name} {numbers.pop(name):,}" for name in ("unchanged", "failed") if name in numbers]
    parts = [f"{name.replace('_', ' ')} {number:,}" for name, number in numbers.items()] or ["changed nothing"]
    skipped = counts.get("skipped") or {}
    if skipped:
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(skipped.items()))
        left.insert(1, f"skipped {sum(skipped.values()):,} ({reasons})")
    parts += left + [f"client {each['client_id']}: {each['error']}" for each in counts.get("errors", ())]
    return ", ".join([*parts, *named_in_words(counts)])


def named_in_words(counts: dict[str, Any]) -> list[str]:
    """The groups of clients that a run only names, such as `still closing 12 (acme, …)`."""
    parts = []
    for name, each in counts.items():
        if isinstance(each, dict) and "clients" in each:
            slugs = ", ".join(client["slug"] or str(client["id"]) for client in each["clients"][:10])
            more = ", …" if each["number"] > 10 else ""
            parts.append(f"{name.replace('_', ' ')} {each['number']:,} ({slugs}{more})")
    return parts


class Health(Record, answers="health"):
    """What needs attention: each finding has `finding` (its code), `severity`, `what`, `todo` and its facts."""

    status: str
    findings: tuple[Json, ...] = ()


class AdministrationRecord(Record, pages="administration"):
    """A change of one row of a table that decides the rules: `before` is None if it was added, `after` if removed."""

    id: int
    occurred_at: datetime
    actor_id: str
    login: str
    channel: str
    about: str
    key: Json
    before: Json | None = None
    after: Json | None = None
    changed: tuple[str, ...] = ()
    program: str = ""
    reason: str | None = None


class Break(Record):
    """A place where history, by client and version, or administration, by `about` and `key`, isn't as recorded."""

    problem: str
    client_id: int | None = None
    version: int | None = None
    history_id: int | None = None
    differs: tuple[str, ...] = ()
    about: str | None = None
    key: Json | None = None
    record_id: int | None = None


class Erasure(Record, answers="erase_words.erasure"):
    client_id: int
    last_version: int
    rows: int
    erased_at: datetime
    erased_by: str
    reason: str


class Verification(Record, answers="verify"):
    """A page of clients or records: how many were verified, what isn't as recorded, and whose words were erased."""

    clients: int
    rows: int
    records: int
    breaks: tuple[Break, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    next: Json = field(default_factory=dict)


class OpenTransaction(Record):
    """A transaction that has written and is not committed; `pid` is None for a prepared one."""

    transaction: str
    database: str
    login: str | None = None
    program: str | None = None
    pid: int | None = None


class DigestPage(Record, answers="digest"):
    """The digest, on the last page. On the first: `open`, transactions, and `left_out`, rows, that it lacks."""

    digest: str | None = None
    open: tuple[OpenTransaction, ...] = ()
    left_out: int = 0
    next: Json = field(default_factory=dict)
