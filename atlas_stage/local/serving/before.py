"""The gateway before a database of somebody else's, until somebody ends it."""

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

# What PostgREST does at each request, and what the gateway asks of it.
_DEPLOYED = """
select exists (
  select
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname = %s and p.proname = %s
)
"""
_AS_A_CALLER = (
    "select set_config('request.path', '/rpc/health', true)",
    "set local role atlas_anon",
    "select rules.pre_request()",
    "select api.health()",
)


def serve_before(
    database: str, folder: Path, host: str, port: int, tell: Callable[[str], None]
) -> None:
    """Serve a database that is deployed already, until Ctrl-C, SIGTERM or the end of the terminal.

    `database` says where it is; PostgREST logs in there as atlas_authenticator, with the password in
    ATLAS_AUTHENTICATOR_PASSWORD, else as libpq finds one. Logs go into `folder`. Raises PartError, in words, where it
    cannot be served, or a part ends by itself.
    """
    login = _login(database)
    standby = _require_usable(login)
    folder.mkdir(parents=True, exist_ok=True)
    with until_told_to_stop(), ExitStack() as parts:
        parts.enter_context(only_server(folder, "give this one a folder of its own with --data"))
        http = parts.enter_context(gateway(login, folder, port, tell, host=host, standby=standby))
        _tell_of_the_shared_token(http.url, tell)
        tell(f"serving {_place(login)} at {http.url}; logs are in {folder}")
        wait_for_an_end(http)


def _login(database: str) -> str:
    """The address for the gateway's own login."""
    try:
        said = conninfo_to_dict(database)
    except psycopg.ProgrammingError as error:
        raise PartError("--database cannot be read: use postgresql://host/database") from error
    # A password of somebody else's is none for this login.
    own = said.get("user") in (None, LOGIN)
    password = (
        os.environ.get(PASSWORD_VARIABLE)
        or (said.get("password") if own else None)
        or os.environ.get("PGPASSWORD")
    )
    said.update(user=LOGIN, password=password)
    return make_conninfo(**{name: str(value) for name, value in said.items() if value is not None})


def _require_usable(login: str) -> bool:
    """Raises PartError where it is not; whether it is a standby, which only reads."""
    try:
        connection = transport.connect(login)
    except StageError as error:
        raise PartError(_why_not(login, error)) from error
    with connection:
        version = connection.info.server_version // 10000
        if version < _OLDEST_SERVER:
            raise PartError(
                f"PostgreSQL {version} is too old: it has to be {_OLDEST_SERVER} or newer"
            )
        for function in (("rules", "pre_request"), ("api", "call_by_name")):
            if connection.execute(_DEPLOYED, function).fetchone() != (True,):
                raise PartError(
                    f"{_place(login)} is not deployed for this version: run atlas-stage migrate there first"
                )
        try:
            with connection.transaction(force_rollback=True):
                for statement in _AS_A_CALLER:
                    connection.execute(statement)
        except psycopg.errors.InsufficientPrivilege as error:
            raise PartError(
                f"{LOGIN} has not the rights that a deploy gives it ({error.diag.message_primary}):"
                " run atlas-stage migrate, and atlas-stage doctor"
            ) from error
        return connection.execute("select pg_is_in_recovery()").fetchone() == (True,)


def _why_not(login: str, error: StageError) -> str:
    said = error.message
    if "password" in said or "authentication" in said or "role" in said:
        return (
            f"{LOGIN} cannot log in to {_place(login)} ({said}): its password goes into {PASSWORD_VARIABLE},"
            " for atlas-stage migrate, which sets it, and here"
        )
    return f"{_place(login)} cannot be reached: {said}"


def _place(login: str) -> str:
    said = conninfo_to_dict(login)
    return f"{said.get('host') or 'localhost'}/{said.get('dbname') or LOGIN}"


def _tell_of_the_shared_token(url: str, tell: Callable[[str], None]) -> None:
    """This login may adopt no token: say so where the environment names one that is not known."""
    secret = os.environ.get(SHARED_TOKEN)
    if secret:
        bearer = {"Authorization": f"Bearer {secret}"}
        answer = httpx.get(f"{url}/rpc/whoami", headers=bearer, timeout=10, trust_env=False)
        if answer.status_code == 401:
            tell(
                f"{SHARED_TOKEN} is not known here: atlas-stage migrate adopts it, with it in its environment"
            )
