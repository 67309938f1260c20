"""What a deploy leaves in the catalog: kept, compared with what is there later, and made so again.

What there is to compare says `ops.installation`, what has changed `ops.changes_since_deploy`. Owners, rights,
definitions and triggers of the stored logic come back with its files; of the tables, each row knows its statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy import roles
from atlas_stage.ops.deploy.connection import Connection, DeployError, exists, one_line

SCHEMAS = ("rules", "api", "jobs", "ops")

_IS_THERE: LiteralString = (
    "select to_regprocedure('ops.changes_since_deploy()') is not null"
    " and to_regclass('public.stage_installation') is not null"
)
_RECORD: LiteralString = """
    insert into public.stage_installation (kind, name, aspect, value, relation, mend)
    select i.kind, i.name, i.aspect, i.value, i.relation, i.mend
    from ops.installation() i
    where i.ours
      and i.words <@ %(words)s::text[]
      and (i.relation is null or split_part(i.relation, '.', 2) = any (%(words)s))
"""
_SEQUENCES: LiteralString = """
    select s.sequence, s.newest from ops.sequences_behind() s where s.newest >= s.next_value
"""
_ROUTINES: LiteralString = """
    select n.nspname, p.proname, p.oid::regprocedure::text, p.proowner::regrole::text
    from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = any (%s)
"""
_OTHERS: LiteralString = """
    with ours as (select n.oid, n.nspname, n.nspowner from pg_catalog.pg_namespace n where n.nspname = any (%s))
    select 'schema', o.nspname, quote_ident(o.nspname)
    from ours o
    where o.nspowner::regrole::text <> 'atlas_owner'
    union all
    select 'type', t.typname, t.oid::regtype::text
    from pg_catalog.pg_type t
    join ours o on o.oid = t.typnamespace
    left join pg_catalog.pg_class c on c.oid = t.typrelid
    where t.typowner::regrole::text <> 'atlas_owner'
      and (t.typtype = 'd' or c.relkind = 'c')
    union all
    select 'view', v.relname, v.oid::regclass::text
    from pg_catalog.pg_class v
    join ours o on o.oid = v.relnamespace
    where v.relkind = 'v'
      and v.relowner::regrole::text <> 'atlas_owner'
"""
_WITHOUT_POLICY: LiteralString = """
    select c.oid::regclass::text
    from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('r', 'p')
      and c.relname = any (%(words)s)
      and exists (
        select from aclexplode(c.relacl) a where a.grantee::regrole::text in ('atlas_owner', 'atlas_writer')
      )
      and not exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid and p.polname = 'atlas_stage')
    order by 1
