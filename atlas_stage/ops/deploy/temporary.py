"""Who may make temporary objects: with them a login can put names of its own where other code may look for its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

from psycopg import sql

from atlas_stage.ops.deploy.connection import Connection

_PUBLIC_MAY: LiteralString = """
    select d.datname, d.datdba::regrole::text, pg_catalog.pg_has_role(current_user, d.datdba, 'usage')
    from pg_catalog.pg_database d
    where d.datname = current_database()
      and exists (
        select
        from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
        where a.grantee = 0
          and a.privilege_type = 'TEMPORARY'
      )
"""


def take_temporary_from_public(connection: Connection, report: Callable[[str], None]) -> None:
    """Take the right to make temporary objects in this database from PUBLIC, or say who may do so.

    Nothing of ours looks into a caller's temporary schema first; this keeps it so even for what the host adds.
    """
    row = connection.execute(_PUBLIC_MAY).fetchone()
    if row is None:
        return
    database, owner, may = row
    revoke = sql.SQL("revoke temporary on database {} from public").format(sql.Identifier(database))
    if may:
        connection.execute(revoke)
        report(
            f"took the right to make temporary tables in {database} from PUBLIC;"
            f" a login that needs it: grant temporary on database {database} to …"
        )
    else:
        report(
            f"PUBLIC may make temporary tables in {database}; {owner} or a superuser should say:"
            f" {revoke.as_string(connection)}"
        )
