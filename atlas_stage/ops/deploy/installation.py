"""What a deploy leaves in the catalog: recorded, compared later, and repaired.

`ops.installation` lists what there is to compare, `ops.changes_since_deploy` what has changed. The files of the stored
logic restore its owners, rights, definitions and triggers; for the tables, each recorded row has its statement.
"""

import re
from pathlib import Path

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy.connection import Connection, DeployError, exists, one_line, run, run_each
from atlas_stage.ops.deploy.roles import ALL
from atlas_stage.ops.deploy.sources import SCHEMAS, logic_files, words

# The only statements that may create or grant a role.
_ROLE_STATEMENT = re.compile(r"create role [a-z_]+ (no)?login (no)?inherit|grant [a-z_]+ to [a-z_]+")


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
    if not is_there(connection):
        return []
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


def migrated(root: Path) -> list[str]:
    """Every word in the migrations: a table in `public` that none of them names is the host's."""
    return words((root / "migrations").glob("*.sql"))


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


def routines(folder: Path) -> dict[str, str]:
    """The routines that a file in `folder` creates, each with its owner. All others are the host's, or dropped."""
    return {
        f"{schema}.{file.stem}": "atlas_writer" if "set local role atlas_writer" in file.read_text() else "atlas_owner"
        for schema in SCHEMAS
        for file in (folder / schema).rglob("*.sql")
    }
