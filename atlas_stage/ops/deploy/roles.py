"""The deployer's rights: it is a member of the owner roles within a transaction, and never longer."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from atlas_stage.ops.deploy.connection import Connection, DeployError, Report, explained, one_line, run

# The owners of our functions. A member of these could write history as any actor.
OWNERS = ("atlas_owner", "atlas_writer")
CALLERS = ("atlas_authenticator", "atlas_anon", "atlas_api", "atlas_cron", "atlas_operator")
ALL = (*OWNERS, *CALLERS)


@contextmanager
def as_owner(connection: Connection) -> Iterator[None]:
    """A transaction in which the deployer is a member of OWNERS. It ends before the commit: no session sees it."""
    with connection.transaction():
        run(connection, "lend_owner_roles")
        yield
        run(connection, "return_owner_roles")


@contextmanager
def only_while_deploying(connection: Connection) -> Iterator[None]:
    """Refuse a deployer without the rights, and end its memberships when the deploy ends in any way.

    Migrations of earlier versions granted them permanently.
    """
    refuse_without_rights(connection)
    try:
        yield
    finally:
        run(connection, "return_owner_roles")


def missing(connection: Connection) -> str:
    """What a superuser has to grant so that this deployer can deploy; empty if nothing."""
    return "".join(said for (said,) in run(connection, "missing_grants", list(ALL)))


def refuse_without_rights(connection: Connection) -> None:
    """Raise DeployError, before anything is done, if the deployer lacks a right."""
    if run(connection, "unreachable_roles"):
        raise DeployError(missing(connection))
    for (said,) in run(connection, "foreign_tables"):
        raise DeployError(said)


def refuse_event_triggers(connection: Connection) -> None:
    """Raise DeployError, before anything is made, if an event trigger of the host would stop the deploy."""
    enabled = "select from pg_catalog.pg_event_trigger where evtenabled <> 'D' limit 1"
    if connection.execute(enabled).fetchone() is None:
        return
    try:
        with connection.transaction(force_rollback=True):
            run(connection, "try_statements")
    except psycopg.Error as error:
        # Without an event trigger in its context, it's for the deploy itself to say.
        said = explained(connection, error)
        if said != one_line(error):
            raise DeployError(said) from error


def revoke_temporary(connection: Connection, report: Report) -> None:
    """Revoke from PUBLIC the right to create temporary objects in this database, or report who can do it.

    A login with this right can create objects with names that other code looks for. Our code never searches
    pg_temp first; the host's functions may.
    """
    for statement, said in run(connection, "public_temporary"):
        if statement:
            connection.execute(statement.encode())
        report(said)
