"""The deployer's rights: it is a member of the owner roles within a transaction, and never longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy.connection import Connection, DeployError, explained, run

# The owners of our functions. A member of these could write history as any actor.
OWNERS = ("atlas_owner", "atlas_writer")
ALL = (
    *OWNERS,
    *("atlas_authenticator", "atlas_anon", "atlas_api", "atlas_cron", "atlas_operator"),
)


def existing(connection: Connection) -> list[str]:
    """Those of ALL that the server has."""
    rows = connection.execute(
        "select rolname from pg_catalog.pg_roles where rolname = any (%s) order by 1", [list(ALL)]
    )
    return [str(row[0]) for row in rows]


def lend(connection: Connection) -> None:
    """Make the deployer a member of OWNERS; only inside a transaction."""
    run(connection, "lend_owner_roles")


def give_back(connection: Connection) -> None:
    """End the membership before the commit, so no other session ever sees it."""
    run(connection, "return_owner_roles")


@contextmanager
def as_owner(connection: Connection) -> Iterator[None]:
    """A transaction in which the deployer is a member of OWNERS."""
    with connection.transaction():
        lend(connection)
        yield
        give_back(connection)


@contextmanager
def only_while_deploying(connection: Connection) -> Iterator[None]:
    """Refuse a deployer without the rights, and end its memberships when the deploy ends in any way.

    Migrations of earlier versions granted them permanently.
    """
    refuse_without_rights(connection)
    try:
        yield
    finally:
        give_back(connection)


def missing(connection: Connection) -> str:
    """What a superuser has to grant so that this deployer can deploy; empty if nothing."""
    ((deployer, roles, modern),) = run(connection, "missing_grants", list(ALL))
    if roles is None or _is_superuser(connection):
        return ""
    if not modern:
        return f"a superuser has to run once: alter role {deployer} createrole"
    return (
        "these roles were created for another database of this server; a superuser has to run once: "
        f"grant {roles} to {deployer} with admin true, inherit false, set false"
    )


def refuse_without_rights(connection: Connection) -> None:
    """Raise DeployError, before anything is done, if the deployer lacks a right."""
    if _is_superuser(connection):
        return
    if run(connection, "unreachable_roles"):
        raise DeployError(missing(connection))
    rows = run(connection, "foreign_tables")
    if rows:
        owners = ", ".join(sorted({owner for _, owner, _ in rows}))
        statements = "; ".join(f"alter table public.{table} owner to {me}" for table, _, me in rows)
        raise DeployError(
            f"{rows[0][2]} can't alter tables that belong to {owners}: deploy as their owner or as a superuser,"
            f" or run as a superuser: {statements}"
        )


def refuse_event_triggers(connection: Connection) -> None:
    """Raise DeployError, before anything is made, if an event trigger of the host would stop the deploy."""
    row = connection.execute(
        "select exists (select from pg_catalog.pg_event_trigger where evtenabled <> 'D')"
    ).fetchone()
    if row != (True,):
        return
    try:
        with connection.transaction(force_rollback=True):
            run(connection, "try_statements")
    except psycopg.Error as error:
        # Without an event trigger in its context, it's for the deploy itself to say.
        if run(connection, "event_triggers", error.diag.context or ""):
            raise DeployError(explained(connection, error)) from error


def revoke_temporary(connection: Connection, report: Callable[[str], None]) -> None:
    """Revoke from PUBLIC the right to create temporary objects in this database, or report who can do it.

    A login with this right can create objects with names that other code looks for. Our code never searches
    pg_temp first; the host's functions may.
    """
    for database, owner, may in run(connection, "public_temporary"):
        name = sql.Identifier(database)
        revoke = sql.SQL("revoke temporary on database {} from public").format(name)
        if may:
            connection.execute(revoke)
            report(
                f"revoked the right to create temporary tables in {database} from PUBLIC;"
                f" a login that needs it: grant temporary on database {database} to …"
            )
        else:
            report(
                f"PUBLIC can create temporary tables in {database}; {owner} or a superuser should run:"
                f" {revoke.as_string(connection)}"
            )


def _is_superuser(connection: Connection) -> bool:
    row = connection.execute(
        "select rolsuper from pg_catalog.pg_roles where rolname = current_user"
    ).fetchone()
    return row == (True,)
