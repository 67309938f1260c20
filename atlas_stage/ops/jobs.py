"""The scheduled jobs, as the database runs them: schema `jobs` as methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from datetime import datetime, time
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg.rows import dict_row

from atlas_stage.errors import InvalidInput, Unavailable
from atlas_stage.models import Record
from atlas_stage.transports.psycopg import connect, translate

# The procedure that a scheduler calls.
PERFORM: Final = "jobs.run_in_slices"

Tell = Callable[[str], None]


class JobState(Record):
    """A job's occurrence in force, how many were missed before it, and when the job is due next."""

    job: str
    due_at: datetime
    state: str
    is_due: bool
    missed: int
    next_due: datetime
    last_success: datetime | None = None


class JobRun(Record):
    """An occurrence of a job. `outcome` is done, failed, running or skipped, as in the ledger, or the reason why the
    ledger has no row: busy or nothing_due.

    `counts` has moved, flagged, cleared, unchanged, skipped (by rule), failed, errors (the first twenty) and
    still_closing.
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
    counts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether it is done, or there was nothing to do."""
        return self.outcome in {"done", "nothing_due", "busy", "running"}

    def in_words(self) -> str:
        """The outcome as one line."""
        match self.outcome:
            case "done":
                again = f", attempt {self.attempts}" if self.attempts > 1 else ""
                return f"done in {self.seconds or 0:.1f} s{again}: {counts_in_words(self.counts)}"
            case "failed":
                return f"failed: {self.error} ({counts_in_words(self.counts)})"
            case "skipped":
                return f"skipped: {self.error}"
            case "busy":
                return "busy: another session is running it"
            case "nothing_due":
                return "nothing to do: it already ran, or isn't due"
            case other:
                return other


class PlannedChange(Record):
    """A client that a run would change, or would skip because of the rule `refused_by`."""

    client_id: int
    slug: str
    name: str
    change: str
    refused_by: str | None = None


def counts_in_words(counts: dict[str, Any]) -> str:
    """What a run did, such as `moved 41, unchanged 3, skipped 2 (client_inactive 2)`."""
    parts = [
        f"{name} {counts[name]:,}" for name in ("moved", "flagged", "cleared") if counts.get(name)
    ]
    parts = parts or ["changed nothing"]
    if "unchanged" in counts:
        parts.append(f"unchanged {counts['unchanged']:,}")
    skipped = counts.get("skipped") or {}
    if skipped:
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in sorted(skipped.items()))
        parts.append(f"skipped {sum(skipped.values()):,} ({reasons})")
    if "failed" in counts:
        parts.append(f"failed {counts['failed']:,}")
    parts += [f"client {each['client_id']}: {each['error']}" for each in counts.get("errors", ())]
    behind = counts.get("still_closing")
    if behind:
        names = ", ".join(each["slug"] or str(each["id"]) for each in behind["clients"][:10])
        more = ", …" if behind["number"] > 10 else ""
        parts.append(f"still closing {behind['number']:,} ({names}{more})")
    return ", ".join(parts)


class Jobs:
    """The jobs of one database, over a separate connection. Use it as a context manager."""

    def __init__(self, dsn: str | None, progress: Tell | None = None) -> None:
        self._connection = connect(dsn)
        if progress is not None:
            tell = progress
            self._connection.add_notice_handler(lambda said: tell(said.message_primary or ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def catalog(self) -> list[dict[str, Any]]:
        """Every job with its schedule and description."""
        return list(self._rows("select * from jobs.catalog()"))

    def due(self, at: datetime | None = None) -> tuple[JobState, ...]:
        """Each job's state, at an instant or now."""
        rows = self._rows("select to_jsonb(d) as row from jobs.due(%s::timestamptz) d", at)
        return tuple(JobState.from_json(row["row"]) for row in rows)

    def runs(
        self, job: str | None = None, *, page_size: int = 20, before: int | None = None
    ) -> tuple[JobRun, ...]:
        """The ledger, newest first."""
        rows = self._rows(
            "select r as row from jobs.runs(%s::text, %s::integer, %s::bigint) r",
            job,
            page_size,
            before,
        )
        return tuple(JobRun.from_json(row["row"]) for row in rows)

    def plan(self, job: str, as_of: datetime | None = None) -> Iterator[PlannedChange]:
        """Exactly the clients that a run would change or skip."""
        rows = self._rows("select * from jobs.plan(%s::text, %s::timestamptz)", job, as_of)
        return (PlannedChange(**row) for row in rows)

    def perform(
        self, job: str, as_of: datetime | None = None, *, only_if_due: bool = False
    ) -> JobRun:
        """Run a job. The ledger row is committed before the work begins, then each slice of the work."""
        (row,) = self._rows(
            f"call {PERFORM}(%s::text, %s::timestamptz, %s::boolean, null)",
            job,
            as_of,
            only_if_due,
        )
        return JobRun.from_json(row["result"])

    def instant(self, text: str | None) -> datetime | None:
        """Parse a typed moment. Without an offset it is in the firm's time zone; a date alone means the end of that
        day. Raises InvalidInput.
        """
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidInput(
                f"Can't read the moment {text!r}. Use 2025-05-30, 2025-05-30T06:00 or 2025-05-30T06:00-05:00."
            ) from None
        if moment.tzinfo is not None:
            return moment
        if len(text) <= len("2025-05-30"):
            moment = datetime.combine(moment, time.max)
        (row,) = self._rows("select jobs.instant(%s::timestamp) as instant", moment)
        found: datetime = row["instant"]
        return found

    def _rows(self, statement: LiteralString, *parameters: object) -> Iterator[dict[str, Any]]:
        try:
            with self._connection.cursor(row_factory=dict_row) as cursor:
                return iter(cursor.execute(statement, parameters).fetchall())
        except psycopg.Error as error:
            if self._connection.broken:
                raise Unavailable(translate(error).message) from error
            raise translate(error) from error
