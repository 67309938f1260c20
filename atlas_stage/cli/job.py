"""`atlas-stage job`: the scheduled work."""

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

app = typer.Typer(no_args_is_help=True, help="The scheduled jobs: what is due, what was done.")

JobName = Annotated[str, typer.Argument(metavar="JOB", help="One of `atlas-stage job list`.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="What to take as now, in the firm's time: 2025-05-30 (all of the day), 2025-05-30T06:00.",
    ),
]


def _jobs(run: Session, *, progress: bool = False) -> Jobs:
    from atlas_stage.ops.jobs import Jobs

    return Jobs(run.database, progress=run.output.aside if progress else None)


@app.command("list")
def list_jobs(ctx: typer.Context) -> None:
    """The jobs there are, and when each is due."""
    run = session(ctx)
    with _jobs(run) as jobs:
        catalog = jobs.catalog()
    columns = {name: itemgetter(name) for name in ("job", "schedule", "description")}
    run.output.result({"jobs": catalog}, make_table(columns, catalog))


@app.command()
def due(ctx: typer.Context, as_of: AsOf = None) -> None:
    """Where each job stands: what is due, what was missed, the last success, when it is due next."""
    run = session(ctx)
    with _jobs(run) as jobs:
        states = jobs.due(jobs.instant(as_of))
    run.output.records("jobs", states, lambda: _states_table(states, run.zone()))


@app.command()
def runs(
    ctx: typer.Context,
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Of this job only.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 20,
    before: Annotated[int | None, typer.Option(help="Only runs before this one.")] = None,
) -> None:
    """The ledger: what ran, when, and what it did; newest first."""
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
        bool, typer.Option("--dry-run", help="Show exactly the rows that would change.")
    ] = False,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="As the scheduler does: leave alone what was done.")
    ] = False,
) -> None:
    """Run a job now, or as of a moment. What was done is not done twice."""
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
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="Its number in `job runs`.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Take back what a run changed; what something later stands on is named and stays."""
    run = session(ctx)
    with run.stage() as api:
        done = api.rollback_run(run_id, reason=reason)
    left = "".join(
        f"; left: client {each['client_id']} ({each['rule']})" for each in done.left[:20]
    )
    run.output.result(
        done, f"{done.job}: {done.rolled_back} changes taken back, {len(done.left)} left{left}"
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
