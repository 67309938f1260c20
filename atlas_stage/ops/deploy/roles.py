"""The deployer's rights: it is the owner of the stored logic for the length of a transaction, and never longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import LiteralString

from atlas_stage.ops.deploy.connection import Connection, DeployError

# Who owns functions of ours. Whoever is one of these for longer than a deploy could write history as anybody.
OWNERS = ("atlas_owner", "atlas_writer")
# And who calls them.
ALL = (
    *OWNERS,
    "atlas_authenticator",
    "atlas_anon",
    "atlas_api",
    "atlas_cron",
    "atlas_operator",
)

# Nothing is lent to who has it already: a superuser, or whom a superuser made a member on purpose.
# Before PostgreSQL 16 a membership is always both, to use a role's rights and to become it.
_LEND: LiteralString = """
do $$
declare
  v_modern constant boolean := current_setting('server_version_num')::integer >= 160000;
  v_role   text;
begin
  for v_role in
    select r.rolname
    from pg_catalog.pg_roles r
    where r.rolname in ('atlas_owner', 'atlas_writer')
      and not (
        pg_catalog.pg_has_role(current_user, r.oid, 'usage')
        and case when v_modern then pg_catalog.pg_has_role(current_user, r.oid, 'set') else true end
      )
  loop
    execute format('grant %I to %I', v_role, current_user)
      || case when v_modern then ' with inherit true, set true' else '' end;
  end loop;
end
$$
"""

# What the deployer granted itself, now or in an earlier deploy; the way to grant it again stays.
_TAKE_BACK: LiteralString = """
do $$
declare
  v_role text;
begin
  for v_role in
    select m.roleid::regrole::text
    from pg_catalog.pg_auth_members m
    where m.roleid::regrole::text in ('atlas_owner', 'atlas_writer')
      and m.member = current_user::regrole
      and m.grantor = current_user::regrole
  loop
    execute format('revoke %s from %I', v_role, current_user);
  end loop;
end
$$
"""

_GRANTS_MISSING: LiteralString = """
select
  current_user,
  string_agg(r.rolname, ', ' order by r.rolname),
  current_setting('server_version_num')::integer >= 160000
from pg_catalog.pg_roles r
where r.rolname = any (%s)
  and not pg_catalog.pg_has_role(current_user, r.oid, 'member with admin option')
"""

# Roles that can be neither used nor lent.
_OUT_OF_REACH: LiteralString = """
select r.rolname
from pg_catalog.pg_roles r
where r.rolname in ('atlas_owner', 'atlas_writer')
  and not pg_catalog.pg_has_role(current_user, r.oid, 'usage')
  and not pg_catalog.pg_has_role(current_user, r.oid, 'member with admin option')
  and not (
    current_setting('server_version_num')::integer < 160000
    and (select me.rolcreaterole from pg_catalog.pg_roles me where me.rolname = current_user)
  )
"""

_FOREIGN_TABLES: LiteralString = """
select quote_ident(c.relname), c.relowner::regrole::text, quote_ident(current_user)
from pg_catalog.pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relkind = 'r'
  and (
    c.relname in ('clients', 'stage_deploys', 'stage_installation')
    or exists (
      select from aclexplode(c.relacl) a where a.grantee::regrole::text in ('atlas_owner', 'atlas_writer')
    )
  )
  and not pg_catalog.pg_has_role(current_user, c.relowner, 'usage')
order by c.relname
"""


def is_superuser(connection: Connection) -> bool:
    """Whether the deployer may do everything anyway."""
    row = connection.execute(
        "select rolsuper from pg_catalog.pg_roles where rolname = current_user"
    ).fetchone()
    return row == (True,)


def existing(connection: Connection) -> list[str]:
    """Those of ALL that the server has."""
    rows = connection.execute(
        "select rolname from pg_catalog.pg_roles where rolname = any (%s) order by 1", [list(ALL)]
    )
    return [str(row[0]) for row in rows]


def lend(connection: Connection) -> None:
    """Make the deployer a member of OWNERS, where it is none yet; to be done in a transaction."""
    connection.execute(_LEND)


def take_back(connection: Connection) -> None:
    """End what `lend` began: before the transaction is committed, so that no other session ever sees it."""
    connection.execute(_TAKE_BACK)


@contextmanager
def lent_for_no_longer(connection: Connection) -> Iterator[None]:
    """Refuse who cannot deploy; when the deploy ends, however it ends, the deployer is as it was, or less.

    Migrations of earlier versions granted it the membership for good.
    """
    refuse_who_cannot_deploy(connection)
    try:
        yield
    finally:
        take_back(connection)


def missing(connection: Connection) -> str:
    """What a superuser has to grant before this deployer can deploy; empty when it is not that."""
    row = connection.execute(_GRANTS_MISSING, [list(ALL)]).fetchone()
    if row is None or row[1] is None or is_superuser(connection):
        return ""
    deployer, roles, modern = row
    if not modern:
        return f"a superuser has to say once: alter role {deployer} createrole"
    return (
        "these roles were made for another database of this server; a superuser has to say once: "
        f"grant {roles} to {deployer} with admin true, inherit false, set false"
    )


def refuse_who_cannot_deploy(connection: Connection) -> None:
    """Raise DeployError, in words and before anything is done, where the deployer lacks a right."""
    if is_superuser(connection):
        return
    if connection.execute(_OUT_OF_REACH).fetchone() is not None:
        raise DeployError(missing(connection))
    rows = connection.execute(_FOREIGN_TABLES).fetchall()
    if rows:
        owners = ", ".join(sorted({owner for _, owner, _ in rows}))
        statements = "; ".join(f"alter table public.{table} owner to {me}" for table, _, me in rows)
        raise DeployError(
            f"{rows[0][2]} may not alter tables that belong to {owners}: deploy as their owner or as a superuser,"
            f" or as a superuser say: {statements}"
        )
