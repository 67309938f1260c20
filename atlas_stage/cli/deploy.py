"""`atlas-stage migrate` and `atlas-stage serve`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage import deploy
from atlas_stage.cli.base import session
from atlas_stage.deploy.passwords import set_passwords
from atlas_stage.embedded import DEFAULT_DATA
from atlas_stage.serving import DEFAULT_PORT
from atlas_stage.serving import serve as serve_until_told_to_stop

Data = Annotated[
    Path,
    typer.Option(
        "--data", envvar="ATLAS_DATA", help="Folder of the embedded database; kept between runs."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(migrate)
    app.command()(serve)


def migrate(
    ctx: typer.Context,
    force: Annotated[
        bool, typer.Option("--force", help="Re-create the stored logic even if it is unchanged.")
    ] = False,
    lock_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds to wait for those who use the tables.")
    ] = deploy.LOCK_TIMEOUT_SECONDS,
) -> None:
    """Bring the database up to this version. Where nothing changed, nothing is done.

    Deploy as a superuser, or as the owner of `clients` who may create roles. The logins atlas_authenticator and
    atlas_cron get the passwords in ATLAS_AUTHENTICATOR_PASSWORD and ATLAS_CRON_PASSWORD, where these are set.
    """
    run = session(ctx)
    done = deploy.migrate(
        run.database or "", force=force, report=run.output.line, lock_timeout=lock_timeout
    )
    set_passwords(run.database or "", run.output.line)
    if run.output.as_json:
        run.output.json(asdict(done))
    elif not (done.applied or done.marked or done.logic_changed):
        run.output.line("nothing to do: the database is up to date")


def serve(
    ctx: typer.Context,
    data: Data = DEFAULT_DATA,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, envvar="ATLAS_PORT", help="Where the API answers; 0: any free port."
        ),
    ] = DEFAULT_PORT,
) -> None:
    """Start the embedded database and the HTTP API before it, and stay until Ctrl-C.

    Writes DATA/env: `set -a; . DATA/env` lets every other command, and curl, find them.
    """
    serve_until_told_to_stop(data, session(ctx).output.line, port)
