"""`atlas-stage schedule`: the files for a scheduler."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import Session, app, command
from atlas_stage.ops.schedule import FILES, HOURLY, Place, write

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
