"""Posts what happened to a webhook: at least once, in order, signed by the Standard Webhooks scheme.

A message is in the state file before it is sent, and leaves it after the receiver accepted it. A process that was
killed continues with the same messages, which have the same ids.
"""

import base64
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import tenacity
from standardwebhooks import Webhook

from atlas_stage.errors import InvalidInput, StageError, Unavailable
from atlas_stage.models import FeedRow
from atlas_stage.stage import Stage
from atlas_stage.transports.http import client_of, read_url

SECRET = "ATLAS_WEBHOOK_SECRET"  # noqa: S105 (the variable's name)
PAGE = 50
FINDINGS_SECONDS = 300  # between two looks at what no change tells: late closes, jobs, tokens
PATIENCE_SECONDS = 3600  # for a receiver that answers 4xx
WAIT_SECONDS = 60  # for a change that was committed before a newer one, and comes later in the feed
ONCE_SECONDS = 60  # for a receiver, or an API, that can't be reached, with `once`
DIGEST_HOUR = 7  # of the firm's day
_GONE = 410
_TEMPORARY = frozenset({408, 425, 429})

Json = dict[str, Any]


class ReceiverError(StageError, rule="webhook_refused"):
    """The receiver refuses the notices. None is skipped: they wait in the state file."""


@dataclass(frozen=True)
class Notice:
    """Something to tell. `people` are the actors whom it concerns, None the firm."""

    kind: str
    data: Json
    people: tuple[str | None, ...] = (None,)
    stage: str | None = None
    owner: str | None = None


@dataclass
class State:
    """What the state file has: where to read on, what is to be sent, and which findings were told already."""

    cursor: str
    outbox: list[Json] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    day: str | None = None  # of the digest that is collected
    held: list[Json] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)  # by client, the newest that was read
    waiting: list[Json] = field(default_factory=list)  # rows whose client's row before is missing

    @classmethod
    def read(cls, file: Path) -> "State | None":
        """The state in the file; None if there is none. Raises InvalidInput."""
        try:
            return cls(**json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, TypeError, ValueError) as error:
            hint = "use another --state, or delete the file to begin with what happens from now on"
            raise InvalidInput(f"Can't read the state in {file}: {error}.", hint=hint) from error

    def write(self, file: Path) -> None:
        """Replace the file at once, on the disk too, so that a crash leaves the old state or the new one."""
        new = file.with_name(f"{file.name}.new")
        new.touch(mode=0o600)
        with new.open("w", encoding="utf-8") as out:
            json.dump(asdict(self), out)
            out.flush()
            os.fsync(out.fileno())
        new.replace(file)


