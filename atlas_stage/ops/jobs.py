"""The scheduled jobs, as the database runs them: schema `jobs` as methods."""

from collections.abc import Callable, Iterator
from datetime import datetime, time
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from atlas_stage.errors import InvalidInput, Unavailable
from atlas_stage.models import JobRun, JobState, Record, named_in_words
from atlas_stage.transports.psycopg import connect, translate

# The procedure that a scheduler calls.
PERFORM: Final = "jobs.run_in_slices"

Tell = Callable[[str], None]


class PlannedChange(Record):
    """A client that a run would change, or would skip because of the rule `refused_by`."""

    client_id: int
    slug: str
    name: str
    change: str
    refused_by: str | None = None


class Jobs:
    """The jobs of one database, over a separate connection. Use it as a context manager."""

    def __init__(self, dsn: str | None, progress: Tell | None = None) -> None:
        self._connection = connect(dsn)
        tell = progress or (lambda _: None)
        self._connection.add_notice_handler(lambda said: tell(said.message_primary or ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def place(self, login: str) -> str:
        """The address of the database for another login, without a password."""
        info = self._connection.info
        return make_conninfo(host=info.host, port=info.port, dbname=info.dbname, user=login)

    def catalog(self) -> list[dict[str, Any]]:
        """Every job with its schedule and description."""
        return list(self._rows("select * from jobs.catalog()"))

    def due(self, at: datetime | None = None) -> tuple[JobState, ...]:
        """Each job's state, at an instant or now."""
        rows = self._rows("select to_jsonb(d) as row from jobs.due(%s::timestamptz) d", at)
        return tuple(JobState.from_json(row["row"]) for row in rows)

    def plan(self, job: str, as_of: datetime | None = None) -> tuple[list[PlannedChange], str]:
        """The first 1,000 clients that a run would change or skip, and in words how many, and which it would leave."""
        (row,) = self._rows("select jobs.run(%s::text, %s::timestamptz, true) as run", job, as_of)
        run = row["run"]
        words = f"would change {run['would_change']:,}, would skip {run['would_skip']:,}"
        return [PlannedChange(**each) for each in run["rows"]], ", ".join([words, *named_in_words(run)])

    def perform(self, job: str, as_of: datetime | None = None, *, only_if_due: bool = False) -> JobRun:
        """Run a job. The ledger row is committed before the work begins, then each slice of the work."""
        (row,) = self._rows(f"call {PERFORM}(%s::text, %s::timestamptz, %s::boolean, null)", job, as_of, only_if_due)
        return JobRun.from_json(row["result"])

    def trial(self) -> str | None:
        """Try every way into `clients`, if no trial ran in the last day. Returns what failed, and what to do."""
        (row,) = self._rows(
            "select t.what || '. ' || t.todo as said from ops.trial(once_a_day => true) t"
            " where t.severity = 'error' union all select null limit 1"
        )
        return row["said"]  # type: ignore[no-any-return]

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
        return row["instant"]  # type: ignore[no-any-return]

    def _rows(self, statement: LiteralString, *parameters: object) -> Iterator[dict[str, Any]]:
        try:
            with self._connection.cursor(row_factory=dict_row) as cursor:
                return iter(cursor.execute(statement, parameters).fetchall())
        except psycopg.Error as error:
            if self._connection.broken:
                raise Unavailable(translate(error).message) from error
            raise translate(error) from error
