"""The gateway of a database that runs elsewhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from atlas_stage.errors import StageError
from atlas_stage.local.serving.gateway import LOGIN, gateway
from atlas_stage.local.serving.programs import PartError
from atlas_stage.local.serving.running import only_server, until_told_to_stop, wait_for_an_end
from atlas_stage.ops.deploy.shared_token import VARIABLE as SHARED_TOKEN
from atlas_stage.transports import psycopg as transport

PASSWORD_VARIABLE = "ATLAS_AUTHENTICATOR_PASSWORD"  # noqa: S105 (its name)
_OLDEST_SERVER = 15

# What PostgREST does at each request.
_REQUEST = (
    "select set_config('request.path', '/rpc/health', true)",
    "set local role atlas_anon",
    "select rules.pre_request()",
    "select api.health()",
)


def serve_before(
    database: str, folder: Path, host: str, port: int, tell: Callable[[str], None]
) -> None:
    """Serve a migrated database until Ctrl-C, SIGTERM or SIGHUP.

    `database` is its address. PostgREST logs in there as atlas_authenticator, with the password in
    ATLAS_AUTHENTICATOR_PASSWORD, else as libpq finds one. Logs go into `folder`. Raises PartError if the database
    can't be served or a part ends.
    """
    login = _login(database)
    standby = _require_usable(login)
    folder.mkdir(parents=True, exist_ok=True)
    with until_told_to_stop(), ExitStack() as parts:
        parts.enter_context(only_server(folder, "choose another folder with --data"))
        http = parts.enter_context(gateway(login, folder, port, tell, host=host, standby=standby))
        _tell_of_the_shared_token(http.url, tell)
        tell(f"serving {_place(login)} at {http.url}; logs are in {folder}")
        wait_for_an_end(http)


def _login(database: str) -> str:
    """The address with the gateway's own login. Another login's password is not used."""
    try:
        given = conninfo_to_dict(database)
    except psycopg.ProgrammingError as error:
        raise PartError("Can't read --database. Use postgresql://host/database.") from error
    own = given["password"] if given.get("user") in (None, LOGIN) and "password" in given else None
    given["user"] = LOGIN
    given["password"] = os.environ.get(PASSWORD_VARIABLE) or own or os.environ.get("PGPASSWORD")
    return make_conninfo(**{name: str(value) for name, value in given.items() if value is not None})


def _require_usable(login: str) -> bool:
    """Raise PartError unless the database can be served. Returns whether it is a standby, which can only be read."""
    place = _place(login)
    try:
        connection = transport.connect(login)
    except StageError as error:
        if any(word in error.message for word in ("password", "authentication", "role")):
            raise PartError(
                f"{LOGIN} can't log in to {place} ({error.message}). Put its password into {PASSWORD_VARIABLE},"
                " here and for atlas-stage migrate, which sets it."
            ) from error
        raise PartError(f"Can't reach {place}: {error.message}") from error
    with connection:
        version = connection.info.server_version // 10000
        if version < _OLDEST_SERVER:
            raise PartError(f"PostgreSQL {version} is too old. Use {_OLDEST_SERVER} or newer.")
        deployed = (
            "select count(distinct proname) from pg_proc"
            " where (pronamespace::regnamespace::text, proname)"
            " in (('rules', 'pre_request'), ('api', 'write'), ('api', 'read'))"
        )
        if connection.execute(deployed).fetchone() != (3,):
            raise PartError(
                f"{place} is not migrated to this version. Run atlas-stage migrate there first."
            )
        try:
            with connection.transaction(force_rollback=True):
                for statement in _REQUEST:
                    connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise PartError(
                f"{LOGIN} lacks the rights that a deploy gives it ({error.diag.message_primary})."
                " Run atlas-stage migrate, then atlas-stage doctor."
            ) from error
        return connection.execute("select pg_is_in_recovery()").fetchone() == (True,)


def _place(login: str) -> str:
    given = conninfo_to_dict(login)
    return f"{given.get('host') or 'localhost'}/{given.get('dbname') or LOGIN}"


def _tell_of_the_shared_token(url: str, tell: Callable[[str], None]) -> None:
    """Report a shared token that this database doesn't know: this login can't adopt it."""
    secret = os.environ.get(SHARED_TOKEN)
    if secret:
        bearer = {"Authorization": f"Bearer {secret}"}
        answer = httpx.get(f"{url}/rpc/whoami", headers=bearer, timeout=10, trust_env=False)
        if answer.status_code == 401:
            tell(f"{SHARED_TOKEN} is not known here. With it set, atlas-stage migrate adopts it.")
