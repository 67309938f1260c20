"""Serve a database over HTTP until a signal: the embedded one, or one that runs elsewhere."""

import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

import httpx
import psycopg
from filelock import FileLock, Timeout
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from atlas_stage.errors import StageError
from atlas_stage.local.embedded import EmbeddedError, EmbeddedPostgres
from atlas_stage.local.serving.gateway import LOGIN, free_port, gateway
from atlas_stage.local.serving.programs import Part, PartError, stop_leftover
from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.deploy.connection import run
from atlas_stage.ops.deploy.shared_token import FIRST_ACTOR, VARIABLE as SHARED_TOKEN, adopt_shared_token
from atlas_stage.stage import Stage
from atlas_stage.transports import psycopg as transport

_TOKEN_DAYS = 90
_TOKEN_DESCRIPTION = "atlas-stage serve"  # noqa: S105 (its purpose)
PASSWORD_VARIABLE = "ATLAS_AUTHENTICATOR_PASSWORD"  # noqa: S105 (its name)

_NO_JOBS = "no jobs run here: a scheduler has to start them (atlas-stage schedule)"
_NOT_MIGRATED = (
    psycopg.errors.InvalidParameterValue,  # no such role
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedFunction,
)


def serve(
    data: Path,
    tell: Callable[[str], None],
    port: int,
    host: str,
    *,
    jobs: bool = True,
    program: str | None = None,
) -> None:
    """Serve `data` at this address until Ctrl-C, SIGTERM or SIGHUP, then stop what was started.

    `jobs`: also run the scheduled jobs, every hour. `program`: the gateway's, caddy or nginx.
    Writes `<data>/env`, for the shell. Raises DeployError, PartError, and EmbeddedError (also if `data` is already
    being served). If a part ends, the others are stopped.
    """
    with until_told_to_stop(), ExitStack() as parts:
        database = EmbeddedPostgres(data, report=tell)
        if (
            not database.pgdata.exists()
        ):  # else a gateway that a killed serve left can have the port: it is stopped below
            free_port(host, port)
        parts.enter_context(database)
        env = database.data / "env"
        parts.enter_context(_only_server(database.data, f"its settings are in {env}"))
        migrate(database.dsn, report=tell)
        adopt_shared_token(database.dsn, FIRST_ACTOR, tell)
        begun = gateway(database.dsn, database.data, port, tell, host=host, program=program)
        http = parts.enter_context(begun)
        settings = {
            "ATLAS_URL": http.url,
            "ATLAS_TOKEN": _new_token(database.dsn),
            "ATLAS_DATABASE_URL": database.dsn,
            "ATLAS_ACTOR": FIRST_ACTOR,
        }
        write_env(env, settings)
        tell(f"serving {database.data} at {http.public}; Ctrl-C stops it")
        tell(f"the board is at {http.public} in a browser: sign in with the ATLAS_TOKEN of {env}")
        running = [*http.parts]
        if jobs:
            running.append(parts.enter_context(_jobs(database.dsn, database.data)))
            tell(f"the scheduled jobs run every hour; their logs are in {database.data}")
        else:
            tell(_NO_JOBS)
        tell("in another terminal:")
        tell(f"  set -a; . {shlex.quote(str(env))}; set +a")
        tell('  curl -H "Authorization: Bearer $ATLAS_TOKEN" $ATLAS_URL/api/clients')
        tell("  atlas-stage client list")
        _wait_for_an_end(running, database.is_running)
        raise EmbeddedError(f"PostgreSQL has ended. See {database.log}")


def _jobs(dsn: str, folder: Path) -> Part:
    """What runs the jobs that are due: at once, and one minute past every hour."""
    stop_leftover(folder, "Jobs")
    program = f"from atlas_stage.ops.scheduled import hourly; hourly(stay=True, parent={os.getpid()})"
    settings = {"ATLAS_DATABASE_URL": dsn, "ATLAS_LOG_DIR": str(folder)}
    return Part("Jobs", [sys.executable, "-c", program], settings, folder, lambda: True)


def _new_token(dsn: str) -> str:
    """A token of the first actor. Revokes those of earlier starts."""
    with Stage.connect(dsn, FIRST_ACTOR) as stage:
        for token in stage.iter_tokens(FIRST_ACTOR):
            if token.description == _TOKEN_DESCRIPTION and token.state == "active":
                stage.revoke_token(token.id)
        expires = datetime.now(UTC) + timedelta(days=_TOKEN_DAYS)
        issued = stage.issue_token(FIRST_ACTOR, description=_TOKEN_DESCRIPTION, expires_at=expires)
    return issued.token


