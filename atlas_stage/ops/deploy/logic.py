"""The stored logic under `sql/`: deployed whole in one transaction, or left alone if it has not changed.

Functions are replaced, not dropped, so the host's grants, views and prepared statements on them survive. Functions of
ours that no file creates any more are dropped afterwards, unless an object of the host depends on them.
"""

import json
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from atlas_stage.ops.deploy import installation, roles
from atlas_stage.ops.deploy.connection import (
    Connection,
    DeployError,
    Report,
    exists,
    explained,
    one_line,
    run,
    run_each,
)
from atlas_stage.ops.deploy.installation import SCHEMAS, label, logic_files, logic_hash

_OURS = (list(SCHEMAS), list(roles.OWNERS))


def is_deployed(connection: Connection, folder: Path) -> bool:
    """Whether the database has exactly this stored logic."""
    recorded = exists(connection, "public.stage_deploys")
    return recorded and run(connection, "is_deployed", logic_hash(folder), list(SCHEMAS)) == [(True,)]


def deploy(connection: Connection, folder: Path, observer: Connection, *, judged: bool = True) -> None:
    """Re-create everything, in the transaction of `connection`. `observer` is the session that holds the deploy lock.

    `judged`: what the last deploy left was compared before. Without stored logic that was not possible, so it is
    compared and repaired here. Raises DeployError, and psycopg's errors.
    """
    with roles.as_owner(connection):
        installation.take_over(connection, folder)
        # After a restore without rights, PUBLIC can execute everything. grants.sql grants again what is right.
        run_each(connection, "close_routines", list(installation.routines(folder)), list(roles.CALLERS))
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
        migrated = installation.migrated(folder.parent)
        run_each(connection, "make_policies", migrated)
        if installation.is_there(connection):
            if not judged:
                installation.repair(connection)
            connection.execute("delete from public.stage_installation")
            run(connection, "record_installation", migrated)
        run(connection, "record_deploy", "stored_logic", "sql", logic_hash(folder))
        connection.execute("notify pgrst, 'reload schema'")


def renew_feed(connection: Connection) -> bool:
    """Continue the feed of changes after the database was moved to another server; returns whether it was."""
    return _ask(connection, "ops.renew_feed()", "select ops.renew_feed()") == (True,)


def hash_history(connection: Connection, report: Report) -> None:
    """Give history rows without a hash their hash."""
    function, query = "ops.hash_history(bigint,integer)", "select ops.hash_history(%s)"
    after, hashed = -(2**63), False
    try:
        while (row := _ask(connection, function, query, after)) and row[0] is not None:
            after, hashed = row[0], True
    except psycopg.Error as error:
        if error.sqlstate != "PT503":
            raise DeployError(f"hashes of history: {one_line(error)}") from error
        held = json.loads(error.diag.message_detail or "{}").get("client_id", 0)
        report(f"some history has no hashes yet: another session has locked client {held}. Run migrate again.")
        return
    if hashed:
        report("hashed the history")


def try_out(connection: Connection) -> list[str]:
    """Try every way into `clients`, and roll back; returns what failed and the lines that fix it, or nothing."""
    query = "select t.what, t.todo from ops.trial() t where t.severity = 'error'"
    failed = _ask(connection, "ops.trial(boolean)", query)
    return [f"THE TRIAL FAILED: {failed[0]}", f"to fix it: {failed[1]}"] if failed else []


def _ask(connection: Connection, function: str, query: LiteralString, *parameters: object) -> tuple[Any, ...] | None:
    """The row of a query, None if there is no such function. As the owner: no other deployer can see into `ops`."""
    with roles.as_owner(connection):
        if not exists(connection, function):
            return None
        return connection.execute(query, parameters).fetchone()


def _keep_host_rights(connection: Connection, before: list[tuple[str, str]]) -> None:
    """Grant again what the host's roles could execute. Raises DeployError if such a function is gone."""
    names = [name for name, _ in before]
    for name, role, statement in run(connection, "host_grants", names, [role for _, role in before]):
        if statement is None:
            raise DeployError(
                f"{name} is not part of this version, and {role} can execute it: tell its users, then run:"
                f" revoke execute on function {name} from {role}"
            )
        connection.execute(statement.encode())


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
            run_each(connection, "drop_routines", name)
            connection.execute(content)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise  # the caller tries again, or says who is in the way
    except psycopg.Error as error:
        position = error.diag.statement_position
        before = content.decode(errors="replace")[: int(position or 1) - 1]
        line = f" line {before.count(chr(10)) + 1}" if position else ""
        raise DeployError(f"{label(file, folder)}{line}: {explained(observer, error)}") from error
