"""`atlas-stage job …`: the scheduled jobs. `atlas-stage schedule`: the files with which a scheduler starts them."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path

import typer

from atlas_stage.cli import base
from atlas_stage.cli.base import Exit, Session, argument, command, option
from atlas_stage.cli.rendering import columns, moment
from atlas_stage.models import counts_in_words
from atlas_stage.ops.schedule import FILES, HOURLY, Place, write

scheduled = base.group("job", "Scheduled jobs: what is due, what ran.")

AS_OF = option(
    "Run as of this moment in the firm's time zone: 2025-05-30T06:00, or 2025-05-30 for the end of that day.",
    "MOMENT",
)
JOBS = columns("job schedule description")
DUE = columns("job state due=due_at missed last_success next=next_due", missed=lambda each: each.missed or "")
RUNS = columns(
    "id=run_id job due=due_at started=started_at seconds state=outcome what_it_did",
    what_it_did=lambda each: each.error or counts_in_words(each.counts),
)
PLANNED = columns("client=client_id slug name change would_be_skipped=refused_by")


@command(scheduled, "list")
def list_jobs(run: Session) -> None:
    """List the jobs and when each is due."""
    run.records("jobs", run.api.jobs().jobs, JOBS, timed=False)


@command(scheduled)
def due(run: Session, as_of: str | None = AS_OF) -> None:
    """Show each job's state, missed occurrences, last success and next due time."""
    states = run.jobs.due(run.jobs.instant(as_of)) if as_of else run.api.jobs().jobs
    run.records("jobs", states, DUE)


@command(scheduled)
def runs(
    run: Session,
    job: str | None = argument("Only this job's runs.", "[JOB]", default=None),
    before: int | None = option("Only runs before this one."),
    limit: int = base.limit(20),
) -> None:
    """List runs and what they changed, newest first."""
    run.records("runs", run.api.jobs(job, page_size=limit, before=before).runs, RUNS)


@command(scheduled, "run")
def run_job(
    run: Session,
    job: str = argument("One of `atlas-stage job list`.", "JOB"),
    as_of: str | None = AS_OF,
    dry_run: bool | None = option("Show the clients that would change."),
    if_due: bool | None = option("Do nothing if it is done, as a scheduler does."),
) -> None:
    """Run a job now, or as of a moment. A change that was already made isn't made twice.

    Over HTTP it runs if it is due.
    """
    if dry_run:
        planned, words = run.jobs.plan(job, run.jobs.instant(as_of))
        run.records("changes", planned, PLANNED, timed=False)
        run.output.line(words)
        return
    what = job
    if run.url and not (run.database or as_of):
        done = run.api.run_job(job)
    else:
        done = run.jobs.perform(job, run.jobs.instant(as_of), only_if_due=bool(if_due))
        what += f", due {moment(done.due_at, run.zone)} ({run.zone})"
    run.output.result(done, f"{what}: {done.in_words()}")
    raise typer.Exit(Exit.DONE if done.is_well else Exit.REFUSED)


@command(scheduled)
def rollback(
    run: Session,
    run_id: int = argument("The run's id in `job runs`.", "RUN"),
    reason: str = base.REASON,
) -> None:
    """Undo a job run. Changes that later changes depend on are listed and kept."""
    done = run.api.rollback_run(run_id, reason=reason)
    run.output.result(done, f"{done.job}: {done.in_words()}")


Scheduler = StrEnum("Scheduler", {name: name for name in FILES})  # type: ignore[misc]

_NEXT = {
    "windows": f"Next, as an administrator, in PowerShell: Register-ScheduledTask -TaskPath '\\Atlas\\'"
    f" -TaskName {HOURLY} -Xml (Get-Content -LiteralPath {{powershell}} -Raw)"
    ' -User "$env:USERDOMAIN\\$env:USERNAME" -Force',
    "cron": "Next, once, as the user that runs the jobs, whose other lines are kept:"
    " (crontab -l; cat {shell}/crontab) | crontab -",
    "systemd": "Next, as root: cp {shell}/atlas-job@.* /etc/systemd/system/;"
    f" systemctl enable --now atlas-job@{HOURLY}.timer",
    "pg_cron": "Next, with the password of atlas_cron: psql {database} --file={shell}/pg_cron.sql",
}


@command(base.app)
def schedule(
    run: Session,
    scheduler: Scheduler = argument("The program that starts the jobs."),
    folder: Path = option("Folder for the files, the settings and the logs.", default=Path("atlas-jobs")),
) -> None:
    """Generate scheduler files for this machine, one for each job in the database and one for all of them.

    The jobs find their database in FOLDER/atlas-stage.toml: database_url = "postgresql://atlas_cron@…"
    """
    folder = folder.expanduser().resolve()
    python = Path(sys.executable)
    if scheduler.value == "windows":
        python = python.with_name("pythonw.exe")
    known = {each["job"]: each["description"] for each in run.jobs.catalog()}
    written = write(scheduler.value, known, Place(folder, python), folder)
    task = "'" + str(folder / f"{HOURLY}.xml").replace("'", "''") + "'"
    places = {
        "shell": shlex.quote(str(folder)),
        "powershell": task,
        "database": shlex.quote(run.jobs.place("atlas_cron")),
    }
    following = _NEXT[scheduler.value].format(**places)
    run.output.result({"written": written}, *map(str, written), following)
