"""`atlas-stage schedule`: the files for the scheduler of this machine."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from atlas_stage.cli.base import session
from atlas_stage.ops.schedule import SCHEDULERS, write

Scheduler = StrEnum("Scheduler", {name: name for name in SCHEDULERS})  # type: ignore[misc]

_NEXT = {
    "windows": "as an administrator, in PowerShell:"
    " Get-ChildItem -LiteralPath {powershell} -Filter *.xml | ForEach-Object {{ Register-ScheduledTask"
    " -TaskPath '\\Atlas\\'"
    " -TaskName $_.BaseName -Xml (Get-Content -LiteralPath $_.FullName -Raw)"
    ' -User "$env:USERDOMAIN\\$env:USERNAME" -Force }}',
    "cron": "then, as the user that runs the jobs: crontab {shell}/crontab",
    "systemd": "as root: cp {shell}/atlas-job@.* /etc/systemd/system/; systemctl enable --now atlas-job@JOB.timer",
}


def schedule(
    ctx: typer.Context,
    scheduler: Annotated[Scheduler, typer.Argument(help="Which one starts the jobs.")],
    folder: Annotated[
        Path, typer.Option("--folder", help="Where the files, the settings and the logs will be.")
    ] = Path("atlas-jobs"),
) -> None:
    """Write what the scheduler needs, with this machine's paths: a wheel is enough.

    The database is named in FOLDER/atlas-stage.toml: database_url = "postgresql://atlas_cron@…"
    """
    run = session(ctx)
    written = write(scheduler.value, folder)
    where = str(written[0].parent)
    quoted = "'" + where.replace("'", "''") + "'"
    following = _NEXT[scheduler.value].format(shell=shlex.quote(where), powershell=quoted)
    run.output.result({"written": written}, *map(str, written), following)
