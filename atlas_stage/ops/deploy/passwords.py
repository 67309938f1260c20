"""Passwords of the logins that a deploy makes: they come from the environment, and only their hashes travel."""

from __future__ import annotations

import os
from collections.abc import Callable

from psycopg import sql

from atlas_stage.transports import psycopg as transport

VARIABLES = {
    "ATLAS_AUTHENTICATOR_PASSWORD": "atlas_authenticator",
    "ATLAS_CRON_PASSWORD": "atlas_cron",
}


def set_passwords(dsn: str, report: Callable[[str], None]) -> None:
    """Give each login its password, where the environment has one. Raises StageError."""
    wanted = {role: os.environ.get(variable) for variable, role in VARIABLES.items()}
    for role, password in wanted.items():
        if not password:
            continue
        with transport.connect(dsn) as connection:
            # Hashed here: no log of statements sees the password.
            hashed = connection.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            )
            connection.execute(
                sql.SQL("alter role {} password {}").format(
                    sql.Identifier(role), sql.Literal(hashed.decode())
                )
            )
        report(f"set the password of {role}")
