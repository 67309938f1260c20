"""The stored logic under `sql/`: deployed whole in one transaction, or left alone if it has not changed.

Functions are replaced, not dropped, so the host's grants, views and prepared statements on them survive. Functions of
ours that no file creates any more are dropped afterwards, unless an object of the host depends on them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy import installation, roles
from atlas_stage.ops.deploy.connection import (
    Connection,
    DeployError,
    exists,
    explained,
    one_line,
    run,
)
from atlas_stage.ops.deploy.migrations import Report
from atlas_stage.ops.deploy.sources import SCHEMAS, label, logic_files, logic_hash

_LOCK_ATTEMPTS = 60
_OURS = (list(SCHEMAS), list(roles.OWNERS))


def is_deployed(connection: Connection, folder: Path) -> bool:
    """Whether the database has exactly this stored logic."""
    row = connection.execute(
        "select count(*) from public.stage_deploys"
        " where part = 'stored_logic' and name = 'sql' and sha256 = %s"
        " and not exists (select from unnest(%s::text[]) as s (name) where to_regnamespace(s.name) is null)",
        [logic_hash(folder), list(SCHEMAS)],
    ).fetchone()
    return row == (1,)


def deploy(
    connection: Connection, folder: Path, observer: Connection, *, judged: bool = True
) -> None:
    """Re-create everything, in the transaction of `connection`. `observer` is the session that holds the deploy lock.

    `judged`: what the last deploy left was compared before. Without stored logic that was not possible, so it is
    compared and repaired here. Raises DeployError, and LockNotAvailable and DeadlockDetected of psycopg.
    """
    try:
        with roles.as_owner(connection):
            installation.take_over(connection, folder)
            installation.close(connection, folder)
            before = set(run(connection, "made_objects", *_OURS))
            host_rights = run(connection, "host_rights", *_OURS, list(roles.ALL))
            # Functions can use each other in any order.
            connection.execute("set local check_function_bodies = off")
            *files, grants = logic_files(folder)
            for file in files:
                _execute(connection, file, folder, observer)
            # Before grants.sql: a grant on all functions of a schema updates the rows of stale ones too.
            stale = before & set(run(connection, "made_objects", *_OURS))
            _execute(connection, grants, folder, observer)
            _drop(connection, stale)
            _keep_host_rights(connection, host_rights)
            installation.make_policies(connection, folder.parent)
            if not judged:
                installation.repair(connection)
                installation.refuse_irreparable(connection)
            installation.record(connection, folder.parent)
            run(connection, "record_deploy", "stored_logic", "sql", logic_hash(folder))
            connection.execute("notify pgrst, 'reload schema'")
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise
    except psycopg.Error as error:
        raise DeployError(f"stored logic: {explained(observer, error)}") from error


def renew_feed(connection: Connection) -> bool:
    """Continue the feed of changes after the database was moved to another server; returns whether it was."""
    with roles.as_owner(connection):
        return exists(connection, "ops.renew_feed()") and connection.execute(
            "select ops.renew_feed()"
        ).fetchone() == (True,)


def hash_history(connection: Connection, report: Report) -> int | None:
    """Give history rows without a hash their hash; returns the id of a client that another session has locked."""
    with roles.as_owner(connection):  # a deployer that is not a superuser can't see into `ops`
        if not exists(connection, "ops.hash_history(bigint,integer)"):
            return None
    after: int | None = -(2**63)
    slices = 0
    while after is not None:
        try:
            with roles.as_owner(connection):
                row = connection.execute("select ops.hash_history(%s)", [after]).fetchone()
        except psycopg.Error as error:
            if error.sqlstate != "PT503":
                raise DeployError(f"hashes of history: {one_line(error)}") from error
            return int(json.loads(error.diag.message_detail or "{}").get("client_id", 0))
        after = row[0] if row else None
        slices += after is not None
    if slices:
        report("hashed the history")
    return None


def try_out(connection: Connection) -> list[str]:
    """Try every way into `clients`, and roll back; returns what failed and the lines that fix it, or nothing."""
    with roles.as_owner(connection):
        if not exists(connection, "ops.trial(boolean)"):
            return []
        row = connection.execute("select t.severity, t.what, t.todo from ops.trial() t").fetchone()
    severity, what, todo = row or (None, None, None)
    return [f"THE TRIAL FAILED: {what}", f"to fix it: {todo}"] if severity == "error" else []


def drop(connection: Connection) -> None:
    """Drop the stored logic, so that its tables can be dropped."""
    with roles.as_owner(connection):
        run(connection, "drop_stored_logic")


def lock_tables(connection: Connection) -> None:
    """Lock the tables whose triggers are re-created, against writers only.

    Other sessions lock these tables in any order. To avoid a deadlock, wait for the first table only, and try the
    others without waiting; if one is locked, release all and start again.
    """
    tables = [
        sql.Identifier(schema, table)
        for table, schema in run(connection, "triggered_tables", list(SCHEMAS))
    ]
    for attempt in range(1, _LOCK_ATTEMPTS + 1):
        waits = True
        try:
            with connection.transaction():
                for number, table in enumerate(tables):
                    waits = number == 0 or attempt == _LOCK_ATTEMPTS
                    connection.execute(
                        sql.SQL("lock table {} in share row exclusive mode {}").format(
                            table, sql.SQL("" if waits else "nowait")
                        )
                    )
            return
        except psycopg.errors.LockNotAvailable:
            if waits:
                raise
            time.sleep(0.05)


def _keep_host_rights(connection: Connection, before: list[tuple[str, str]]) -> None:
    """Grant again what the host's roles could execute. Raises DeployError if such a function is gone."""
    for name, role in before:
        signatures = run(connection, "routines_named", name)
        if not signatures:
            raise DeployError(
                f"{name} is not part of this version, and {role} can execute it: tell its users, then run:"
                f" revoke execute on function {name} from {role}"
            )
        for (signature,) in signatures:
            connection.execute(f"grant execute on routine {signature} to {role}".encode())


def _drop(connection: Connection, stale: set[tuple[object, ...]]) -> None:
    """Drop what an earlier deploy created and this one did not."""
    for kind in ("trigger", "routine", "view"):
        names = sorted(str(name) for each, _, _, name in stale if each == kind)
        if kind == "routine" and names:
            names = [", ".join(names)]  # together, because they can depend on each other
        for name in names:
            connection.execute(f"drop {kind} {name}".encode())


def _execute(connection: Connection, file: Path, folder: Path, observer: Connection) -> None:
    content = file.read_bytes()
    try:
        try:
            with connection.transaction():
                # Without parameters, the server splits the file into statements.
                connection.execute(content)
        except psycopg.errors.InvalidFunctionDefinition:
            # Arguments or the return type changed: the function can't be replaced, only dropped and created.
            name = f"{file.relative_to(folder).parts[0]}.{file.stem}"
            signatures = ", ".join(each for (each,) in run(connection, "routines_named", name))
            if signatures:
                connection.execute(f"drop routine {signatures}".encode())
            connection.execute(content)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise
    except psycopg.Error as error:
        position = error.diag.statement_position
        before = content.decode(errors="replace")[: int(position or 1) - 1]
        line = f" line {before.count(chr(10)) + 1}" if position else ""
        raise DeployError(f"{label(file, folder)}{line}: {explained(observer, error)}") from error
