"""What a deploy leaves in the catalog: recorded, compared later, and repaired.

`ops.installation` lists what there is to compare, `ops.changes_since_deploy` what has changed. The files of the stored
logic restore its owners, rights, definitions and triggers; for the tables, each recorded row has its statement.
"""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy import roles
from atlas_stage.ops.deploy.connection import Connection, DeployError, exists, one_line, run
from atlas_stage.ops.deploy.sources import SCHEMAS, logic_files, words

# The only statements that may create or grant a role.
_ROLE_STATEMENT = re.compile(
    r"create role [a-z_]+ (no)?login (no)?inherit|grant [a-z_]+ to [a-z_]+"
)


def is_there(connection: Connection) -> bool:
    """Whether the database can list what a deploy left."""
    return exists(connection, "ops.changes_since_deploy()", "public.stage_installation")


def changed(connection: Connection) -> bool:
    """Whether anything differs from what the last deploy left, or the last deploy recorded nothing."""
    if is_there(connection):
        return run(connection, "has_changed") == [(True,)]
    # The record without the functions that read it: the stored logic was removed.
    return exists(connection, "public.stage_installation")


def make_roles(connection: Connection) -> list[str]:
    """Create the roles that a restore into another server did not find there; returns what was created."""
    if not exists(connection, "public.stage_installation"):
        return []
    rows = run(connection, "missing_roles")
    for name, statement in rows:
        _execute(connection, f"role {name}", None, statement)
    return [f"role {name}: it was missing" for name, _ in rows]


def repair(connection: Connection) -> list[str]:
    """Restore rights, constraints, indexes and sequences; returns what was repaired. Raises DeployError."""
    if not is_there(connection):
        return []
    repaired: list[str] = []
    # Restoring a table's right also restores its columns' rights, so one repair can lead to another.
    for _ in range(3):
        changes = connection.execute(
            "select kind, name, aspect, relation, undo, mend from ops.changes_since_deploy()"
            " where undo is not null or mend is not null"
        ).fetchall()
        for kind, name, aspect, relation, *statements in changes:
            for statement in filter(None, statements):
                _execute(connection, f"{kind} {name}", relation, str(statement))
            repaired.append(f"{kind} {name}: {aspect}")
        if not changes:
            break
    for sequence, newest in connection.execute(
        "select s.sequence, s.newest from ops.sequences_behind() s where s.newest >= s.next_value"
    ).fetchall():
        connection.execute("select setval(%s::regclass, %s)", [sequence, newest])
        repaired.append(f"sequence {sequence}: it continues after {newest}")
    return list(dict.fromkeys(repaired))


def refuse_irreparable(connection: Connection) -> None:
    """Raise DeployError if something of ours is missing or changed and no file or statement restores it."""
    rows = run(connection, "irreparable_changes") if is_there(connection) else []
    if rows:
        said = "; ".join(
            f"{kind} {name} is missing ({deployed})"
            if found is None
            else f"{kind} {name}: {aspect} is {found}, and was deployed as {deployed}"
            for kind, name, aspect, deployed, found in rows
        )
        raise DeployError(f"{said}: restore it, or accept it as it is: atlas-stage migrate --force")


def take_over(connection: Connection, folder: Path) -> bool:
    """Give what the files in `folder` create back to its owner; returns whether anything had another owner.

    After a restore without owners, everything belongs to the login that restored it.
    """
    known = set(words(logic_files(folder)))
    taken = False
    for kind, name, quoted in run(connection, "foreign_objects", list(SCHEMAS)):
        if kind == "schema" or known.issuperset(re.findall(r"\w+", name)):
            connection.execute(f"alter {kind} {quoted} owner to atlas_owner".encode())
            taken = True
    for schema, quoted, owner, wanted in _routines(connection, folder):
        if owner != wanted:
            connection.execute(f"grant create on schema {schema} to {wanted}".encode())
            connection.execute(f"alter routine {quoted} owner to {wanted}".encode())
            taken = True
    return taken


def close(connection: Connection, folder: Path) -> None:
    """Revoke from PUBLIC and our callers what they can execute of ours; the files grant again what is right.

    After a restore without rights, PUBLIC can execute everything.
    """
    callers = [role for role in roles.existing(connection) if role not in roles.OWNERS]
    for _, quoted, _, _ in _routines(connection, folder):
        connection.execute(
            f"revoke all on routine {quoted} from {', '.join(['public', *callers])}".encode()
        )


def revoke_others(connection: Connection, root: Path) -> list[str]:
    """Revoke the rights that no role but ours and the owner should have; returns what was revoked from which role."""
    parameters = (_migrated(root), list(SCHEMAS), list(roles.ALL))
    revoked = []
    for name, rights, role, statement in run(connection, "rights_of_others", *parameters):
        connection.execute(statement.encode())
        revoked.append(f"{name}: revoked {rights} from {role}")
    return revoked


def make_policies(connection: Connection, root: Path) -> None:
    """Let the owner roles see every row of our tables, in case the host turns on row level security."""
    owners = [role for role in roles.existing(connection) if role in roles.OWNERS]
    for (table,) in run(connection, "tables_without_policy", _migrated(root)):
        connection.execute(
            f"create policy atlas_stage on {table} to {', '.join(owners)} using (true) with check (true)".encode()
        )


def record(connection: Connection, root: Path) -> None:
    """Record what is deployed. Of the tables, only what the migrations in `root` name: the rest is the host's."""
    if is_there(connection):
        connection.execute("delete from public.stage_installation")
        run(connection, "record_installation", _migrated(root))


def _migrated(root: Path) -> list[str]:
    return words((root / "migrations").glob("*.sql"))


def _execute(connection: Connection, what: str, relation: str | None, statement: str) -> None:
    """Run one statement with the rights of the table's owner: a login that can write the record gains no more."""
    try:
        with connection.transaction():
            if relation is None:
                if not _ROLE_STATEMENT.fullmatch(statement):
                    raise DeployError(f"{what}: not a statement of ours: {statement}")
                connection.execute(statement.encode())
                return
            row = connection.execute(
                "select c.relowner::regrole::text from pg_catalog.pg_class c where c.oid = to_regclass(%s)",
                [relation],
            ).fetchone()
            if row is None:
                raise DeployError(f"{what}: table {relation} is missing")
            connection.execute(sql.SQL("set local role {}").format(sql.SQL(row[0])))
            # Prepared, so it can only be one statement.
            connection.execute(statement.encode(), prepare=True)
            connection.execute("reset role")
    except psycopg.Error as error:
        raise DeployError(f"{what} can't be restored: {one_line(error)}") from error


def _routines(connection: Connection, folder: Path) -> list[tuple[str, str, str, str]]:
    """The routines that a file in `folder` creates: schema, signature, owner, and the right owner."""
    wanted = {
        (schema, file.stem): _owner_in(file)
        for schema in SCHEMAS
        for file in (folder / schema).rglob("*.sql")
    }
    return [
        (schema, quoted, owner, wanted[schema, name])
        for schema, name, quoted, owner in run(connection, "routines", list(SCHEMAS))
        if (schema, name) in wanted  # otherwise the host's, or dropped by this deploy
    ]


def _owner_in(file: Path) -> str:
    return "atlas_writer" if "set local role atlas_writer" in file.read_text() else "atlas_owner"
