"""The deploy's connections: the lock that lets one deploy run at a time, its SQL, and who keeps it waiting."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import psycopg

from atlas_stage.errors import StageError
from atlas_stage.ops import resources
from atlas_stage.transports import psycopg as transport

Connection = psycopg.Connection
Report = Callable[[str], None]

# The key of the advisory lock ("atlas_st" in ASCII): no other program uses it.
DEPLOY_LOCK = 0x61746C61735F7374
# Seconds to wait for another deploy: after it there is usually nothing left to do.
DEPLOY_WAIT_SECONDS = 60.0
LOCK_TIMEOUT_SECONDS = 5.0
OLDEST_SERVER = 15


class DeployError(StageError):
    """A deploy that failed. The message is one plain line that says what to do."""

    default_rule = "deploy_failed"


@dataclass(frozen=True)
class Target:
    """The database to deploy to, the seconds to wait for a table's lock, and the name of this deploy's sessions."""

    dsn: str
    lock_timeout: float = LOCK_TIMEOUT_SECONDS
    application_name: str = field(default_factory=lambda: f"atlas-stage migrate {uuid.uuid4().hex[:8]}")

    def connect(self) -> Connection:
        """Open a connection in autocommit mode.

        Raises Unavailable or InvalidInput if there is no database, and DeployError if the server is too old, and behind
        a pooler: there the deploy's lock and limits, which belong to a session, would block its next user.
        """
        connection = transport.connect(self.dsn)
        # A pooler makes up a process id.
        pid = connection.execute("select pg_backend_pid()").fetchone()
        if pid != (connection.info.backend_pid,):
            connection.close()
            raise DeployError(
                "A connection pooler (such as PgBouncer) is in between, and a deploy needs its own session."
                " Put the host and port of the PostgreSQL server itself into the database URL."
            )
        version = connection.info.server_version // 10000
        if version < OLDEST_SERVER:
            connection.close()
            raise DeployError(f"The server is PostgreSQL {version}. Use {OLDEST_SERVER} or newer.")
        limit = f"{max(1, round(self.lock_timeout * 1000))}ms"  # 0 would mean no limit
        run(connection, "session_settings", self.application_name, limit)
        return connection


@contextmanager
def watching(observer: Connection, target: Target) -> Iterator[Callable[[str], DeployError]]:
    """Record, while the block runs, which sessions keep the deploy waiting: afterwards they can't be found.

    Yields what makes the error of a step that gave up.
    """
    blockers = ["another session"]
    done = threading.Event()

    def look() -> None:
        while not done.wait(min(0.5, target.lock_timeout / 4)):
            try:
                rows = run(observer, "blockers", target.application_name)
            except psycopg.Error:
                return  # the deploy fails the same way, and reports it
            blockers[:] = [session for (session,) in rows] or blockers

    def timed_out(doing: str) -> DeployError:
        return DeployError(
            f"{doing}: gave up after waiting {target.lock_timeout:g} s for {' and '.join(blockers)};"
            " this step changed nothing: run it again when that session has ended its transaction"
        )

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield timed_out
    finally:
        done.set()
        thread.join()


@contextmanager
def deploying(target: Target) -> Iterator[Connection]:
    """Hold the deploy lock, on its own connection.

    Raises DeployError if the encoding is another than UTF8, or another deploy does not end in time.
    """
    with replace(target, lock_timeout=DEPLOY_WAIT_SECONDS).connect() as connection:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DeployError(
                f"The encoding of database {connection.info.dbname} is {encoding}, and only UTF8 works."
                " Create another (createdb --encoding=UTF8 --template=template0 NAME) and restore your dump into it."
            )
        try:
            connection.execute("select pg_advisory_lock(%s)", [DEPLOY_LOCK])
        except psycopg.errors.LockNotAvailable:
            holders = run(connection, "lock_holder", DEPLOY_LOCK)
            which = f" (database process {holders[0][0]})" if holders else ""
            raise DeployError(
                f"another deploy{which} is still running after {DEPLOY_WAIT_SECONDS:g} s: try again when it has ended"
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


def run_each(connection: Connection, name: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Run sql/deploy/NAME.sql, then the statement at the end of each of its rows; the rows."""
    rows = run(connection, name, *parameters)
    for row in rows:
        connection.execute(row[-1].encode())
    return rows


@cache
def _statement(name: str) -> bytes:
    return (resources.root() / "sql" / "deploy" / f"{name}.sql").read_bytes()


def exists(connection: Connection, *names: str) -> bool:
    """Whether the database has these tables, and functions (with their parentheses)."""
    return run(connection, "exist", list(names)) == [(True,)]


def one_line(error: psycopg.Error) -> str:
    """The server's message, detail and hint in one line."""
    said = [error.diag.message_primary, error.diag.message_detail, error.diag.message_hint]
    parts = [part for part in said if part] or [str(error)]
    return "; ".join(" ".join(part.split()) for part in parts)


def explained(observer: Connection, error: psycopg.Error) -> str:
    """The error in one line, with the host's event trigger that raised it and the line that fixes that."""
    triggers = run(observer, "event_triggers", error.diag.context or "")
    return "; ".join([one_line(error), *(said for (said,) in triggers)])
