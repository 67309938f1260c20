"""Calls over psycopg: each one is a transaction, on a connection that no other call is using."""

import asyncio
import os
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from atlas_stage.arguments import as_json
from atlas_stage.errors import InvalidInput, StageError, Unavailable, from_sqlstate
from atlas_stage.protocol import Work

DEFAULTS: dict[str, Any] = {
    "application_name": "atlas-stage",
    "connect_timeout": 10,
    # A connection whose packets a firewall drops is given up after 15 s; the system alone takes 15 minutes.
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}


# What a person needs not read in the reason why there is no connection.
_TECHNICAL = re.compile(r"^connection failed: |FATAL: +|\[Errno -?\d+\] ")


class PsycopgTransport:
    """Calls over psycopg. Threads and asyncio tasks can share it: every call has a connection, which is reused.

    `actor` is who acts (`rules.act_as`, for members of atlas_operator); None leaves it to the login.
    """

    def __init__(self, dsn: str | None = None, actor: str | None = None) -> None:
        self._dsn = dsn or os.environ.get("ATLAS_DATABASE_URL")
        self._actor = actor or os.environ.get("ATLAS_ACTOR") or None
        self._idle: list[psycopg.Connection] = []
        self._works: dict[object, Work] = {}  # the transactions in progress, by caller

    def __reduce__(self) -> Any:
        return PsycopgTransport, (self._dsn, self._actor)

    def call(self, function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool = False) -> Any:
        """Call `api.<function>`. If the connection breaks, reads and writes with a key are repeated once."""
        work = self._works.get(_caller())
        connection = None
        try:
            with _translated(), self._within(work) as transaction:
                connection = transaction.connection
                statement, parameters = _statement(function, arguments)
                row = connection.execute(statement, parameters).fetchone()
                return row[0] if row else None
        except Unavailable:
            repeatable = read or (keyed and arguments.get("external_id") is not None)
            if work or not repeatable or connection is None or not connection.broken:
                raise
        return self.call(function, arguments, read=False)

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        """One transaction for the calls that this thread, or asyncio task, makes inside. Nested, it is a savepoint."""
        caller = _caller()
        outer = self._works.get(caller)
        with _translated(), self._within(outer) as transaction:
            work = Work(transaction.connection)
            try:
                self._works[caller] = outer or work
                yield work
            finally:
                if outer is None:
                    self._works.pop(caller, None)
            if work.discarded:
                raise psycopg.Rollback(transaction)

    def close(self) -> None:
        """Close the connections; one that is in use closes when its call ends. A later call opens new ones."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _within(self, work: Work | None) -> Iterator[psycopg.Transaction]:
        """A savepoint in the work in progress, else a transaction of the actor, if possible on an idle connection."""
        with ExitStack() as stack:
            if work:
                yield stack.enter_context(work.connection.transaction())
                return
            transaction = self._on_idle(stack) or self._on(connect(self._dsn), stack)
            if self._actor is not None:
                transaction.connection.execute("select rules.act_as(%s)", [self._actor])
            yield transaction

    def _on_idle(self, stack: ExitStack) -> psycopg.Transaction | None:
        """A transaction on an idle connection; None if there is none. If one is broken, the others are too."""
        with suppress(IndexError):
            try:
                return self._on(self._idle.pop(), stack)
            except psycopg.Error:
                self.close()
        return None

    def _on(self, connection: psycopg.Connection, stack: ExitStack) -> psycopg.Transaction:
        idle = self._idle

        def put_back(kind: type[BaseException] | None, *_: object) -> None:
            """Keep the connection, unless something is unfinished on it, as after Ctrl-C."""
            interrupted = kind is not None and not issubclass(kind, Exception)
            is_done = connection.info.transaction_status == TransactionStatus.IDLE
            if is_done and not interrupted and idle is self._idle:
                idle.append(connection)
            elif not connection.broken:
                connection.close()

        stack.push(put_back)
        return stack.enter_context(connection.transaction())


def _caller() -> tuple[int, int, object]:
    """The process, the thread and the asyncio task that is calling."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return os.getpid(), threading.get_ident(), task


