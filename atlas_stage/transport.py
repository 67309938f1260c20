"""How a call reaches the database over psycopg."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from atlas_stage.arguments import as_json
from atlas_stage.errors import (
    SAME_VERSION,
    InvalidInput,
    StageError,
    Unavailable,
    from_sqlstate,
)
from atlas_stage.protocol import Work

# The types of a function's arguments, which the database knows.
_TYPES: LiteralString = """
    select argument.name, format_type(argument.type, null)
    from pg_catalog.pg_proc as p
    cross join lateral unnest(p.proargnames, p.proargtypes::oid[]) as argument (name, type)
    where p.pronamespace = 'api'::regnamespace
      and p.proname = %s
      and argument.type is not null
"""


class PsycopgTransport:
    """Calls over one psycopg connection, made at the first call: one transaction a call.

    `actor` is who acts (`rules.act_as`, for members of atlas_operator); None leaves it to the login role. Not for
    several threads at a time.
    """

    def __init__(self, dsn: str | None = None, actor: str | None = None) -> None:
        self._dsn = dsn or os.environ.get("ATLAS_DATABASE_URL")
        self._actor = actor or os.environ.get("ATLAS_ACTOR") or None
        self._connection: psycopg.Connection | None = None
        self._types: dict[str, dict[str, str]] = {}
        self._depth = 0

    def call(
        self,
        function: str,
        arguments: Mapping[str, Any],
        *,
        read: bool,
        keyed: bool = False,  # noqa: ARG002 (the key is among the arguments)
    ) -> Any:
        """Call `api.<function>`; a read that meets a broken connection is tried once more on a new one. A write never
        is: what became of it, the caller can see.
        """
        try:
            return self._execute(function, arguments)
        except Unavailable:
            if not read or self._depth or self._connection is None or not self._connection.broken:
                raise
            return self._execute(function, arguments)

    @contextmanager
    def transaction(self) -> Iterator[Work]:
        """One transaction for all calls inside; each nested one is a savepoint."""
        with _translated(), self._connected().transaction() as transaction:
            work = Work(transaction.connection)
            self._depth += 1
            try:
                if self._depth == 1 and self._actor is not None:
                    self._connected().execute("select rules.act_as(%s)", [self._actor])
                yield work
            finally:
                self._depth -= 1
            if work.discarded:
                raise psycopg.Rollback(transaction)

    def close(self) -> None:
        """Close the connection; a later call makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, function: str, arguments: Mapping[str, Any]) -> Any:
        with self.transaction():
            connection = self._connected()
            types = self._types_of(connection, function) if arguments else {}
            statement, parameters = _statement(function, arguments, types)
            row = connection.execute(statement, parameters).fetchone()
        return row[0] if row else None

    def _types_of(self, connection: psycopg.Connection, function: str) -> dict[str, str]:
        if function not in self._types:
            self._types[function] = dict(connection.execute(_TYPES, [function]).fetchall())
        return self._types[function]

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or (self._connection.closed and self._depth == 0):
            self._connection = connect(self._dsn)
            self._types.clear()
        return self._connection


def connect(dsn: str | None) -> psycopg.Connection:
    """Open a connection in autocommit mode; raises Unavailable in one line that holds no password."""
    if not dsn:
        raise Unavailable(
            "no database is named",
            hint="give --database, or set ATLAS_DATABASE_URL to its URL; over HTTP: ATLAS_URL, ATLAS_TOKEN",
        )
    with _translated():
        try:
            options = conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            raise InvalidInput("the database URL cannot be read") from None
        # Names and reasons are of any alphabet, whatever the database's clients otherwise write in.
        options |= {"client_encoding": "UTF8"}
        options = {"application_name": "atlas-stage", "connect_timeout": 10, **options}
        # Behind a pooler the next transaction may be another session's, which knows no prepared statement.
        connection = psycopg.connect(
            make_conninfo("", **options), autocommit=True, prepare_threshold=None
        )
        # psycopg reads dates and lengths of time in these styles alone, and a database may have others.
        if not (connection.info.parameter_status("DateStyle") or "").startswith("ISO"):
            connection.execute("set datestyle = 'ISO'")
        if connection.info.parameter_status("IntervalStyle") not in ("postgres", None):
            connection.execute("set intervalstyle = 'postgres'")
        return connection


def _statement(
    function: str, arguments: Mapping[str, Any], types: Mapping[str, str]
) -> tuple[sql.Composed, dict[str, Any]]:
    """The call and its parameters."""
    named: list[sql.Composable] = []
    parameters: dict[str, Any] = {}
    for name, value in arguments.items():
        kind = types.get(name)
        if kind is None:
            raise InvalidInput(
                f"api.{function} has no argument {name}",
                details={"argument": name},
                hint=SAME_VERSION,
            )
        parameters[name] = as_json(value, name) if kind == "jsonb" and value is not None else value
        # the catalog writes a type as it can be in a statement
        named.append(
            sql.SQL("{} => {}::{}").format(
                sql.Identifier(name), sql.Placeholder(name), sql.SQL(kind)
            )
        )
    call = sql.SQL("select {}({})").format(
        sql.Identifier("api", function), sql.SQL(", ").join(named)
    )
    return call, parameters


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what psycopg raises into the exceptions of this package."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error
    except UnicodeEncodeError as error:
        raise InvalidInput("text must be valid Unicode") from error


def translate(error: psycopg.Error) -> StageError:
    """The exception for an error of the database: by its SQLSTATE, else by its kind."""
    code = error.sqlstate or ""
    message = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
    known = from_sqlstate(code, message, error.diag.message_detail, error.diag.message_hint)
    if known is not None:
        return known
    details = {"sqlstate": code} if code else {}
    if isinstance(error, psycopg.DataError) and not code:
        return InvalidInput(message)
    # An InternalError without a code is psycopg's own: a connection that ended in the middle of an answer.
    ended = isinstance(error, psycopg.InternalError) and not code
    if ended or isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable(message, details=details)
    return StageError(message, details=details)