class Watch:
    """Reads the changes and findings that an API's token can see, and posts them to `url`.

    `only`: the words to which `kind`, `stage` and `owner` of a notice are limited; findings have no stage and owner.
    `digest`: "daily" makes one message per person and day. `tell` gets a line for each attempt that failed.
    """

    def __init__(
        self,
        stage: Stage,
        url: str,
        secret: str,
        file: Path,
        *,
        only: Mapping[str, Collection[str]] | None = None,
        digest: str | None = None,
        tell: Callable[[str], None] = print,
    ) -> None:
        self._stage, self._url, self._file = stage, read_url(url, "the receiver's address"), file
        self._only = {name: words for name, words in (only or {}).items() if words}
        self._sign = _webhook(secret).sign
        if digest not in (None, "daily"):
            raise InvalidInput(f"The digest can't be {digest}. Use daily.")
        self._digest, self._tell = digest, tell
        self._http = client_of(httpx.Client, timeout=httpx.Timeout(15, connect=5))
        self._looked = -float(FINDINGS_SECONDS)

    def run(self, *, every: float = 5, once: bool = False) -> None:
        """Post what there is, then look again every few seconds; with `once`, return.

        Raises ReceiverError if the receiver answers 410, or 4xx for an hour, and Unavailable with `once`.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type((Unavailable, ReceiverError)),
            stop=lambda tried: _is_hopeless(tried, once),
            wait=_pause,
            before_sleep=self._tell_of,
            reraise=True,
        )
        state = State.read(self._file)
        with suppress(Unavailable):  # the database refuses a word that no client can have; without it, this waits
            for stage in self._only.get("stage", ()):
                self._stage.clients(stage=stage, page_size=1)
            for owner in self._only.get("owner", ()):
                self._stage.queue(owner, page_size=1)
        if state is None:
            state = State(retrying(self._stage.summary).cursor)
            state.write(self._file)
        while True:
            while state.outbox:
                retrying(self._post, state.outbox[0])
                del state.outbox[0]
                state.write(self._file)
            state, more = retrying(self._collect, state)
            if not more and not state.outbox:
                if once:
                    return
                sleep(every)

    def _collect(self, state: State) -> tuple[State, bool]:
        """The state with what is new in its outbox, and whether there is more."""
        feed = self._stage.changes(state.cursor, page_size=PAGE)
        new = replace(state, cursor=feed.cursor, outbox=[], versions=dict(state.versions))
        found = list(self._of_changes(_in_order(new, feed.items)))
        looked = self._looked
        if monotonic() - looked >= FINDINGS_SECONDS:
            looked = monotonic()
            now = dict(self._findings())
            found += [notice for key, notice in now.items() if key not in state.told]
            new.told = sorted(now)
        only = self._only.items()
        wanted = [each for each in found if all(getattr(each, name) in of for name, of in only)]
        if self._digest:
            self._hold(new, wanted)
        else:
            new.outbox = [_message(each.kind, each.data) for each in wanted]
        if new != state:
            new.write(self._file)
        self._looked = looked
        return new, feed.more

    def _of_changes(self, rows: Iterable[FeedRow]) -> Iterator[Notice]:
        ids = sorted({row.client_id for row in rows})
        page = self._stage.clients(active=None, client_ids=ids, page_size=PAGE) if ids else ()
        clients = {client.id: client for client in page}
        for row in rows:
            client = clients.get(row.client_id)
            owner = client.stage_owner if client else None
            stage = row.to_stage or (client.stage if client else None)
            data = {"change": row.as_json(), "client": client.as_json() if client else None}
            # A sign-off is for the reviewers, if there are any.
            wanted = client.eligible_reviewers if client and row.kind == "sign_off_wanted" else None
            yield Notice(row.kind, data, wanted or (owner,), stage, owner)

    def _findings(self) -> Iterator[tuple[str, Notice]]:
        """Everything that is wrong now, by a key that doesn't change while it lasts."""
        for month in (each.month for each in self._stage.closes_by_month() if each.late):
            for page in self._stage.pages(self._stage.closes, month, page_size=1000):
                for each in page:
                    if each.late and each.state != "closed":
                        data = {"month": page.month, "close": each.as_json()}
                        owner = each.stage_owner
                        key = f"late {page.month} {each.client_id}"
                        yield key, Notice("late", data, (owner,), each.stage, owner)
        for finding in self._stage.health().findings:
            named = {
                name: value
                for name, value in finding.items()
                if name.endswith("_id") or (isinstance(value, str) and name not in ("what", "todo"))
            }
            notice = Notice(finding["finding"], dict(finding), (finding.get("actor_id"),))
            yield json.dumps(named, sort_keys=True), notice

    def _hold(self, state: State, notices: Iterable[Notice]) -> None:
        """Keep these for the digest; when the day is over, put a message per person into the outbox."""
        summary = self._stage.summary()
        now = summary.as_of.astimezone(ZoneInfo(summary.time_zone))
        day = str((now - timedelta(hours=DIGEST_HOUR)).date())
        if state.held and state.day != day:
            by_person = sorted(state.held, key=lambda each: each["person"] or "")
            for person, held in groupby(by_person, key=lambda each: each["person"]):
                digest = {"person": person, "day": state.day, "notices": [each["notice"] for each in held]}
                state.outbox.append(_message("digest", digest))
            state.held = []
        state.day = day
        state.held = state.held + [
            {"person": person, "notice": {"type": each.kind, "data": each.data}}
            for each in notices
            for person in each.people
        ]

    def _post(self, message: Json) -> None:
        now = datetime.now(UTC)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message["id"],
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._sign(message["id"], now, message["body"]),
        }
        try:
            answer = self._http.post(self._url, content=message["body"].encode(), headers=headers)
        except httpx.HTTPError as error:
            said = f"{self._url.host} can't be reached: {type(error).__name__} {error}"
            raise Unavailable(said) from error
        if answer.is_success:
            return
        status = answer.status_code
        details = {"status": status, "retry_after": answer.headers.get("Retry-After")}
        if status >= 500 or status in _TEMPORARY:
            raise Unavailable(f"{self._url.host} answered HTTP {status}", details=details)
        raise ReceiverError(
            f"{self._url.host} refuses notices (HTTP {status}). None was skipped: they wait in {self._file}.",
            details=details,
            hint="correct the receiver or --post, then start watch again",
        )

    def _tell_of(self, tried: tenacity.RetryCallState) -> None:
        self._tell(f"{_error_of(tried)}; next try in {tried.upcoming_sleep:.0f} s")


def _in_order(state: State, rows: Iterable[FeedRow]) -> list[FeedRow]:
    """The rows that can be told, in order per client; the others wait in `state`.

    The feed is in the order of transaction ids. A transaction with a key can have a lower one than another that
    changed the client first.
    """
    ready: list[FeedRow] = []
    rows, state.waiting = [*map(FeedRow.from_json, state.waiting), *rows], []
    for row in sorted(rows, key=lambda row: row.id):
        client = str(row.client_id)
        newest = state.versions.get(client, row.version - 1)
        age = datetime.now(UTC) - (row.recorded_at or row.occurred_at)
        if row.version > newest + 1 and age < timedelta(seconds=WAIT_SECONDS):
            state.waiting.append(row.as_json())
            continue
        state.versions[client] = max(newest, row.version)
        ready.append(row)
    return ready


def _message(kind: str, data: Json) -> Json:
    body = {"type": kind, "timestamp": datetime.now(UTC).isoformat(), "data": data}
    return {"id": f"msg_{uuid4().hex}", "body": json.dumps(body)}


def _error_of(tried: tenacity.RetryCallState) -> BaseException | None:
    return tried.outcome.exception() if tried.outcome else None


def _is_hopeless(tried: tenacity.RetryCallState, once: bool) -> bool:
    error, seconds = _error_of(tried), tried.seconds_since_start or 0
    if isinstance(error, ReceiverError):
        return error.details["status"] == _GONE or seconds > PATIENCE_SECONDS
    return once and seconds > ONCE_SECONDS


def _pause(tried: tenacity.RetryCallState) -> float:
    """A second, doubled up to five minutes, with some randomness; up to an hour if the receiver says so."""
    error = _error_of(tried)
    after = error.details.get("retry_after") if isinstance(error, StageError) else None
    seconds = min(int(after), 3600) if isinstance(after, str) and after.isdecimal() else 0
    return max(seconds, tenacity.wait_random_exponential(multiplier=1, max=300)(tried))


def _webhook(secret: str) -> Webhook:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not secret.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise InvalidInput(
            f"{SECRET} isn't a secret of a webhook: whsec_ and 24 to 64 random bytes in base64.",
            hint='make one: echo "whsec_$(openssl rand -base64 32)"',
        )
    return Webhook(secret)
