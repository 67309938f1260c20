"""What is wrong with an installation, in words. Each check is one query; each row it finds is
something wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from atlas_stage.ops import resources
from atlas_stage.ops.deploy import logic
from atlas_stage.ops.deploy.migrations import content_hash
from atlas_stage.record import Record
from atlas_stage.transport import translate


@dataclass(frozen=True)
class Check:
    """A question to the database: `query` finds what is wrong, `words` says it with the columns of
    a row.
    """

    name: str
    query: LiteralString
    words: str
    advice: str = ""


@dataclass(frozen=True)
class Finding(Record):
    """The outcome of a check: everything wrong in words, and what to do about it. Nothing found:
    all is well.
    """

    name: str
    found: tuple[str, ...]
    advice: str = ""


# Without this the other checks have nothing to look at.
DEPLOYED = Check(
    "deployed",
    """
    select current_database() as database
    where to_regclass('public.stage_deploys') is null
       or to_regclass('public.stage_history') is null
       or to_regnamespace('api') is null
    """,
    "the stage system is not deployed in database {database}",
    "run: atlas-stage migrate",
)

CHECKS = (
    Check(
        "migrations applied",
        """
        select package.name
        from jsonb_object_keys(%(migrations)s) as package (name)
        where not exists (select from public.atlas_migrations m where m.id = package.name)
        order by 1
        """,
        "migration {name} is not applied",
        "run: atlas-stage migrate",
    ),
    Check(
        "migrations unchanged",
        """
        select d.name, package.sha256 is null as unknown
        from public.stage_deploys d
        left join jsonb_each_text(%(migrations)s) as package (name, sha256) on package.name = d.name
        where d.part = 'migration'
          and package.sha256 is distinct from d.sha256
        order by 1
        """,
        "migration {name} is not the one that was applied here (not in this package: {unknown})",
        "use the version of atlas-stage that deployed this database, or restore the file",
    ),
    Check(
        "stored logic as packaged",
        """
        select coalesce(max(d.deployed_at)::text, 'never') as deployed_at
        from public.stage_deploys d
        where d.part = 'stored_logic'
        having coalesce(max(d.sha256), '') <> %(logic)s
        """,
        "the stored logic is not that of this package (deployed: {deployed_at})",
        "run: atlas-stage migrate",
    ),
    Check(
        "roles",
        """
        select wanted.name, case when r.oid is null then 'missing' else 'a superuser' end as fault
        from unnest(%(roles)s::text[]) as wanted (name)
        left join pg_catalog.pg_roles r on r.rolname = wanted.name
        where r.oid is null
           or r.rolsuper
        order by 1
        """,
        "role {name} is {fault}",
        "run migration 001_roles again, or: alter role … nosuperuser",
    ),
    Check(
        "triggers",
        """
        select wanted.name, case t.tgenabled when 'D' then 'disabled' when 'R' then 'for replicas
        only' else 'missing' end as fault from unnest(%(triggers)s::text[]) as wanted (name) left
        join pg_catalog.pg_trigger t on t.tgname = wanted.name and t.tgrelid in
        ('public.clients'::regclass, 'public.stage_history'::regclass) where t.oid is null or
        t.tgenabled in ('D', 'R') order by 1
        """,
        "trigger {name} is {fault}: changes may go unchecked or unrecorded",
        "enable it (alter table … enable trigger …), or run: atlas-stage migrate --force",
    ),
    Check(
        "API roles without table rights",
        """
        select distinct r.rolname as role, c.oid::regclass::text as relation
        from pg_catalog.pg_class c
        join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        cross join pg_catalog.pg_roles r
        where c.relkind in ('r', 'p', 'v', 'm', 'f')
          and n.nspname not like 'pg\\_%%'
          and n.nspname <> 'information_schema'
          and r.rolname in ('atlas_anon', 'atlas_api', 'atlas_authenticator')
          and has_table_privilege(
            r.oid, c.oid, 'select, insert, update, delete, truncate, references, trigger'
          )
        order by 1, 2
        """,
        "role {role} has rights on {relation}: HTTP callers could pass by the rules",
        "revoke them: revoke all on … from …, public",
    ),
    Check(
        "history matches the clients",
        """
        select c.id, c.slug, c.version, c.stage, h.last_version, h.rows, h.last_stage from
        public.clients c left join ( select h.client_id, max(h.version) as last_version, count(*) as
        rows, (array_agg(h.to_stage order by h.version desc) filter (where h.to_stage is not
        null))[1] as last_stage from public.stage_history h group by h.client_id ) h on h.client_id
        = c.id where c.version is distinct from h.last_version or h.rows <> h.last_version + 1 or
        c.stage <> h.last_stage order by c.id limit 20
        """,
        "client {id} ({slug}) is in {stage}, version {version}, but its {rows} history rows end in"
        " {last_stage}, version {last_version}",
        "somebody changed it around the triggers: find out who, then mend it by hand",
    ),
    Check(
        "tokens",
        """
        select left(t.token_hash, 12) as token, t.actor_id, t.expires_at::date as day
        from public.actor_tokens t
        where t.revoked_at is null
          and t.expires_at between now() and now() + interval '14 days'
        order by t.expires_at
        """,
        "token {token} of {actor_id} expires on {day}",
        "issue another: atlas-stage token issue ACTOR --days 365",
    ),
    Check(
        "jobs run",
        """
        select o.job, o.state, o.hours, to_char(o.due_at, 'YYYY-MM-DD HH24:MI') as due
        from jobs.overdue() o
        order by 1
        """,
        "job {job} was due on {due}, {hours} hours ago: {state}",
        "is its scheduler set up (cron/)? What happened: atlas-stage job runs; do it: atlas-stage job run JOB",
    ),
    Check(
        "holidays",
        """
        select coalesce(max(h.day)::text, 'nothing') as last_day
        from public.business_holidays h
        having coalesce(max(h.day), '-infinity') < current_date + 365
        """,
        "the table of holidays ends with {last_day}: the last business day may come out wrong",
        "insert the coming years into public.business_holidays",
    ),
    Check(
        "an admin",
        """
        select 1
        where not exists (
          select
          from public.agent_permissions p
          where p.permission = 'can_admin'
            and p.scope is null
            and p.revoked_at is null
        )
        """,
        "nobody holds can_admin without a scope: nobody can grant, override or roll back",
        "as the owner of the tables: insert into public.agent_permissions …",
    ),
)

_ROLES = (
    "atlas_owner",
    "atlas_authenticator",
    "atlas_anon",
    "atlas_api",
    "atlas_cron",
    "atlas_operator",
)


def examine(connection: psycopg.Connection) -> list[Finding]:
    """Run all checks on a connection in autocommit mode.

    A check that the login role has no right to make is a finding too. Raises Unavailable.
    """
    expected = _expected()
    deployed = _findings(connection, DEPLOYED, expected)
    if deployed.found:
        return [deployed]
    return [deployed, *(_findings(connection, check, expected) for check in CHECKS)]


def _expected() -> dict[str, Any]:
    """What this package would deploy."""
    root = resources.root()
    files = [
        file for file in (root / "migrations").glob("*.sql") if ".rollback" not in file.suffixes
    ]
    return {
        "migrations": Jsonb({file.stem: content_hash(file) for file in files}),
        "logic": logic.tree_hash(root / "sql"),
        "triggers": sorted(file.stem for file in (root / "sql" / "triggers").rglob("*.sql")),
        "roles": list(_ROLES),
    }


def _findings(connection: psycopg.Connection, check: Check, expected: Mapping[str, Any]) -> Finding:
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(check.query, expected).fetchall()
    except psycopg.errors.InsufficientPrivilege as error:
        said = f"could not be checked: {translate(error).message}"
        return Finding(check.name, (said,), "run doctor as a superuser")
    except psycopg.Error as error:
        raise translate(error) from error
    return Finding(check.name, tuple(check.words.format(**row) for row in rows), check.advice)
