"""`atlas-stage serve`, for which `[local]` must be installed."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import Session, app, command
from atlas_stage.errors import InvalidInput


class Program(StrEnum):
    """The programs that can be the gateway."""

    CADDY = "caddy"
    NGINX = "nginx"


@command(app)
def serve(
    run: Session,
    data: Annotated[
        Path, typer.Option("--data", envvar="ATLAS_DATA", help="Folder of the embedded database.")
    ] = Path(".atlas"),
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, envvar="ATLAS_PORT", help="The API's port on this machine; 0: any."
        ),
    ] = 8080,
    listen: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS:PORT",
            envvar="ATLAS_LISTEN",
            help="The API's address, in place of --port; 0.0.0.0:8080: reachable from other machines.",
        ),
    ] = None,
    gateway: Annotated[
        Program,
        typer.Option(envvar="ATLAS_SERVE_GATEWAY", help="The program in front of PostgREST."),
    ] = Program.CADDY,
    no_jobs: Annotated[
        bool, typer.Option("--no-jobs", help="Leave the scheduled jobs to a scheduler.")
    ] = False,
) -> None:
    """Start the embedded database, its HTTP API and its jobs; run until Ctrl-C.

    Writes DATA/env: after `set -a; . DATA/env`, other commands and curl find the API and the database.
    With --database URL, or ATLAS_SERVE_DATABASE_URL, starts only the API of that database, which must be migrated.
    It logs in there as atlas_authenticator, with the password in ATLAS_AUTHENTICATOR_PASSWORD.
    --gateway nginx needs pip install 'atlas-stage[nginx]', or an nginx on PATH.
    """
    from atlas_stage.local.serving import serve as serve_embedded, serve_before

    host, port = address(listen) if listen is not None else ("127.0.0.1", port)
    # Not ATLAS_DATABASE_URL: DATA/env sets it, to the embedded database.
    database = (
        run.database if "database" in run.given else os.environ.get("ATLAS_SERVE_DATABASE_URL")
    )
    if database is None:
        serve_embedded(data, run.output.line, port, host, jobs=not no_jobs, program=gateway)
    else:
        serve_before(database, data / "gateway", host, port, run.output.line, gateway)


def address(listen: str) -> tuple[str, int]:
    """The host and port of ADDRESS:PORT; without a host, all of this machine's addresses. Raises InvalidInput."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise InvalidInput(f"Can't read --listen {listen}. Use ADDRESS:PORT, such as 0.0.0.0:8080.")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 (requested)
