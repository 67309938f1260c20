"""What the functions of schema `api` answer, as frozen dataclasses.

Instants are aware datetimes, lists are tuples. Keys that this version does not know are ignored, so that a newer
database does not break an older script.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

import msgspec

from atlas_stage.errors import SAME_VERSION, StageError, from_refusal


class Record:
    """Base of the answers: made from the JSON of the database, and turned back into JSON for programs."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the record from a JSON object; raises StageError where it is none of this kind."""
        try:
            try:
                return msgspec.convert(data, cls)
            except msgspec.ValidationError:
                return msgspec.convert(_within_calendar(data), cls)
        except msgspec.ValidationError as error:
            raise StageError(
                f"this is not the answer that this version expects: {error}",
                rule="answer_not_known",
                hint=SAME_VERSION,
            ) from error

    def as_json(self) -> dict[str, Any]:
        """The record as JSON values: instants in ISO 8601, tuples as lists."""
        written: dict[str, Any] = msgspec.json.decode(
            msgspec.json.encode(self, enc_hook=StageError.as_json)
        )
        return written


_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


def _within_calendar(value: Any, name: str = "") -> Any:
    """The answer with its instants read; one beyond the calendar of Python (`infinity`) becomes its last."""
    if isinstance(value, Mapping):
        return {name: _within_calendar(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_within_calendar(each) for each in value]
    if not (isinstance(value, str) and name.endswith("_at")):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return _END_OF_TIME


@dataclass(frozen=True)
class Client(Record):
    """A client: every column of `clients`, plus its whole days in the stage and what asks for attention.

    `attention` is None, `stuck` or `waiting_on_client`.
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
    eligible_reviewers: tuple[str, ...] | None = None
    notes: str | None = None
    gdrive_folder: str | None = None
    age_days: int | None = None
    attention: str | None = None


@dataclass(frozen=True)
class HistoryRow(Record):
    """One recorded change of a client: who, when, why, through which channel. `version` counts from 0 per client."""

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
    payload: Mapping[str, Any] = field(default_factory=dict)
    external_id: str | None = None


@dataclass(frozen=True)
class ClientView(Record):
    """A client and its latest history row."""

    client: Client
    history: HistoryRow | None = None


@dataclass(frozen=True)
class Change(Record):
    """What a write did. `changed` is False where all was so already, `replayed` True where an earlier answer is
    repeated.
    """

    client: Client
    history: HistoryRow | None = None
    changed: bool = True
    replayed: bool = False


@dataclass(frozen=True)
class DeletedClient(Record):
    """A client that was taken out, and by whom."""

    client_id: int
    name: str
    slug: str
    deleted_at: datetime
    deleted_by: str
    reason: str


@dataclass(frozen=True)
class RunRollback(Record):
    """What `rollback_run` took back: the number of changes, and each one that it had to leave, with its rule."""

    run_id: int
    job: str
    rolled_back: int
    left: list[dict[str, Any]]


@dataclass(frozen=True)
class Deletion(Record):
    """What `delete_client` did."""

    deleted: DeletedClient


@dataclass(frozen=True)
class ClientPage(Record):
    """A page of clients; `next_cursor` goes into `cursor` for the next one, None at the end. By id, `next_after` into
    `after` does too.
    """

    clients: tuple[Client, ...]
    next_after: int | None = None
    next_cursor: str | None = None


@dataclass(frozen=True)
class HistoryPage(Record):
    """A page of history, oldest first; `next_before_version` leads to the older page, None at the beginning."""

    history: tuple[HistoryRow, ...]
    next_before_version: int | None = None


@dataclass(frozen=True)
class Move(Record):
    """A stage that the caller may move a client to."""

    to_stage: str
    note: str | None = None


@dataclass(frozen=True)
class Moves(Record):
    """Where the caller may move a client, and what else would not be refused: `override_to` are stages, `fields`
    arguments of `update_client`.
    """

    client_id: int
    version: int
    moves: tuple[Move, ...] = ()
    override_to: tuple[str, ...] = ()
    set_flags: tuple[str, ...] = ()
    clear_flags: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    may_roll_back: bool = False


@dataclass(frozen=True)
class ClientMoves(Record):
    """Where the caller may move each of some clients."""

    clients: tuple[Moves, ...]


@dataclass(frozen=True)
class StageCount(Record):
    """A stage, and how many active clients are in it."""

    stage: str
    position: int
    kind: str
    clients: int
    stuck: int
    waiting_on_client: int
    max_days: int | None = None
    waiting_flags: tuple[str, ...] = ()
    description: str | None = None


@dataclass(frozen=True)
class OwnerCount(Record):
    """How many active clients an owner has; `owner` None: nobody's."""

    clients: int
    stuck: int
    waiting_on_client: int
    owner: str | None = None


@dataclass(frozen=True)
class FlagCount(Record):
    """A flag, and how many active clients carry it."""

    flag: str
    clients: int
    description: str | None = None
    set_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Summary(Record):
    """How many active clients there are, by what; `cursor` is the place in the feed from which changes came since."""

    clients: int
    stages: tuple[StageCount, ...]
    owners: tuple[OwnerCount, ...]
    flags: tuple[FlagCount, ...]
    attention: Mapping[str, int]
    time_zone: str
    as_of: datetime
    month: str
    cursor: str
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedRow(HistoryRow):
    """One recorded change, and whose it is."""

    client_name: str = ""
    client_slug: str = ""


@dataclass(frozen=True)
class Feed(Record):
    """The next changes of the firm. `cursor` leads on, also when nothing came; `more`: another page waits."""

    changes: tuple[FeedRow, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True)
class Close(Record):
    """A client's close of a month: `not_opened`, `open`, `in_review` or `closed`, by whom and when each step was made,
    how many business days after its opening it took, and since when it is late.
    """

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
    signed_off_at: datetime | None = None
    signed_off_by: str | None = None
    business_days: int | None = None
    late_since: datetime | None = None


@dataclass(frozen=True)
class ClosePage(Record):
    """A page of the closes of a month; after `due_at` what is not closed is late."""

    month: str
    due_at: datetime
    closes: tuple[Close, ...]
    next_after: int | None = None


@dataclass(frozen=True, kw_only=True)
class CloseCounts(Record):
    """How many closes are in which state and how many are late; half of the closed ones took so many business days or
    fewer (None: none is closed).
    """

    clients: int
    not_opened: int
    open: int
    in_review: int
    closed: int
    late: int
    median_business_days: int | None = None


@dataclass(frozen=True, kw_only=True)
class OwnerCloses(CloseCounts):
    """Those of one owner; None is nobody."""

    owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class MonthCloses(CloseCounts):
    """Those of a month, and of each owner in it; after `due_at` what is not closed is late."""

    month: str
    due_at: datetime
    owners: tuple[OwnerCloses, ...]


@dataclass(frozen=True)
class ClosesByMonth(Record):
    """The closes of the last months in numbers, the oldest month first."""

    months: tuple[MonthCloses, ...]


@dataclass(frozen=True)
class QueueItem(Record):
    """A client that waits for the actor, why it does, and when its time in the stage is up (None: no limit)."""

    client: Client
    why: tuple[str, ...] = ()
    sla_due_at: datetime | None = None


@dataclass(frozen=True)
class QueuePage(Record):
    """What an actor should do next."""

    queue: tuple[QueueItem, ...]
    next_after: str | None = None


@dataclass(frozen=True)
class Refusal(Record):
    """A rule that a move would break; `facts` is everything that the database says about it."""

    rule: str
    status: int
    message: str
    hint: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the refusal; keys that are no field of it are its facts."""
        facts = {name: each for name, each in data.items() if name not in cls.__dataclass_fields__}
        return replace(super().from_json(data), facts=facts)

    def as_error(self) -> StageError:
        """The exception that the real move would have raised for this rule."""
        return from_refusal(
            f"PT{self.status}", self.message, {"rule": self.rule, **self.facts}, self.hint
        )


@dataclass(frozen=True)
class Check(Record):
    """Whether a move would be allowed, every rule against it, and the stages that the client may go to."""

    allowed: bool
    refusals: tuple[Refusal, ...] = ()
    allowed_stages: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the check, its refusals with their facts."""
        refusals = tuple(map(Refusal.from_json, data.get("refusals", ())))
        return replace(super().from_json(data), refusals=refusals)


@dataclass(frozen=True)
class Outcome(Record):
    """What became of one item of `set_stages` or `set_flags`: the change, or the error it would have raised alone."""

    index: int
    status: int
    change: Change | None = None
    error: StageError | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the outcome; an item with a `code` is a refusal."""
        if "code" in data:
            error = from_refusal(
                data["code"], data["message"], data.get("details"), data.get("hint")
            )
            return cls(data["index"], data["status"], error=error)
        return cls(data["index"], data["status"], change=Change.from_json(data))


@dataclass(frozen=True)
class Outcomes(Record):
    """The outcomes of `set_stages` in the order of its items, and how many were done and refused."""

    items: tuple[Outcome, ...]
    done: int = 0
    refused: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the outcomes, each a change or an error."""
        return cls(
            tuple(map(Outcome.from_json, data["items"])),
            data.get("done", 0),
            data.get("refused", 0),
        )


@dataclass(frozen=True)
class Permission(Record):
    """A grant. `scope` None does not restrict; a revoked grant has `revoked_at` and counts no more."""

    id: int
    actor_id: str
    permission: str
    granted_at: datetime
    granted_by: str
    scope: Mapping[str, Any] | None = None
    revoked_at: datetime | None = None
    notes: str | None = None


@dataclass(frozen=True)
class PermissionChange(Record):
    """A grant after it was given or revoked; `changed` is False where it was so already."""

    permission: Permission
    changed: bool = True


@dataclass(frozen=True)
class PermissionPage(Record):
    """A page of grants."""

    permissions: tuple[Permission, ...]
    next_after: int | None = None


@dataclass(frozen=True)
class Token(Record):
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


@dataclass(frozen=True)
class IssuedToken(Record):
    """A new token. `token` is the secret itself: shown here once, stored nowhere."""

    id: str
    actor_id: str
    token: str = field(repr=False)
    description: str | None = None
    created_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class TokenChange(Record):
    """A token after it was revoked or adopted."""

    token: Token


@dataclass(frozen=True)
class TokenPage(Record):
    """A page of tokens."""

    tokens: tuple[Token, ...]
    next_after: str | None = None


@dataclass(frozen=True)
class AdministrationRecord(Record):
    """One row of one table that decides the rules, before and after a change of it; the other side of a row that was
    added or removed is None.
    """

    id: int
    occurred_at: datetime
    actor_id: str
    login: str
    channel: str
    about: str
    key: Mapping[str, Any]
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    changed: tuple[str, ...] = ()
    program: str = ""
    reason: str | None = None


@dataclass(frozen=True)
class AdministrationPage(Record):
    """A page of the record of administration, the newest first."""

    records: tuple[AdministrationRecord, ...]
    next_before_id: int | None = None


@dataclass(frozen=True)
class Break(Record):
    """A place where something is not what was recorded.

    In a client's history: `client_id`, `version`, `history_id`, and `differs`, the columns in which the client is not
    what its history makes of it. In administration: `about` (the table), `key`, `version`, `record_id`.
    """

    problem: str
    client_id: int | None = None
    version: int | None = None
    history_id: int | None = None
    differs: tuple[str, ...] = ()
    about: str | None = None
    key: Mapping[str, Any] | None = None
    record_id: int | None = None


@dataclass(frozen=True)
class Erasure(Record):
    """Words that were erased from a client's history, up to a version."""

    client_id: int
    last_version: int
    rows: int
    erased_at: datetime
    erased_by: str
    reason: str


@dataclass(frozen=True)
class ErasureDone(Record):
    """What an erasure did; `changed` is False where nothing was left to erase."""

    erasure: Erasure
    changed: bool = True


@dataclass(frozen=True)
class Verification(Record):
    """A page of clients or of records of administration: how many were verified, what is not as recorded, and whose
    words were erased. `next_after` is None on the last page.
    """

    clients: int
    rows: int
    records: int
    breaks: tuple[Break, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    next_after: str | None = None


@dataclass(frozen=True)
class OpenTransaction(Record):
    """A transaction that has written and is not committed; `pid` is None for a prepared one."""

    transaction: str
    database: str
    login: str | None = None
    program: str | None = None
    pid: int | None = None


@dataclass(frozen=True)
class DigestPage(Record):
    """The digest on the last page; before it None and `next_after`. The first page of a new digest has `open` and
    `left_out`: transactions, and visible rows, that it doesn't cover.
    """

    digest: str | None = None
    open: tuple[OpenTransaction, ...] = ()
    left_out: int = 0
    next_after: str | None = None


@dataclass(frozen=True)
class Held(Record):
    """A permission that the caller holds, and its scope."""

    permission: str
    scope: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Actor(Record):
    """Who the database says is asking, and what it may do."""

    actor_id: str
    actor_type: str
    permissions: tuple[Held, ...] = ()