"""
# Statements of what a role is: words that may follow `create role` or `alter role`, and nothing else.
_MAY_FOLLOW = re.compile(r"create role [a-z_]+ (no)?login (no)?inherit|grant [a-z_]+ to [a-z_]+")


def is_there(connection: Connection) -> bool:
    """Whether the database can say what a deploy left."""
    return connection.execute(_IS_THERE).fetchone() == (True,)


def changed(connection: Connection) -> bool:
    """Whether anything is not as the last deploy left it, or the last deploy left no word of it."""
    if not is_there(connection):
        # with the record but nothing that could read it, somebody took the stored logic out
        return exists(connection, "public.stage_installation")
    row = connection.execute(
        "select not exists (select from public.stage_installation)"
        " or exists (select from ops.changes_since_deploy())"
        " or exists (select from ops.sequences_behind() s where s.newest >= s.next_value)"
    ).fetchone()
    return row == (True,)


def make_roles(connection: Connection) -> list[str]:
    """Make the roles that a restore into another server did not find there; what was made, in words."""
    if not exists(connection, "public.stage_installation"):
        return []
    rows = connection.execute(
        "select i.name, i.mend from public.stage_installation i"
        " where i.kind = 'role' and i.aspect = 'may' and to_regrole(i.name) is null order by 1"
    ).fetchall()
    for name, statement in rows:
        _execute(connection, f"role {name}", None, statement)
    return [f"role {name}: it was missing" for name, _ in rows]


def mend(connection: Connection) -> list[str]:
    """Make rights, constraints, indexes and sequences so again; what was mended, in words. Raises DeployError."""
    if not is_there(connection):
        return []
    mended: list[str] = []
    # A right of a table comes with those of its columns, so that one mending may ask for another.
    for _ in range(3):
        changes = connection.execute(
            "select kind, name, aspect, relation, undo, mend from ops.changes_since_deploy()"
            " where undo is not null or mend is not null"
        ).fetchall()
        if not changes:
            break
        for kind, name, aspect, relation, undo, statement in changes:
            for each in (undo, statement):
                if each is not None:
                    _execute(connection, f"{kind} {name}", relation, str(each))
            mended.append(f"{kind} {name}: {aspect}")
    for sequence, newest in connection.execute(_SEQUENCES).fetchall():
        connection.execute("select setval(%s::regclass, %s)", [sequence, newest])
        mended.append(f"sequence {sequence}: it goes on after {newest}")
    return list(dict.fromkeys(mended))


def refuse_what_nothing_mends(connection: Connection) -> None:
    """Raise DeployError, with names, where something of ours is gone or other than it was and no file makes it."""
    if not is_there(connection):
        return
    rows = connection.execute(
        "select c.kind, c.name, c.aspect, c.deployed, c.found from ops.changes_since_deploy() c"
        " where c.kind in ('role', 'column', 'constraint', 'index')"
    ).fetchall()
    if rows:
        said = "; ".join(
            f"{kind} {name} is missing ({deployed})"
            if found is None
            else f"{kind} {name}: {aspect} is {found}, and was deployed as {deployed}"
            for kind, name, aspect, deployed, found in rows
        )
        raise DeployError(
            f"{said}: put it back, or take it as it is with: atlas-stage migrate --force"
        )


def take_over(connection: Connection, folder: Path) -> bool:
    """Give what the files in `folder` make back to its owners; whether anything was somebody else's.

    After a restore without owners it belongs to whoever restored.
    """
    words = _words(folder.rglob("*.sql"))
    taken = False
    for kind, name, quoted in connection.execute(_OTHERS, [list(SCHEMAS)]).fetchall():
        if kind == "schema" or words.issuperset(re.findall(r"\w+", name)):
            connection.execute(f"alter {kind} {quoted} owner to atlas_owner".encode())
            taken = True
    for schema, quoted, owner, wanted in _routines(connection, folder):
        if owner != wanted:
            connection.execute(f"grant create on schema {schema} to {wanted}".encode())
            connection.execute(f"alter routine {quoted} owner to {wanted}".encode())
            taken = True
    return taken


def close(connection: Connection, folder: Path) -> None:
    """Take from PUBLIC and our callers what they may execute of ours: the files give again what is to be given.

    After a restore without rights PUBLIC may execute all of it.
    """
    callers = [role for role in roles.existing(connection) if role not in roles.OWNERS]
    for _, quoted, _, _ in _routines(connection, folder):
        connection.execute(
            f"revoke all on routine {quoted} from {', '.join(['public', *callers])}".encode()
        )


def make_policies(connection: Connection, root: Path) -> None:
    """Let the stored logic's owners see every row of our tables, should the host switch row level security on."""
    named = {"words": sorted(_words((root / "migrations").glob("*.sql")))}
    owners = [role for role in roles.existing(connection) if role in roles.OWNERS]
    for (table,) in connection.execute(_WITHOUT_POLICY, named).fetchall():
        statement = (
            f"create policy atlas_stage on {table} to {', '.join(owners)}"
            " using (true) with check (true)"
        )
        connection.execute(statement.encode())


def record(connection: Connection, root: Path) -> None:
    """Keep what there is now. Of the tables, only what the migrations in `root` name: the rest is the host's."""
    if not is_there(connection):
        return
    connection.execute("delete from public.stage_installation")
    connection.execute(_RECORD, {"words": sorted(_words((root / "migrations").glob("*.sql")))})


def _execute(connection: Connection, what: str, relation: str | None, statement: str) -> None:
    """One statement, with the rights of its table's owner: whoever can write the record can do no more with it."""
    try:
        with connection.transaction():
            if relation is None:
                if not _MAY_FOLLOW.fullmatch(statement):
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
            # prepared: so it can be one statement only
            connection.execute(statement.encode(), prepare=True)
            connection.execute("reset role")
    except psycopg.Error as error:
        raise DeployError(f"{what} cannot be put back: {one_line(error)}") from error


def _routines(connection: Connection, folder: Path) -> list[tuple[str, str, str, str]]:
    """The routines that a file in `folder` makes: schema, signature, whose it is, and whose it is to be."""
    wanted = {
        (schema, file.stem): _owner_in(file)
        for schema in SCHEMAS
        for file in (folder / schema).rglob("*.sql")
    }
    rows = connection.execute(_ROUTINES, [list(SCHEMAS)]).fetchall()
    return [
        (schema, quoted, owner, wanted[schema, name])
        for schema, name, quoted, owner in rows
        if (schema, name) in wanted  # else the host's own, or one that goes with this deploy
    ]


def _words(files: Iterable[Path]) -> set[str]:
    return {word for file in files for word in re.findall(r"\w+", file.read_text())}


def _owner_in(file: Path) -> str:
    return "atlas_writer" if "set local role atlas_writer" in file.read_text() else "atlas_owner"
