"""`atlas-stage migrate`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from atlas_stage.cli.base import session
from atlas_stage.ops import deploy
from atlas_stage.ops.deploy.passwords import set_passwords
from atlas_stage.ops.deploy.shared_token import FIRST_ACTOR, adopt_shared_token


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
    atlas_cron get the passwords in ATLAS_AUTHENTICATOR_PASSWORD and ATLAS_CRON_PASSWORD, where these are set; the
    shared token in ATLAS_INGEST_TOKEN works on as system:legacy, and one that has changed takes its place.
    """
    run = session(ctx)
    done = deploy.migrate(
        run.database or "", force=force, report=run.output.line, lock_timeout=lock_timeout
    )
    set_passwords(run.database or "", run.output.line)
    adopt_shared_token(run.database or "", run.actor or FIRST_ACTOR, run.output.line)
    if run.output.as_json:
        run.output.json(asdict(done))
    elif not (done.applied or done.marked or done.logic_changed):
        run.output.line("nothing to do: the database is up to date")
