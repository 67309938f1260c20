"""`atlas-stage job`: the scheduled jobs."""

from __future__ import annotations

from datetime import tzinfo
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from atlas_stage.cli.base import Exit, Session, session
from atlas_stage.cli.rendering import Columns, make_table, moment

if TYPE_CHECKING:
    from atlas_stage.ops.jobs import JobRun, Jobs, JobState, PlannedChange

app = typer.Typer(no_args_is_help=True, help="Scheduled jobs: what is due, what ran.")

JobName = Annotated[str, typer.Argument(metavar="JOB", help="One of `atlas-stage job list`.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="Run as of this moment in the firm's time zone: 2025-05-30T06:00, or 2025-05-30 for the end of that day.",
    ),
]


def _jobs(run: Session, *, progress: bool = False) -> Jobs:
    from atlas_stage.ops.jobs import Jobs

    return Jobs(run.database, progress=run.output.aside if progress else None)


@app.command("list")
def list_jobs(ctx: typer.Context) -> None:
    """List the jobs and when each is due."""
    run = session(ctx)
    with _jobs(run) as jobs:
        catalog = jobs.catalog()
    columns = {name: itemgetter(name) for name in ("job", "schedule", "description")}
    run.output.result({"jobs": catalog}, make_table(columns, catalog))


@app.command()
def due(ctx: typer.Context, as_of: AsOf = None) -> None:
    """Show each job's state, missed occurrences, last success and next due time."""
    run = session(ctx)
    with _jobs(run) as jobs:
        states = jobs.due(jobs.instant(as_of))
    run.output.records("jobs", states, lambda: _states_table(states, run.zone()))


@app.command()
def runs(
    ctx: typer.Context,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="Only this job's runs.")
    ] = None,
    limit: Annotated[int, typer.Option(help="At most this many.")] = 20,
    before: Annotated[int | None, typer.Option(help="Only runs before this one.")] = None,
) -> None:
    """List runs and what they changed, newest first."""
    run = session(ctx)
    with _jobs(run) as jobs:
        found = jobs.runs(job, page_size=limit, before=before)
    run.output.records("runs", found, lambda: _runs_table(found, run.zone()))


@app.command("run")
def run_job(
    ctx: typer.Context,
    job: JobName,
    as_of: AsOf = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the clients that would change; change nothing.")
    ] = False,
    if_due: Annotated[
        bool,
        typer.Option("--if-due", help="Do nothing if the occurrence is done, as a scheduler does."),
    ] = False,
) -> None:
    """Run a job now, or as of a moment. A change that was already made isn't made twice."""
    run = session(ctx)
    with _jobs(run, progress=True) as jobs:
        instant = jobs.instant(as_of)
        if dry_run:
            _show_plan(run, list(jobs.plan(job, instant)))
            return
        done = jobs.perform(job, instant, only_if_due=if_due)
    zone = run.zone()
    run.output.result(done, f"{job}, due {moment(done.due_at, zone)} ({zone}): {done.in_words()}")
    raise typer.Exit(Exit.DONE if done.is_well else Exit.REFUSED)


@app.command()
def rollback(
    ctx: typer.Context,
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="The run's id in `job runs`.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Undo a job run. Changes that later changes depend on are listed and kept."""
    run = session(ctx)
    with run.stage() as api:
        done = api.rollback_run(run_id, reason=reason)
    left = "".join(
        f"; kept: client {each['client_id']} ({each['rule']})" for each in done.left[:20]
    )
    run.output.result(
        done, f"{done.job}: {done.rolled_back} changes undone, {len(done.left)} kept{left}"
    )


def _show_plan(run: Session, planned: list[PlannedChange]) -> None:
    same = {name: name for name in ("slug", "name", "change")}
    columns = {"client": "client_id", **same, "would be skipped": "refused_by"}
    run.output.records("changes", planned, lambda: make_table(columns, planned))
    refused = sum(each.refused_by is not None for each in planned)
    run.output.line(f"would change {len(planned) - refused:,}, would skip {refused:,}")


def _states_table(states: tuple[JobState, ...], zone: tzinfo) -> Table:
    columns: Columns = {
        "job": "job",
        "state": "state",
        "due": "due_at",
        "missed": lambda each: each.missed or "",
        "last success": "last_success",
        "next": "next_due",
    }
    return make_table(columns, states, zone=zone)


def _runs_table(found: tuple[JobRun, ...], zone: tzinfo) -> Table:
    from atlas_stage.ops.jobs import counts_in_words

    columns: Columns = {
        "id": "run_id",
        "job": "job",
        "due": "due_at",
        "started": "started_at",
        "seconds": "seconds",
        "state": "outcome",
        "what it did": lambda each: each.error or counts_in_words(each.counts),
    }
    return make_table(columns, found, zone=zone)
