"""`atlas-stage migrate`, `doctor` and `prune`: deploy, check and clean up a database."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from atlas_stage.cli.base import Exit, Session, app, command, confirm, option, read_as, switch
from atlas_stage.cli.rendering import cell, make_table

if TYPE_CHECKING:
    from atlas_stage.ops import doctor as checks

migrations = typer.Typer()
app.add_typer(migrations, name="migrate")

_UP_TO_DATE = "nothing to do: the database is up to date"

LOCK_TIMEOUT = option(
    "How long to wait for a table in use.", "SECONDS", default=5.0, parser=read_as(float, 0.1, 86_400)
)


@migrations.callback(invoke_without_command=True)
def migrate(
    ctx: typer.Context,
    plan: bool = switch("Show what it would do; change nothing.", "--plan"),
    force: bool = switch("Re-create the stored logic even if it is unchanged.", "--force"),
    lock_timeout: float = LOCK_TIMEOUT,
) -> None:
    """Bring the database up to this version. If it is up to date, nothing happens.

    Run it as a superuser, or as the owner of `clients` with the right to create roles.
    ATLAS_AUTHENTICATOR_PASSWORD and ATLAS_CRON_PASSWORD, if set, become the passwords of atlas_authenticator and
    atlas_cron. A shared token in ATLAS_INGEST_TOKEN keeps working as system:legacy; a changed one replaces it.
    """
    if ctx.invoked_subcommand is not None:
        return
    from atlas_stage.ops import deploy
    from atlas_stage.ops.deploy.passwords import set_passwords
    from atlas_stage.ops.deploy.shared_token import FIRST_ACTOR, adopt_shared_token

    run: Session = ctx.obj
    dsn, report = run.database or "", run.output.line
    if plan:
        would = deploy.plan(dsn, force=force)
        steps = [f"would repair {each}" for each in would.repaired]
        steps += [f"would apply {name}" for name in would.pending]
        steps += ["would re-create the stored logic"] if would.logic_changes else []
        run.output.result(asdict(would), *(steps or [_UP_TO_DATE]), *would.words)
        return
    done = deploy.migrate(dsn, force=force, report=report, lock_timeout=lock_timeout)
    set_passwords(dsn, report)
    adopt_shared_token(dsn, run.actor or FIRST_ACTOR, report)
    changed = done.applied or done.marked or done.repaired or done.logic_changed
    run.output.result(asdict(done), *([] if changed else [_UP_TO_DATE]))
    if done.failed:
        raise typer.Exit(Exit.REFUSED)


@command(migrations)
def rollback(
    run: Session,
    to: str | None = option("Keep migrations up to this one; if omitted, keep none.", "MIGRATION"),
    yes: bool | None = option("Don't ask. The data in the tables is lost."),
    lock_timeout: float = LOCK_TIMEOUT,
) -> None:
    """Undo migrations, newest first, with the data in their tables. `migrate` creates the tables again, empty."""
    what = f"everything after {to}" if to else "the whole stage system"
    if not yes:
        confirm(run, f"Remove {what} from the database, with its data?")
    from atlas_stage.ops import deploy

    done = deploy.rollback(run.database or "", to=to, report=run.output.line, lock_timeout=lock_timeout)
    said = [] if done else ["nothing to do: no later migration is applied"]
    run.output.result({"rolled_back": done}, *said)


@command(app)
def doctor(run: Session) -> None:
    """Check this installation. Run it as a superuser, who can see everything."""
    from atlas_stage.ops import doctor as checks

    findings = checks.examine(run.connection)
    wrong = sum(bool(each.found) and each.severity != "notice" for each in findings)
    rows = (row for each in findings for row in _rows(each))
    run.output.result(
        {"checks": findings},
        make_table(("check", "state", "what is wrong, and what to do"), rows),
        f"{wrong} of {len(findings)} checks found something" if wrong else "all is well",
    )
    raise typer.Exit(Exit.REFUSED if wrong else Exit.DONE)


def _rows(finding: "checks.Finding") -> Iterator[tuple[object, object, object]]:
    state = "ok" if not finding.found else "notice" if finding.severity == "notice" else "wrong"
    first, *others = [*finding.found, cell(f"→ {finding.advice}", "dim")] if finding.found else [""]
    yield finding.name, state, first
    for other in others:
        yield "", "", other


@command(app)
def prune(run: Session) -> None:
    """Delete idempotency keys and job runs older than the settings say. History is kept."""
    keys = runs = 0
    # Autocommit: each call is a transaction of at most a few thousand rows.
    prune = "select p.keys, p.runs from ops.prune() p"
    while any(deleted := run.connection.execute(prune).fetchone() or ()):
        keys, runs = keys + deleted[0], runs + deleted[1]
    run.output.result({"keys": keys, "runs": runs}, f"deleted {keys} keys and {runs} job runs")
