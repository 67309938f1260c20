"""Passwords of the logins that a deploy creates, from the environment. Only their hashes are sent."""

import os

import psycopg
from psycopg import sql

from atlas_stage.ops.deploy.connection import DeployError, Report, one_line
from atlas_stage.transports import psycopg as transport

VARIABLES = {
    "ATLAS_AUTHENTICATOR_PASSWORD": "atlas_authenticator",
    "ATLAS_CRON_PASSWORD": "atlas_cron",
}


def set_passwords(dsn: str, report: Report) -> None:
    """Set the password of each login that has one in the environment. Raises StageError."""
    for variable, role in VARIABLES.items():
        password = os.environ.get(variable)
        if not password:
            continue
        with transport.connect(dsn) as connection:
            # Hashed here, so the server's log never has the password.
            hashed = connection.pgconn.encrypt_password(os.fsencode(password), role.encode(), b"scram-sha-256")
            statement = sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(hashed.decode()))
            try:
                connection.execute(statement)
            except psycopg.Error as error:
                raise DeployError(
                    f"The server refused the password of {role} (in {variable}): {one_line(error)}"
                ) from error
        report(f"set the password of {role}")
