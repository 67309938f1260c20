"""The files with which a scheduler starts the jobs of `jobs.catalog()`.

These are a wrapper per job, `hourly.py` for all of them, and what Task Scheduler, cron, systemd and pg_cron read.
A scheduler starts them every hour of every day. The database decides which jobs are due, so no file has a date.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from xml.sax.saxutils import escape

from atlas_stage.errors import InvalidInput

HOURLY = "hourly"
_ABOUT_HOURLY = "runs every job that is due, one after the other"


@dataclass(frozen=True)
class Place:
    """Where the jobs run: the folder of the wrappers, their settings and logs, and the Python that starts them."""

    folder: PurePath
    python: PurePath

    def __post_init__(self) -> None:
        if not f"{self.folder}{self.python}".isprintable():
            raise InvalidInput(
                "The folder's name has a control character, which schedulers can't read. Choose another folder."
            )


def write(scheduler: str, jobs: Mapping[str, str], place: Place, folder: Path) -> list[Path]:
    """Write the wrappers and the scheduler's files into `folder`. Raises InvalidInput if it can't be written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (wrappers(jobs) | FILES[scheduler](jobs, place)).items():
            (folder / name).write_bytes(content)
            written.append(folder / name)
    except OSError as error:
        raise InvalidInput(f"Can't write to {folder}: {error.strerror}.") from error
    return written


def wrappers(jobs: Mapping[str, str]) -> dict[str, bytes]:
    """A wrapper per job, from the jobs' descriptions by name, and `hourly.py`."""
    made = {
        f"{job}.py": _wrapper(job, about, "", "main", f'main("{job}")')
        for job, about in jobs.items()
    }
    usage = (
        f"    python {HOURLY}.py           once\n"
        f"    python {HOURLY}.py --stay    one minute past every hour, until SIGTERM or Ctrl-C\n\n"
    )
    call = 'hourly(stay="--stay" in sys.argv[1:])'
    return {**made, f"{HOURLY}.py": _wrapper(HOURLY, _ABOUT_HOURLY, usage, "hourly", call)}


def _wrapper(name: str, about: str, usage: str, function: str, call: str) -> bytes:
    return f'''"""{_sentence(about)}

{usage}Exit code: 0 done or nothing to do, 1 failed, 2 could not start. Log: cron-{name}.log.
"""

import logging
import sys
import tempfile

try:
    from atlas_stage.ops.scheduled import {function}
except ImportError:
    # pythonw can't show a traceback, so it goes to the temporary folder too.
    file = logging.FileHandler(f"{{tempfile.gettempdir()}}/cron-{name}.log")
    logging.basicConfig(format="%(asctime)s %(message)s", handlers=[file, logging.StreamHandler()])
    logging.exception("could not start: %s lacks a package", sys.executable)
    sys.exit(2)

sys.exit({call})
'''.encode()


def _windows(jobs: Mapping[str, str], place: Place) -> dict[str, bytes]:
    """Task Scheduler's files, as Windows exports them: UTF-16 with a byte order mark, CRLF."""
    tasks = {HOURLY: _ABOUT_HOURLY, **jobs}
    return {
        f"{name}.xml": _task(name, about, minute, place).replace("\n", "\r\n").encode("utf-16")
        for (name, about), minute in zip(tasks.items(), (1, *_minutes(jobs)), strict=True)
    }


def _minutes(jobs: Mapping[str, str]) -> list[int]:
    """The minute at which each job starts, so that separate starts don't wait for each other's clients."""
    return [(1 + 2 * place) % 60 for place in range(len(jobs))]


def _task(name: str, about: str, minute: int, place: Place) -> str:
    """The elements are in the order of the published schema (version 1.2)."""
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>Atlas Client Stage</Author>
    <Description>{escape(_sentence(about))} Started every hour: the database decides what is due.</Description>
    <URI>\\Atlas\\{name}</URI>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>2025-01-01T00:{minute:02}:00</StartBoundary>
      <Repetition>
        <Interval>PT1H</Interval>
        <Duration>P1D</Duration>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <ScheduleByDay>
        <DaysInterval>1</DaysInterval>
      </ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>S4U</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT4H</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{escape(str(place.python))}</Command>
      <Arguments>"{escape(str(place.folder / f"{name}.py"))}"</Arguments>
      <WorkingDirectory>{escape(str(place.folder))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def _cron(jobs: Mapping[str, str], place: Place) -> dict[str, bytes]:
    def word(path: PurePath) -> str:
        # The shell reads it, and cron ends the command at a % without a backslash.
        return shlex.quote(str(path)).replace("%", "\\%")

    def line(name: str, minute: int = 1) -> str:
        return f"{minute} * * * * {word(place.python)} {word(place.folder / f'{name}.py')}\n"

    text = (
        "# The crontab of the user that runs the jobs. This line starts every job that is due.\n"
        "# Name the database in atlas-stage.toml beside the wrappers (mode 600), not here.\n"
        f"{line(HOURLY)}\n"
        "# To start each job separately, use these lines instead:\n"
        + "".join(f"# {line(*each)}" for each in zip(jobs, _minutes(jobs), strict=True))
    )
    return {"crontab": text.encode()}


def _systemd(_jobs: Mapping[str, str], place: Place) -> dict[str, bytes]:
    def word(path: PurePath) -> str:
        # systemd expands % and $ in a command.
        escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
        return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'

    folder = str(place.folder).replace("%", "%%")  # WorkingDirectory takes no quotes
    wrapper = word(place.folder / "NAME.py").replace("NAME.py", "%i.py")
    service = f"""# The wrapper %i: atlas-job@hourly.service runs every job that is due.
[Unit]
Description=Atlas client stage: %i
After=network-online.target postgresql.service

[Service]
Type=oneshot
User=atlas
WorkingDirectory={folder}
EnvironmentFile=-/etc/atlas/client-stage.env
ExecStart={word(place.python)} {wrapper}
TimeoutStartSec=4h
"""
    timer = f"""# systemctl enable --now atlas-job@{HOURLY}.timer
# A start that was missed is made up for when the machine boots.
[Unit]
Description=Atlas client stage: %i, hourly

[Timer]
OnCalendar=*-*-* *:01:00
RandomizedDelaySec=30
Persistent=true

[Install]
WantedBy=timers.target
"""
    return {"atlas-job@.service": service.encode(), "atlas-job@.timer": timer.encode()}


def _pg_cron(jobs: Mapping[str, str], _place: Place) -> dict[str, bytes]:
    from atlas_stage.ops.jobs import PERFORM  # psycopg, which --help need not wait for

    text = (
        "-- For the extension pg_cron, in the database that cron.database_name names.\n"
        "-- In any other database, use cron.schedule_in_database. The jobs run as the role that schedules them:\n"
        "-- use atlas_cron. To stop one: select cron.unschedule('flag_seasonal');\n"
    )
    for job, minute in zip(jobs, _minutes(jobs), strict=True):
        text += f"select cron.schedule('{job}', '{minute} * * * *', $$call {PERFORM}('{job}')$$);\n"
    return {"pg_cron.sql": text.encode()}


FILES = {"windows": _windows, "cron": _cron, "systemd": _systemd, "pg_cron": _pg_cron}


def _sentence(about: str) -> str:
    return about[:1].upper() + about[1:] + "."