def write_env(file: Path, settings: Mapping[str, str]) -> None:
    """Write settings that a shell can read. Only the caller can read the file, and it is never half written."""
    handle, fresh = tempfile.mkstemp(prefix=".env-", dir=file.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.writelines(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    Path(fresh).replace(file)


def serve_before(
    database: str,
    folder: Path,
    host: str,
    port: int,
    tell: Callable[[str], None],
    program: str | None = None,
) -> None:
    """Serve a migrated database until Ctrl-C, SIGTERM or SIGHUP.

    `database` is its address. PostgREST logs in there as atlas_authenticator, with the password in
    ATLAS_AUTHENTICATOR_PASSWORD, else as libpq finds one. Logs go into `folder`. Raises PartError if the database
    can't be served or a part ends.
    """
    login, standby = _require_usable(_login(database))
    folder.mkdir(parents=True, exist_ok=True)
    with until_told_to_stop(), ExitStack() as parts:
        parts.enter_context(_only_server(folder, "choose another folder with --data"))
        begun = gateway(login, folder, port, tell, host=host, standby=standby, program=program)
        http = parts.enter_context(begun)
        _tell_of_the_shared_token(http.url, tell)
        tell(f"serving {_place(login)} at {http.public}; logs are in {folder}")
        tell(_NO_JOBS)
        _wait_for_an_end(http.parts)


def _login(database: str) -> str:
    """The address with the gateway's own login. Another login's password is not used."""
    try:
        given = transport.options_of(database)
    except psycopg.ProgrammingError as error:
        raise PartError("Can't read --database. Use postgresql://host/database.") from error
    own = given["password"] if given.get("user") in (None, LOGIN) and "password" in given else None
    given["user"] = LOGIN
    given["password"] = os.environ.get(PASSWORD_VARIABLE) or own or os.environ.get("PGPASSWORD")
    return make_conninfo(**{name: str(value) for name, value in given.items() if value is not None})


def _require_usable(login: str) -> tuple[str, bool]:
    """Raise PartError unless the database can be served.

    Returns the resolved address, and whether it is a standby, which can only be read.
    """
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
        try:
            with connection.transaction(force_rollback=True):
                run(connection, "one_request")
        except _NOT_MIGRATED as error:
            said = f"{place} is not migrated to this version. Run atlas-stage migrate there first."
            raise PartError(said) from error
        except psycopg.errors.InsufficientPrivilege as error:
            raise PartError(
                f"{LOGIN} lacks the rights that a deploy gives it ({error.diag.message_primary})."
                " Run atlas-stage migrate, then atlas-stage doctor."
            ) from error
        standby = connection.execute("select pg_is_in_recovery()").fetchone() == (True,)
        return _resolved(connection), standby


def _resolved(connection: psycopg.Connection) -> str:
    """The address with every option that libpq took from the service file and the environment.

    PostgREST gets no other: the user of a service file would take precedence over its login.
    """
    of_this_session = {*transport.DEFAULTS, "client_encoding", "service", "servicefile"}
    options = connection.info.get_parameters() | {"password": connection.info.password}
    return make_conninfo(**{k: v for k, v in options.items() if v and k not in of_this_session})


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


def _wait_for_an_end(parts: Sequence[Part], database_runs: Callable[[], bool] = lambda: True) -> None:
    """Return when the database has ended. Raises PartError when a part has."""
    while database_runs():
        for part in parts:
            if not part.is_running():
                raise PartError(f"{part.name} has ended. See {part.log}")
        time.sleep(1)


@contextmanager
def _only_server(folder: Path, hint: str) -> Iterator[None]:
    """Keep other processes from serving this folder. Raises EmbeddedError if one does."""
    pid_file = folder / "serve.pid"
    try:
        with FileLock(folder / "serve.lock", timeout=0):
            pid_file.write_text(str(os.getpid()))
            yield
    except Timeout as error:
        said = f"{folder} is already being served (process {pid_file.read_text()}): {hint}"
        raise EmbeddedError(said) from error


@contextmanager
def until_told_to_stop() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block like Ctrl-C. Signals during the clean-up change nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    wanted = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        wanted.append(signal.SIGHUP)
    before = {each: signal.signal(each, stop) for each in wanted}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
