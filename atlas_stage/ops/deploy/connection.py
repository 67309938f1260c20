"""The deploy's own connections, the lock that lets one deploy run at a time, and who keeps it waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

import psycopg

from atlas_stage.errors import InvalidInput, StageError, Unavailable
from atlas_stage.transports import psycopg as transport

Connection = psycopg.Connection

# One deploy a database at a time; any constant serves that no other program uses ("atlas_st" in ASCII).
DEPLOY_LOCK = 0x61746C61735F7374
# Another deploy is worth waiting for: afterwards there is usually nothing left to do.
DEPLOY_WAIT_SECONDS = 60.0
OLDEST_SERVER = 15

_BLOCKERS: LiteralString = """
    select
      blocker.pid,
      blocker.usename,
      nullif(blocker.application_name, ''),
      extract(epoch from now() - blocker.xact_start)::int,
      left(regexp_replace(blocker.query, '[[:space:][:cntrl:]]+', ' ', 'g'), 60)
    from pg_catalog.pg_stat_activity as waiting
    cross join lateral unnest(pg_catalog.pg_blocking_pids(waiting.pid)) as blocking (pid)
    join pg_catalog.pg_stat_activity as blocker on blocker.pid = blocking.pid
    where waiting.application_name = %s
      and waiting.wait_event_type = 'Lock'
"""


class DeployError(StageError):
    """A deploy that could not be done. The message is one plain line that says what to do about it."""

    default_rule = "deploy_failed"


class DeployUnavailableError(DeployError, Unavailable):
    """There is no database to deploy to."""

    default_rule, default_status = Unavailable.default_rule, Unavailable.default_status


@dataclass(frozen=True)
class Target:
    """Where to deploy to, and how many seconds to wait for a table's lock."""

    dsn: str
    lock_timeout: float
    application_name: str
    database: str = ""  # yoyo passes it to a query that does not use it

    def connect(self) -> Connection:
        """A connection in autocommit mode. Raises DeployUnavailableError where there is none to be had, and DeployError
        where it would not be a session of its own.
        """
        try:
            connection = transport.connect(self.dsn)
        except (Unavailable, InvalidInput) as error:
            raise DeployUnavailableError(error.message, hint=error.hint) from error
        _refuse_pooler(connection)
        # A limit that the role carries is meant for its ordinary work, and would end the deploy half-way.
        connection.execute(
            "select set_config('application_name', %s, false),"
            " set_config('search_path', 'public', false),"
            " set_config('quote_all_identifiers', 'off', false),"
            " set_config('timezone', 'UTC', false),"
            " set_config('lock_timeout', %s, false),"
            " set_config('statement_timeout', '0', false),"
            " set_config('idle_in_transaction_session_timeout', '0', false),"
            " set_config('idle_session_timeout', '0', false)",
            [self.application_name, _milliseconds(self.lock_timeout)],
        )
        return connection


class Watch:
    """Looks, while the deploy works, at who keeps it waiting: afterwards nobody could say."""

    def __init__(self, observer: Connection, target: Target) -> None:
        self._observer = observer
        self._target = target
        self._done = threading.Event()
        self._blockers: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch for as long as the block lasts."""
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def timed_out(self, doing: str) -> DeployError:
        """The error to raise after a lock timeout."""
        who = " and ".join(self._blockers) or "another session"
        return DeployError(
            f"{doing}: gave up after waiting {self._target.lock_timeout:g} s for {who};"
            " nothing of this step was changed: run it again when that is over"
        )

    def _look(self) -> None:
        while not self._done.wait(min(0.5, self._target.lock_timeout / 4)):
            try:
                rows = self._observer.execute(_BLOCKERS, [self._target.application_name]).fetchall()
            except psycopg.Error:
                return  # the deploy itself will meet the same trouble, and report it
            if rows:
                self._blockers = [_described(*row) for row in rows]


@contextmanager
def deploying(target: Target) -> Iterator[Connection]:
    """Hold the deploy lock on a connection of its own.

    Raises DeployError when the server is too old, or when another deploy does not end in time.
    """
    with target.connect() as connection:
        version = connection.info.server_version // 10000
        if version < OLDEST_SERVER:
            raise DeployError(
                f"the server is PostgreSQL {version}; {OLDEST_SERVER} or newer is needed"
            )
        connection.execute(
            "select set_config('lock_timeout', %s, false)", [_milliseconds(DEPLOY_WAIT_SECONDS)]
        )
        try:
            connection.execute("select pg_advisory_lock(%s)", [DEPLOY_LOCK])
        except psycopg.errors.LockNotAvailable:
            raise DeployError(
                f"another deploy{_lock_holder(connection)} is still running after"
                f" {DEPLOY_WAIT_SECONDS:g} s: try again when it is done"
            ) from None
        try:
            yield connection
        except psycopg.Error as error:
            raise DeployError(one_line(error)) from error


def _refuse_pooler(connection: Connection) -> None:
    """Raise DeployError where a pooler hands each transaction to another session of the server.

    The deploy's lock and limits belong to a session: left behind in a pool, they would hold up whoever gets it next. A
    pooler shows itself by the number of the session that it made up for us.
    """
    row = connection.execute("select pg_backend_pid()").fetchone()
    if row != (connection.info.backend_pid,):
        connection.close()
        raise DeployError(
            "there is a connection pooler (such as PgBouncer) in between, and a deploy needs a session of its own:"
            " name host and port of the PostgreSQL server itself in the database URL"
        )


def exists(connection: Connection, table: str) -> bool:
    """Whether there is a table of that name."""
    row = connection.execute("select to_regclass(%s) is not null", [table]).fetchone()
    return row == (True,)


def one_line(error: psycopg.Error) -> str:
    """What the server said, in one line: message, detail, hint."""
    said = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint]
    parts = [part for part in said if part] or [str(error)]
    return "; ".join(" ".join(part.split()) for part in parts)


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"  # 0 would mean for ever


def _lock_holder(connection: Connection) -> str:
    row = connection.execute(
        "select pid from pg_catalog.pg_locks"
        " where locktype = 'advisory' and granted and objsubid = 1"
        " and classid::bigint = %s and objid::bigint = %s"
        " and database = (select oid from pg_catalog.pg_database where datname = current_database())",
        [DEPLOY_LOCK >> 32, DEPLOY_LOCK & 0xFFFFFFFF],
    ).fetchone()
    return f" (database process {row[0]})" if row else ""


def _described(
    pid: int, user: str | None, program: str | None, seconds: int | None, query: str | None
) -> str:
    facts = [f"user {user}"] if user else []
    facts += [f"program {program}"] if program else []
    facts += [f"in a transaction for {seconds} s"] if seconds is not None else []
    facts += [f"last statement: {query}"] if query else []
    return f"database process {pid} ({', '.join(facts)})" if facts else f"database process {pid}"
