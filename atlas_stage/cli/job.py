"""`atlas-stage job …`: the scheduled jobs. `atlas-stage schedule`: the files with which a scheduler starts them."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import (
    Exit,
    Limit,
    Options,
    Reason,
    Session,
    app,
    argument,
    command,
    completes,
    option,
)
from atlas_stage.cli.rendering import columns, make_table, moment
from atlas_stage.models import counts_in_words
from atlas_stage.ops.schedule import FILES, HOURLY, Place, write

scheduled = typer.Typer(no_args_is_help=True, help="Scheduled jobs: what is due, what ran.")
app.add_typer(scheduled, name="job")

JobName = Annotated[str, typer.Argument(help="One of `atlas-stage job list`.", **completes("JOB"))]
AS_OF: Options = {
    "as_of": option(
        "Run as of this moment in the firm's time zone: 2025-05-30T06:00, or 2025-05-30 for the end of that day.",
        metavar="MOMENT",
    )
}


@command(scheduled, "list")
def list_jobs(run: Session) -> None:
    """List the jobs and when each is due."""
    found = run.api.jobs().jobs
    run.output.records(
        "jobs", found, lambda: make_table(columns("job schedule description"), found)
    )


@command(scheduled, None, AS_OF)
def due(run: Session, as_of: str | None) -> None:
    """Show each job's state, missed occurrences, last success and next due time."""
    states = run.jobs.due(run.jobs.instant(as_of)) if as_of else run.api.jobs().jobs
    shown = columns(
        "job state due=due_at missed last_success next=next_due",
        missed=lambda each: each.missed or "",
    )
    run.output.records("jobs", states, lambda: make_table(shown, states, zone=run.zone))


@command(
    scheduled,
    job=argument("Only this job's runs.", "JOB"),
    before=option("Only runs before this one.", kind=int),
)
def runs(run: Session, job: str | None, before: int | None, limit: Limit = 20) -> None:
    """List runs and what they changed, newest first."""
    found = run.api.jobs(job, page_size=limit, before=before).runs
    shown = columns(
        "id=run_id job due=due_at started=started_at seconds state=outcome what_it_did",
        what_it_did=lambda each: each.error or counts_in_words(each.counts),
    )
    run.output.records("runs", found, lambda: make_table(shown, found, zone=run.zone))


@command(
    scheduled,
    "run",
    AS_OF,
    dry_run=option("Show the clients that would change.", "--dry-run", kind=bool),
    if_due=option("Do nothing if it is done, as a scheduler does.", "--if-due", kind=bool),
)
def run_job(
    run: Session, job: JobName, as_of: str | None, dry_run: bool | None, if_due: bool | None
) -> None:
    """Run a job now, or as of a moment. A change that was already made isn't made twice.

    Over HTTP it runs if it is due.
    """
    if run.url and not (run.database or dry_run or as_of):
        done = run.api.run_job(job)
        run.output.result(done, f"{job}: {done.in_words()}")
        raise typer.Exit(Exit.DONE if done.is_well else Exit.REFUSED)
    instant = run.jobs.instant(as_of)
    if dry_run:
        planned = list(run.jobs.plan(job, instant))
        shown = columns("client=client_id slug name change would_be_skipped=refused_by")
        run.output.records("changes", planned, lambda: make_table(shown, planned))
        refused = sum(each.refused_by is not None for each in planned)
        run.output.line(f"would change {len(planned) - refused:,}, would skip {refused:,}")
        return
    done = run.jobs.perform(job, instant, only_if_due=bool(if_due))
    when = f"{moment(done.due_at, run.zone)} ({run.zone})"
    run.output.result(done, f"{job}, due {when}: {done.in_words()}")
    raise typer.Exit(Exit.DONE if done.is_well else Exit.REFUSED)


@command(scheduled)
def rollback(
    run: Session,
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="The run's id in `job runs`.")],
    reason: Reason = "",
) -> None:
    """Undo a job run. Changes that later changes depend on are listed and kept."""
    done = run.api.rollback_run(run_id, reason=reason)
    run.output.result(done, f"{done.job}: {done.in_words()}")


Scheduler = StrEnum("Scheduler", {name: name for name in FILES})  # type: ignore[misc]

_NEXT = {
    "windows": f"Next, as an administrator, in PowerShell: Register-ScheduledTask -TaskPath '\\Atlas\\'"
    f" -TaskName {HOURLY} -Xml (Get-Content -LiteralPath {{powershell}} -Raw)"
    ' -User "$env:USERDOMAIN\\$env:USERNAME" -Force',
    "cron": "Next, as the user that runs the jobs: crontab {shell}/crontab",
    "systemd": "Next, as root: cp {shell}/atlas-job@.* /etc/systemd/system/;"
    f" systemctl enable --now atlas-job@{HOURLY}.timer",
    "pg_cron": "Next, as atlas_cron: psql --file={shell}/pg_cron.sql",
}


@command(app)
def schedule(
    run: Session,
    scheduler: Annotated[Scheduler, typer.Argument(help="The program that starts the jobs.")],
    folder: Annotated[
        Path, typer.Option("--folder", help="Folder for the files, the settings and the logs.")
    ] = Path("atlas-jobs"),
) -> None:
    """Generate scheduler files for this machine, one for each job in the database and one for all of them.

    The jobs find their database in FOLDER/atlas-stage.toml: database_url = "postgresql://atlas_cron@…"
    """
    folder = folder.expanduser().resolve()
    python = Path(sys.executable)
    if scheduler.value == "windows":
        python = python.with_name("pythonw.exe")
    place = Place(folder, python)
    known = {each["job"]: each["description"] for each in run.jobs.catalog()}
    written = write(scheduler.value, known, place, folder)
    task = "'" + str(folder / f"{HOURLY}.xml").replace("'", "''") + "'"
    following = _NEXT[scheduler.value].format(shell=shlex.quote(str(folder)), powershell=task)
    run.output.result({"written": written}, *map(str, written), following)
