"""The files that a deploy reads, and what it leaves in the catalog: recorded, compared later, and repaired.

`ops.installation` lists what there is to compare, `ops.changes_since_deploy` what has changed. The files of the stored
logic restore its owners, rights, definitions and triggers; for the tables, each recorded row has its statement.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy.connection import Connection, DeployError, exists, one_line, run, run_each
from atlas_stage.ops.deploy.roles import ALL

SCHEMAS = ("rules", "api", "jobs", "ops")
# Schemas and types come first, triggers and grants last. In between: each schema after those it uses, by path.
_FIRST, _LAST = ("schemas.sql", "types.sql"), ("triggers.sql", "grants.sql")
# What a deploy runs, and what people run: not stored logic.
_NOT_DEPLOYED = ("deploy", "examples")
# The only statements that may create or grant a role.
_ROLE_STATEMENT = re.compile(r"create role [a-z_]+ (no)?login (no)?inherit|grant [a-z_]+ to [a-z_]+")


def logic_files(folder: Path) -> list[Path]:
    """The files of the stored logic, in the order in which to run them.

    Raises DeployError for a missing file, and for one in a folder that is never run.
    """
    ordered = [folder / name for name in _FIRST]
    for schema in SCHEMAS:
        ordered += sorted((folder / schema).rglob("*.sql"))
    ordered += [folder / name for name in _LAST]
    aside = {file for name in _NOT_DEPLOYED for file in (folder / name).rglob("*.sql")}
    for file in sorted(set(folder.rglob("*.sql")) - set(ordered) - aside):
        raise DeployError(f"{label(file, folder)} is in none of the folders {', '.join(SCHEMAS)}")
    for file in ordered:
        if not file.is_file():
            raise DeployError(f"{label(file, folder)} is missing")
    return ordered


def logic_hash(folder: Path) -> str:
    """SHA-256 of the paths and contents of all files of the stored logic."""
    lines = [f"{label(file, folder)} {content_hash(file)}\n" for file in logic_files(folder)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def content_hash(file: Path) -> str:
    """SHA-256 of a text file; the line endings of the checkout don't count."""
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def label(file: Path, folder: Path) -> str:
    """The file's name in messages."""
    return f"sql/{file.relative_to(folder).as_posix()}"


def words(files: Iterable[Path]) -> list[str]:
    """Every word in the files, sorted."""
    return sorted({word for file in files for word in re.findall(r"\w+", file.read_text())})


def migrated(root: Path) -> list[str]:
    """Every word in the migrations, and the constraints that a deploy adds later: what none names is the host's."""
    later = (root / "sql").glob("grants.sql")  # none: the deploy says so when it runs it
    added = {name for file in later for name in re.findall(r"add constraint (\w+)", file.read_text())}
    return sorted({*words((root / "migrations").glob("*.sql")), *added})


def routines(folder: Path) -> dict[str, str]:
    """The routines that a file in `folder` creates, each with its owner. All others are the host's, or dropped."""
    return {
        f"{schema}.{file.stem}": "atlas_writer" if "set local role atlas_writer" in file.read_text() else "atlas_owner"
        for schema in SCHEMAS
        for file in (folder / schema).rglob("*.sql")
    }


def is_there(connection: Connection) -> bool:
    """Whether the database can list what a deploy left."""
    return exists(connection, "ops.changes_since_deploy()", "public.stage_installation")


def make_roles(connection: Connection) -> list[str]:
    """Create the roles that a restore into another server did not find there; returns what was created."""
    if not exists(connection, "public.stage_installation"):
        return []
    rows = run(connection, "missing_roles")
    for name, statement in rows:
        _execute(connection, f"role {name}", None, statement)
    return [f"role {name}: it was missing" for name, _ in rows]


def repair(connection: Connection, *, refuse: bool = True) -> list[str]:
    """Restore rights, constraints, indexes and sequences; returns what was repaired.

    Raises DeployError if a statement fails, and with `refuse` if something is missing or changed that none restores.
    """
    repaired: list[str] = []
    # Restoring a table's right also restores its columns' rights, so one repair can lead to another.
    for _ in range(3):
        for what, aspect, relation, owner, *statements in run(connection, "repairs"):
            for statement in filter(None, statements):
                if relation and not owner:
                    raise DeployError(f"{what}: table {relation} is missing")
                _execute(connection, what, owner, statement)
            repaired.append(f"{what}: {aspect}")
    repaired += [said for said, _ in run(connection, "continue_sequences")]
    for (said,) in run(connection, "irreparable_changes") if refuse else ():
        raise DeployError(f"{said}: restore it, or accept it as it is: atlas-stage migrate --force")
    return list(dict.fromkeys(repaired))


def take_over(connection: Connection, folder: Path) -> bool:
    """Give what the files in `folder` create back to its owner; returns whether anything had another owner.

    After a restore without owners, everything belongs to the login that restored it.
    """
    owners = routines(folder)
    names, roles = list(owners), list(owners.values())
    return bool(run_each(connection, "take_over", list(SCHEMAS), words(logic_files(folder)), names, roles))


def revoke_others(connection: Connection, root: Path) -> list[str]:
    """Revoke the rights that no role but ours and the owner should have; returns what was revoked from which role."""
    parameters = (migrated(root), list(SCHEMAS), list(ALL))
    return [said for said, _ in run_each(connection, "rights_of_others", *parameters)]


def _execute(connection: Connection, what: str, owner: str | None, statement: str) -> None:
    """Run one statement with the rights of the table's owner: a login that can write the record gains no more."""
    if owner is None and not _ROLE_STATEMENT.fullmatch(statement):
        raise DeployError(f"{what}: not a statement of ours: {statement}")
    try:
        with connection.transaction():
            if owner:
                connection.execute(sql.SQL("set local role {}").format(sql.SQL(owner)))
            # Prepared, so it can only be one statement.
            connection.execute(statement.encode(), prepare=True)
            if owner:
                connection.execute("reset role")
    except psycopg.Error as error:
        raise DeployError(f"{what} can't be restored: {one_line(error)}") from error
