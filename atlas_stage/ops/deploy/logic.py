"""The stored logic under `sql/`: put in place whole in one transaction, or left alone when it has not changed.

Functions are replaced, not dropped: what the host made of them (grants, views, prepared statements) stays. Of ours,
what no file names any more goes afterwards, unless something of the host's stands on it.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy import installation, roles
from atlas_stage.ops.deploy.connection import Connection, DeployError, Target, Watch, one_line
from atlas_stage.ops.deploy.installation import SCHEMAS
from atlas_stage.ops.deploy.migrations import Report, content_hash

# First the schemas and types, last the triggers and rights; in between, what stands on what. Inside a folder, by path.
_FIRST, _FOLDERS, _LAST = ("schemas.sql", "types.sql"), SCHEMAS, ("triggers.sql", "grants.sql")

# Our triggers, routines and views, with the transaction that wrote each one's catalog row.
_MADE: LiteralString = """
    select 'trigger', t.oid, t.xmin::text, format('%%I on %%s', t.tgname, t.tgrelid::regclass)
    from pg_catalog.pg_trigger as t
    join pg_catalog.pg_proc as p on p.oid = t.tgfoid
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    where n.nspname = any (%(schemas)s)
      and p.proowner::regrole::text = any (%(owners)s)
    union all
    select 'routine', p.oid, p.xmin::text, p.oid::regprocedure::text
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    where n.nspname = any (%(schemas)s)
      and p.proowner::regrole::text = any (%(owners)s)
    union all
    select 'view', c.oid, c.xmin::text, c.oid::regclass::text
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname = any (%(schemas)s)
      and c.relowner::regrole::text = any (%(owners)s)
      and c.relkind = 'v'
    order by 1 desc, 4
"""


_LOCK_ATTEMPTS = 60

# What roles that are not ours may execute, by the functions' names: the signatures may change.
_HOST_RIGHTS: LiteralString = """
    select
      format('%%I.%%I', n.nspname, p.proname),
      a.grantee::regrole::text,
      array_agg(p.oid::regprocedure::text order by p.oid)
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
    cross join lateral aclexplode(p.proacl) as a
    where n.nspname = any (%(schemas)s)
      and p.proowner::regrole::text = any (%(owners)s)
      and a.grantee <> 0
      and a.grantee <> p.proowner
      and not (a.grantee::regrole::text = any (%(roles)s))
    group by 1, 2
    order by 1, 2
