"""`atlas-stage migrate`, and its way back, `atlas-stage migrate rollback`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from atlas_stage.cli.base import Session, session
from atlas_stage.errors import InvalidInput

app = typer.Typer()

_UP_TO_DATE = "nothing to do: the database is up to date"

LockTimeout = Annotated[
    float, typer.Option(min=0.1, max=86_400, help="Seconds to wait for those who use the tables.")
]


@app.callback(invoke_without_command=True)
def migrate(
    ctx: typer.Context,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what it would do; changes nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Re-create the stored logic even if it is unchanged.")
    ] = False,
    lock_timeout: LockTimeout = 5.0,
) -> None:
    """Bring the database up to this version. Where nothing changed, nothing is done.

    Deploy as a superuser, or as the owner of `clients` who may create roles. The logins atlas_authenticator and
    atlas_cron get the passwords in ATLAS_AUTHENTICATOR_PASSWORD and ATLAS_CRON_PASSWORD, where these are set; the
    shared token in ATLAS_INGEST_TOKEN works on as system:legacy, and one that has changed takes its place.
    """
    if ctx.invoked_subcommand is not None:
        return
    run = session(ctx)
    if plan:
        _show_plan(run, force=force)
        return
    from atlas_stage.ops import deploy
    from atlas_stage.ops.deploy.passwords import set_passwords
    from atlas_stage.ops.deploy.shared_token import FIRST_ACTOR, adopt_shared_token

    done = deploy.migrate(
        run.database or "", force=force, report=run.output.line, lock_timeout=lock_timeout
    )
    set_passwords(run.database or "", run.output.line)
    adopt_shared_token(run.database or "", run.actor or FIRST_ACTOR, run.output.line)
    changed = done.applied or done.marked or done.logic_changed
    run.output.result(asdict(done), *([] if changed else [_UP_TO_DATE]))


def _show_plan(run: Session, *, force: bool) -> None:
    from atlas_stage.ops.deploy.plan import plan as find_out

    plan = find_out(run.database or "", force=force)
    would = [f"would mend {each}" for each in plan.mended]
    would += [f"would apply {name}" for name in plan.pending]
    if plan.logic_changes:
        would.append("would put the stored logic in place")
    run.output.result(asdict(plan), *would, *plan.words, *([] if would else [_UP_TO_DATE]))


@app.command()
def rollback(
    ctx: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(metavar="MIGRATION", help="The last one that stays; without it, none does."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask: the data in the tables goes with them.")
    ] = False,
    lock_timeout: LockTimeout = 5.0,
) -> None:
    """Undo migrations, newest first, with the data in their tables; `migrate` brings them back, empty."""
    run = session(ctx)
    what = f"everything after {to}" if to else "the whole stage system"
    question = f"Take {what} out of the database, with its data?"
    if not yes and (run.output.as_json or not typer.confirm(question, err=True)):
        raise InvalidInput("nothing was done", hint="answer y, or give --yes")
    from atlas_stage.ops import deploy

    done = deploy.rollback(
        run.database or "", to=to, report=run.output.line, lock_timeout=lock_timeout
    )
    said = [] if done else ["nothing to do: no later migration is applied"]
    run.output.result({"rolled_back": done}, *said)
