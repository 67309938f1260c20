"""`atlas-stage serve` and `atlas-stage demo`: what `[local]` adds to the command line."""

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import session
from atlas_stage.errors import InvalidInput
from atlas_stage.local.demo import play
from atlas_stage.local.demo.cast import ADMIN
from atlas_stage.local.demo.screen import Screen
from atlas_stage.local.embedded import DEFAULT_DATA, EmbeddedPostgres
from atlas_stage.local.serving import DEFAULT_HOST, DEFAULT_PORT, serve_before
from atlas_stage.local.serving import serve as serve_until_told_to_stop
from atlas_stage.local.serving.gateway import gateway
from atlas_stage.ops.deploy import migrate
from atlas_stage.stage import Stage

Data = Annotated[
    Path,
    typer.Option(
        "--data", envvar="ATLAS_DATA", help="Folder of the embedded database; kept between runs."
    ),
]


def serve(
    ctx: typer.Context,
    data: Data = DEFAULT_DATA,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, envvar="ATLAS_PORT", help="Where the API answers; 0: any free port."
        ),
    ] = DEFAULT_PORT,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS:PORT",
            envvar="ATLAS_LISTEN",
            help="Where the API answers, in place of --port: 0.0.0.0:8080 is every address of this machine.",
        ),
    ] = None,
) -> None:
    """Start the embedded database and the HTTP API before it, and stay until Ctrl-C.

    Writes DATA/env: `set -a; . DATA/env` lets every other command, and curl, find them. With --database URL on the
    line, or ATLAS_SERVE_DATABASE_URL, only the API before that database, which is deployed already: it logs in there as
    atlas_authenticator, with the password in ATLAS_AUTHENTICATOR_PASSWORD.
    """
    host = DEFAULT_HOST
    if listen is not None:
        host, port = _address(listen)
    tell = session(ctx).output.line
    database = _database_to_serve(ctx)
    if database is None:
        serve_until_told_to_stop(data, tell, port, host)
    else:
        serve_before(database, data / "gateway", host, port, tell)


def _database_to_serve(ctx: typer.Context) -> str | None:
    """Not ATLAS_DATABASE_URL: that is how other commands find the database, and it may be the embedded one."""
    source = ctx.find_root().get_parameter_source("database")
    on_the_line = source is not None and source.name == "COMMANDLINE"
    return session(ctx).database if on_the_line else os.environ.get("ATLAS_SERVE_DATABASE_URL")


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise InvalidInput(
            f"--listen {listen} cannot be read: use ADDRESS:PORT, such as 0.0.0.0:8080"
        )
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 (asked for)


def demo(ctx: typer.Context, data: Data = DEFAULT_DATA) -> None:
    """Play a month-end close with 52 clients over HTTP, on an embedded PostgreSQL; ends by itself.

    Run again on the same folder, it plays another month: nothing is deleted, the histories go on.
    """
    screen = Screen(session(ctx).output.console)
    screen.say(f"Starting PostgreSQL, PostgREST and Caddy on {data} …")
    with ExitStack() as parts:
        # It ends as by Ctrl-C, so that nothing is left running.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        parts.callback(signal.signal, signal.SIGTERM, before)
        server = parts.enter_context(EmbeddedPostgres(data, report=screen.say))
        migrate(server.dsn, report=screen.say)
        folder = server.data / "demo"  # not that of a server that may be running
        folder.mkdir(exist_ok=True)
        url = parts.enter_context(gateway(server.dsn, folder, 0, screen.say)).url
        screen.say(f"The API answers at {url}; each actor calls it with a token of its own.")
        desk = parts.enter_context(Stage.connect(server.dsn, ADMIN))
        play(desk, parts.enter_context(_tokens(desk, url)), screen)
    screen.console.print()
    screen.say("To look around in it: serve it, and in another terminal read its settings:", "bold")
    here = _program()
    screen.command(f"{here} serve --data {shlex.quote(str(data))}")
    screen.command(f"set -a; . {shlex.quote(str(data / 'env'))}; set +a; {here} client list")


@contextmanager
def _tokens(desk: Stage, url: str) -> Iterator[Callable[[str], Stage]]:
    """Gives an actor's stage over HTTP, by a token that is revoked at the end."""
    issued: list[str] = []

    def connect(actor: str) -> Stage:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        token = desk.issue_token(actor, description="the demo", expires_at=tomorrow)
        issued.append(token.id)
        return Stage.connect(url=url, token=token.token)

    try:
        yield connect
    finally:
        for token_id in issued:
            desk.revoke_token(token_id)


def _program() -> str:
    """This program as its user has called it."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "atlas-stage" else "atlas-stage"