"""


def files(folder: Path) -> list[Path]:
    """The files of `folder` in the order of their execution.

    Raises DeployError for a file that stands where it would never be executed.
    """
    ordered = [folder / name for name in _FIRST]
    for name in _FOLDERS:
        ordered += sorted((folder / name).rglob("*.sql"))
    ordered += [folder / name for name in _LAST]
    stray = sorted(set(folder.rglob("*.sql")) - set(ordered))
    if stray:
        raise DeployError(
            f"{_name(stray[0], folder)} is in none of the folders {', '.join(_FOLDERS)}"
        )
    missing = [file for file in ordered if not file.is_file()]
    if missing:
        raise DeployError(f"{_name(missing[0], folder)} is missing")
    return ordered


def tree_hash(folder: Path) -> str:
    """SHA-256 over the paths and the contents of all files."""
    lines = [f"{_name(file, folder)} {content_hash(file)}\n" for file in files(folder)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def is_deployed(connection: Connection, folder: Path) -> bool:
    """Whether the database has just this stored logic."""
    row = connection.execute(
        "select count(*) from public.stage_deploys"
        " where part = 'stored_logic' and name = 'sql' and sha256 = %s"
        " and not exists (select from unnest(%s::text[]) as s (name) where to_regnamespace(s.name) is null)",
        [tree_hash(folder), list(SCHEMAS)],
    ).fetchone()
    return row == (1,)


def deploy(target: Target, folder: Path, observer: Connection, *, judged: bool = True) -> None:
    """Re-create everything. `observer` is the session that holds the deploy lock. Raises DeployError.

    `judged` says that what an earlier deploy left was looked at before; where there was no stored logic to do that, it
    is done now.
    """
    watch = Watch(observer, target)
    with target.connect() as connection, watch.running():
        try:
            with connection.transaction():
                roles.lend(connection)
                _lock_tables(connection)
                installation.take_over(connection, folder)
                installation.close(connection, folder)
                before, host_rights = _made(connection), _host_rights(connection)
                # Functions may name each other in any order.
                connection.execute("set local check_function_bodies = off")
                *written, last = files(folder)
                for file in written:
                    _execute(connection, file, folder)
                # Looked at before the last: rights that are given anew to all of a schema are no sign of life.
                stale = set(before) & set(_made(connection))
                _execute(connection, last, folder)
                _drop(connection, stale)
                _keep_host_rights(connection, host_rights)
                installation.make_policies(connection, folder.parent)
                if not judged:
                    installation.mend(connection)
                    installation.refuse_what_nothing_mends(connection)
                installation.record(connection, folder.parent)
                connection.execute(
                    "insert into public.stage_deploys (part, name, sha256)"
                    " values ('stored_logic', 'sql', %s)"
                    " on conflict (part, name) do update"
                    " set sha256 = excluded.sha256, deployed_at = now(), deployed_by = session_user",
                    [tree_hash(folder)],
                )
                connection.execute("notify pgrst, 'reload schema'")
                roles.take_back(connection)
        except psycopg.errors.LockNotAvailable:
            raise watch.timed_out("stored logic") from None
        except psycopg.Error as error:
            raise DeployError(f"stored logic: {one_line(error)}") from error


def renew_feed(connection: Connection) -> bool:
    """Let the feed of changes go on where the database came to another server; whether it had to."""
    with connection.transaction():
        roles.lend(connection)
        made = connection.execute(
            "select to_regprocedure('ops.renew_feed()') is not null"
        ).fetchone()
        renewed = made == (True,) and connection.execute("select ops.renew_feed()").fetchone()
        roles.take_back(connection)
    return renewed == (True,)


def hash_history(connection: Connection, report: Report) -> int | None:
    """Give history rows that have no hash theirs; the client that kept it from that because somebody holds it."""
    with connection.transaction():
        roles.lend(connection)  # a deployer that is no superuser may not look into `ops`
        missing = connection.execute(
            "select to_regprocedure('ops.hash_history(bigint,integer)') is null"
        ).fetchone()
        roles.take_back(connection)
    if missing == (True,):
        return None
    after: int | None = -(2**63)
    slices = 0
    while after is not None:
        try:
            with connection.transaction():
                roles.lend(connection)
                row = connection.execute("select ops.hash_history(%s)", [after]).fetchone()
                roles.take_back(connection)
        except psycopg.Error as error:
            if error.sqlstate != "PT503":
                raise DeployError(f"hashes of history: {one_line(error)}") from error
            return int(json.loads(error.diag.message_detail or "{}").get("client_id", 0))
        after = row[0] if row else None
        slices += after is not None
    if slices:
        report("gave history its hashes")
    return None


def drop(connection: Connection) -> None:
    """Take the stored logic out of the database, so that the tables it stands on can go."""
    with connection.transaction():
        roles.lend(connection)
        connection.execute("drop schema if exists ops, jobs, api, rules cascade")
        for (table,) in connection.execute(
            "select p.polrelid::regclass::text from pg_catalog.pg_policy p where p.polname = 'atlas_stage'"
        ).fetchall():
            connection.execute(f"drop policy atlas_stage on {table}".encode())
        connection.execute("delete from public.stage_deploys where part = 'stored_logic'")
        connection.execute("notify pgrst, 'reload schema'")
        roles.take_back(connection)


def _lock_tables(connection: Connection) -> None:
    """Lock the tables whose triggers are re-created: against writers, readers go on.

    Writers take the tables in orders of their own. So the first is waited for, and the others are asked for without
    waiting, and all let go again where one of them is not to be had: a deploy ends nobody's work in a deadlock.
    """
    tables = connection.execute(
        "select distinct n.nspname, c.relname"
        " from pg_catalog.pg_trigger as t"
        " join pg_catalog.pg_proc as p on p.oid = t.tgfoid"
        " join pg_catalog.pg_class as c on c.oid = t.tgrelid"
        " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
        " where p.pronamespace in (select to_regnamespace(s.name) from unnest(%s::text[]) as s (name))"
        " order by c.relname, n.nspname",
        [list(SCHEMAS)],
    ).fetchall()
    for attempt in range(_LOCK_ATTEMPTS):
        try:
            with connection.transaction():
                for number, (schema, table) in enumerate(tables):
                    waits = number == 0 or attempt == _LOCK_ATTEMPTS - 1
                    connection.execute(
                        sql.SQL("lock table {} in share row exclusive mode {}").format(
                            sql.Identifier(str(schema), str(table)),
                            sql.SQL("" if waits else "nowait"),
                        )
                    )
            return
        except psycopg.errors.LockNotAvailable:
            if attempt == _LOCK_ATTEMPTS - 1 or waits:
                raise
            time.sleep(0.05)


def _made(connection: Connection) -> list[tuple[object, ...]]:
    names = {"schemas": list(SCHEMAS), "owners": list(roles.OWNERS)}
    return connection.execute(_MADE, names).fetchall()


def _host_rights(connection: Connection) -> list[tuple[str, str, list[str]]]:
    names = {"schemas": list(SCHEMAS), "owners": list(roles.OWNERS), "roles": list(roles.ALL)}
    return connection.execute(_HOST_RIGHTS, names).fetchall()


def _keep_host_rights(connection: Connection, before: list[tuple[str, str, list[str]]]) -> None:
    """Give again what a role of the host's might execute and this deploy made anew.

    Raises DeployError, with names, where there is no such function any more.
    """
    for name, role, _ in before:
        found = connection.execute(
            "select p.oid::regprocedure::text from pg_catalog.pg_proc as p"
            " where format('%%I.%%I', p.pronamespace::regnamespace, p.proname) = %s",
            [name],
        ).fetchall()
        if not found:
            raise DeployError(
                f"{name} is no part of this version, and {role} may execute it: tell who uses it, then say:"
                f" revoke execute on function {name} from {role}"
            )
        for (signature,) in found:
            statement = sql.SQL("grant execute on routine {} to {}").format(
                sql.SQL(signature), sql.SQL(role)
            )
            connection.execute(statement)


def _drop(connection: Connection, stale: set[tuple[object, ...]]) -> None:
    """Drop what an earlier deploy made and this one did not write again."""
    for kind in ("trigger", "routine", "view"):
        names = sorted(str(name) for each, _, _, name in stale if each == kind)
        if kind == "routine" and names:
            names = [", ".join(names)]  # they may stand on each other
        for name in names:
            connection.execute(sql.SQL("drop {} {}").format(sql.SQL(kind), sql.SQL(name)))


def _execute(connection: Connection, file: Path, folder: Path) -> None:
    content = file.read_bytes()
    try:
        try:
            with connection.transaction():
                # Without parameters the server itself takes the file apart into statements.
                connection.execute(content)
        except psycopg.errors.InvalidFunctionDefinition:
            # Its arguments or its answer have changed, which a replacement may not do.
            _drop_named(connection, file.relative_to(folder).parts[0], file.stem)
            connection.execute(content)
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        raise DeployError(
            f"{_name(file, folder)}{_line(content, error)}: {one_line(error)}"
        ) from error


def _drop_named(connection: Connection, schema: str, name: str) -> None:
    row = connection.execute(
        "select string_agg(p.oid::regprocedure::text, ', ') from pg_catalog.pg_proc as p"
        " where p.pronamespace = to_regnamespace(%s) and p.proname = %s",
        [schema, name],
    ).fetchone()
    if row is not None and row[0] is not None:
        connection.execute(sql.SQL("drop routine {}").format(sql.SQL(row[0])))


def _line(content: bytes, error: psycopg.Error) -> str:
    position = error.diag.statement_position
    if position is None:
        return ""
    before = content.decode(errors="replace")[: int(position) - 1]
    return f" line {before.count(chr(10)) + 1}"


def _name(file: Path, folder: Path) -> str:
    return f"sql/{file.relative_to(folder).as_posix()}"
