"""The stored logic under `sql/`: re-created whole in one transaction, or left alone when it has not changed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql

from atlas_stage.deploy.connection import Connection, DeployError, Target, Watch, one_line
from atlas_stage.deploy.migrations import content_hash

SCHEMAS = ("rules", "api", "jobs")
# First the schemas, last the rights; in between, what stands on what. Inside a folder, by path.
_FIRST, _FOLDERS, _LAST = "schemas.sql", ("rules", "api", "jobs", "triggers"), "grants.sql"


def files(folder: Path) -> list[Path]:
    """The files of `folder` in the order of their execution.

    Raises DeployError for a file that stands where it would never be executed.
    """
    ordered = [folder / _FIRST]
    for name in _FOLDERS:
        ordered += sorted((folder / name).rglob("*.sql"))
    ordered.append(folder / _LAST)
    stray = sorted(set(folder.rglob("*.sql")) - set(ordered))
    if stray:
        raise DeployError(
            f"{_name(stray[0], folder)} is in none of the folders {', '.join(_FOLDERS)}"
        )
    missing = [file for file in (ordered[0], ordered[-1]) if not file.is_file()]
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


def deploy(target: Target, folder: Path, observer: Connection) -> None:
    """Re-create everything. `observer` is the session that holds the deploy lock. Raises DeployError."""
    watch = Watch(observer, target)
    with target.connect() as connection, watch.running():
        try:
            with connection.transaction():
                _lock_tables(connection)
                # Functions may name each other in any order.
                connection.execute("set local check_function_bodies = off")
                for file in files(folder):
                    _execute(connection, file, folder)
                connection.execute(
                    "insert into public.stage_deploys (part, name, sha256)"
                    " values ('stored_logic', 'sql', %s)"
                    " on conflict (part, name) do update"
                    " set sha256 = excluded.sha256, deployed_at = now(), deployed_by = session_user",
                    [tree_hash(folder)],
                )
                connection.execute("notify pgrst, 'reload schema'")
        except psycopg.errors.LockNotAvailable:
            raise watch.timed_out("stored logic") from None
        except psycopg.Error as error:
            raise DeployError(f"stored logic: {one_line(error)}") from error


def drop(connection: Connection) -> None:
    """Take the stored logic out of the database, so that the tables it stands on can go."""
    with connection.transaction():
        connection.execute("drop schema if exists jobs, api, rules cascade")
        connection.execute("delete from public.stage_deploys where part = 'stored_logic'")
        connection.execute("notify pgrst, 'reload schema'")


def _lock_tables(connection: Connection) -> None:
    """Lock the tables whose triggers are re-created, in the order in which a change of a client takes them.

    Otherwise the deploy would take them in the order of its drops, and meet running changes in a deadlock.
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
    for schema, table in tables:
        connection.execute(
            sql.SQL("lock table {} in access exclusive mode").format(
                sql.Identifier(str(schema), str(table))
            )
        )


def _execute(connection: Connection, file: Path, folder: Path) -> None:
    content = file.read_bytes()
    try:
        # Without parameters the server itself takes the file apart into statements.
        connection.execute(content)
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        raise DeployError(
            f"{_name(file, folder)}{_line(content, error)}: {one_line(error)}"
        ) from error


def _line(content: bytes, error: psycopg.Error) -> str:
    position = error.diag.statement_position
    if position is None:
        return ""
    before = content.decode(errors="replace")[: int(position) - 1]
    return f" line {before.count(chr(10)) + 1}"


def _name(file: Path, folder: Path) -> str:
    return f"sql/{file.relative_to(folder).as_posix()}"
