"""`atlas-stage serve` and `atlas-stage demo`: what `[local]` adds to the command line."""

import os
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import session
from atlas_stage.errors import InvalidInput
from atlas_stage.local import DEFAULT_DATA, DEFAULT_HOST, DEFAULT_PORT

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
    from atlas_stage.local.serving import serve as serve_until_told_to_stop, serve_before

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
    from atlas_stage.local.demo.run import run

    run(data, session(ctx).output.console)
