"""The deploy's connections: the lock that lets one deploy run at a time, its SQL, and who keeps it waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg

from atlas_stage.errors import StageError, Unavailable
from atlas_stage.ops import resources
from atlas_stage.transports import psycopg as transport

Connection = psycopg.Connection

# The key of the advisory lock ("atlas_st" in ASCII): no other program uses it.
DEPLOY_LOCK = 0x61746C61735F7374
# Seconds to wait for another deploy: after it there is usually nothing left to do.
DEPLOY_WAIT_SECONDS = 60.0
OLDEST_SERVER = 15


class DeployError(StageError):
    """A deploy that failed. The message is one plain line that says what to do."""

    default_rule = "deploy_failed"


class DeployUnavailableError(DeployError, Unavailable):
    """The database can't be reached."""

    default_rule, default_status = Unavailable.default_rule, Unavailable.default_status


@dataclass(frozen=True)
class Target:
    """The database to deploy to, and how many seconds to wait for a table's lock."""

    dsn: str
    lock_timeout: float
    application_name: str
    database: str = ""  # yoyo passes it to a query that does not use it

    def connect(self) -> Connection:
        """Open a connection in autocommit mode.

        Raises DeployUnavailableError if there is no database, and DeployError behind a pooler.
        """
        try:
            connection = transport.connect(self.dsn)
        except StageError as error:
            raise DeployUnavailableError(error.message, hint=error.hint) from error
        _refuse_pooler(connection)
        run(connection, "session_settings", self.application_name, _ms(self.lock_timeout))
        return connection


class Watch:
    """Records, while the deploy works, which sessions keep it waiting: afterwards they can't be found."""

    def __init__(self, observer: Connection, target: Target) -> None:
        self._observer = observer
        self._target = target
        self._done = threading.Event()
        self._blockers: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch until the block ends."""
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
            " this step changed nothing: run it again when that session has ended its transaction"
        )

    def _look(self) -> None:
        while not self._done.wait(min(0.5, self._target.lock_timeout / 4)):
            try:
                rows = run(self._observer, "blockers", self._target.application_name)
            except psycopg.Error:
                return  # the deploy fails the same way, and reports it
            if rows:
                self._blockers = [_described(*row) for row in rows]


@contextmanager
def deploying(target: Target) -> Iterator[Connection]:
    """Hold the deploy lock, on its own connection.

    Raises DeployError if the server is too old, or another deploy does not end in time.
    """
    with target.connect() as connection:
        version = connection.info.server_version // 10000
        if version < OLDEST_SERVER:
            raise DeployError(f"The server is PostgreSQL {version}. Use {OLDEST_SERVER} or newer.")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DeployError(
                f"The encoding of database {connection.info.dbname} is {encoding}, and only UTF8 works."
                " Create another (createdb --encoding=UTF8 --template=template0 NAME) and restore your dump into it."
            )
        connection.execute(
            "select set_config('lock_timeout', %s, false)", [_ms(DEPLOY_WAIT_SECONDS)]
        )
        try:
            connection.execute("select pg_advisory_lock(%s)", [DEPLOY_LOCK])
        except psycopg.errors.LockNotAvailable:
            holders = run(connection, "lock_holder", DEPLOY_LOCK)
            which = f" (database process {holders[0][0]})" if holders else ""
            raise DeployError(
                f"another deploy{which} is still running after {DEPLOY_WAIT_SECONDS:g} s:"
                " try again when it has ended"
            ) from None
        try:
            yield connection
        except psycopg.Error as error:
            raise DeployError(one_line(error)) from error


def run(connection: Connection, name: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Run sql/deploy/NAME.sql, whose parameters are $1, $2, …; its rows."""
    with psycopg.RawCursor(connection) as cursor:
        cursor.execute(_statement(name), parameters or None)
        return cursor.fetchall() if cursor.description else []


@cache
def _statement(name: str) -> bytes:
    return (resources.root() / "sql" / "deploy" / f"{name}.sql").read_bytes()


def exists(connection: Connection, *names: str) -> bool:
    """Whether the database has these tables, and functions (with their parentheses)."""
    row = connection.execute(
        "select bool_and(case when n like '%%(%%' then to_regprocedure(n)::oid else to_regclass(n)::oid end"
        " is not null) from unnest(%s::text[]) as names (n)",
        [list(names)],
    ).fetchone()
    return row == (True,)


def one_line(error: psycopg.Error) -> str:
    """The server's message, detail and hint in one line."""
    said = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint]
    parts = [part for part in said if part] or [str(error)]
    return "; ".join(" ".join(part.split()) for part in parts)


def explained(observer: Connection, error: psycopg.Error) -> str:
    """The error in one line, with the host's event trigger that raised it and the line that fixes that."""
    rows = run(observer, "event_triggers", error.diag.context or "")
    said = "; ".join(
        f"event trigger {name} of the host stops the deploy; to fix it: {line}"
        for name, line in rows
    )
    return "; ".join(filter(None, [one_line(error), said]))


def _refuse_pooler(connection: Connection) -> None:
    """Raise DeployError behind a pooler that gives each transaction another session.

    The deploy's lock and limits belong to a session: left in a pool, they would block its next user. A pooler
    is detected by the process id that it makes up.
    """
    row = connection.execute("select pg_backend_pid()").fetchone()
    if row != (connection.info.backend_pid,):
        connection.close()
        raise DeployError(
            "A connection pooler (such as PgBouncer) is in between, and a deploy needs its own session."
            " Put the host and port of the PostgreSQL server itself into the database URL."
        )


def _ms(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000))}ms"  # 0 would mean no limit


def _described(
    pid: int, user: str | None, program: str | None, seconds: int | None, query: str | None
) -> str:
    facts = [f"user {user}"] if user else []
    facts += [f"program {program}"] if program else []
    facts += [f"in a transaction for {seconds} s"] if seconds is not None else []
    facts += [f"last statement: {query}"] if query else []
    return f"database process {pid}" + (f" ({', '.join(facts)})" if facts else "")