def connect(dsn: str | None) -> psycopg.Connection:
    """Open a connection in autocommit mode. Raises InvalidInput or Unavailable, without a password in them."""
    if not dsn:
        hint = "give --database, or set ATLAS_DATABASE_URL to its URL; over HTTP: ATLAS_URL, ATLAS_TOKEN"
        raise Unavailable("No database is given.", hint=hint)
    with _translated():
        try:
            # Names and reasons can be in any alphabet, whatever encoding the database's clients have by default.
            options = {**DEFAULTS, **options_of(dsn), "client_encoding": "UTF8"}
            # A pooler can run the next transaction in another session, where a prepared statement doesn't exist.
            connection = _Connection.connect(make_conninfo("", **options), autocommit=True, prepare_threshold=None)
        except (psycopg.ProgrammingError, UnicodeError):
            hint = "write signs such as @ and / in a password as %40 and %2F"
            raise InvalidInput("the database URL cannot be read", hint=hint) from None
        except psycopg.OperationalError as error:
            # The first line says it all: others repeat it for each host, or ask whether the server is running.
            reason = _TECHNICAL.sub("", str(error).partition("\n")[0])
            hint = (
                "check that the server runs, and the host, port, login and password of --database or ATLAS_DATABASE_URL"
            )
            raise Unavailable(reason, hint=hint) from error
        _OPENED.add(connection)
        # psycopg can read dates and intervals only in these styles, and a database may have other defaults.
        if not (connection.info.parameter_status("DateStyle") or "").startswith("ISO"):
            connection.execute("set datestyle = 'ISO'")
        if connection.info.parameter_status("IntervalStyle") not in ("postgres", None):
            connection.execute("set intervalstyle = 'postgres'")
        return connection


def options_of(dsn: str) -> dict[str, Any]:
    """The options in a database URL. Raises psycopg.ProgrammingError."""
    options = conninfo_to_dict(dsn)
    if "@" in str(options.get("host"))[1:]:  # the rest of a password that has this sign
        raise psycopg.ProgrammingError
    return options


class _Connection(psycopg.Connection[Any]):
    def __del__(self, *_: object) -> None:
        """Close without a warning: Ctrl-C can come before a connection is kept, or after it is taken to be used."""
        if hasattr(self, "pgconn"):
            self.close()


_OPENED = WeakSet[psycopg.Connection]()


def _cut_off() -> None:
    """In a forked process: replace the sockets of the parent's sessions, which it can neither share nor close."""
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        for connection in _OPENED:
            if not connection.closed:
                os.dup2(ours.fileno(), connection.fileno())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_cut_off)


def _statement(function: str, arguments: Mapping[str, Any]) -> tuple[sql.Composed, dict[str, Any]]:
    """The call and its parameters."""
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in arguments
    )
    call = sql.SQL("select {}({})").format(sql.Identifier("api", function), named)
    return call, {name: _parameter(name, value) for name, value in arguments.items()}


def _parameter(name: str, value: Any) -> Any:
    """The value as psycopg sends it. PostgreSQL reads JSON, and a number of any size, by the argument's type."""
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, dict) for part in parts):
        return as_json(value, name)
    return str(value) if type(value) is int else value


@contextmanager
def _translated() -> Iterator[None]:
    """Turn psycopg's exceptions into those of this package."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error
    except UnicodeEncodeError as error:
        raise InvalidInput("text must be valid Unicode") from error


def translate(error: psycopg.Error) -> StageError:
    """The exception for an error of the database: by its SQLSTATE, else by its class."""
    code = error.sqlstate or ""
    message = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
    if known := from_sqlstate(code, message, error.diag.message_detail, error.diag.message_hint):
        return known
    if isinstance(error, psycopg.DataError) and not code:
        return InvalidInput(message)
    # An InternalError without a code is psycopg's own: the connection ended in the middle of an answer.
    ended = isinstance(error, psycopg.InternalError) and not code
    lost = ended or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return (Unavailable if lost else StageError)(message, details={"sqlstate": code} if code else {})
