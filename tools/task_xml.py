"""Write the Task Scheduler files cron/windows/*.xml, as Windows exports them: UTF-16, CRLF.

    python tools/task_xml.py           write them
    python tools/task_xml.py --check   exit 1 where one is not what this program would write

The database decides whether a job is due; a task only has to start it often enough, which is every hour
of the days on which it may be due or be made up for. A start with nothing to do takes a moment.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).resolve().parent.parent / "cron" / "windows"
# Where the scripts are; install-tasks.ps1 puts the real folder in its place.
ROOT = r"C:\Atlas\client-stage"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip
DAILY = "<ScheduleByDay>\n        <DaysInterval>1</DaysInterval>\n      </ScheduleByDay>"


def monthly(*days: int) -> str:
    """On these days of each month; a month without such a day leaves it out."""
    day_lines = "\n".join(f"          <Day>{day}</Day>" for day in days)
    month_lines = "\n".join(f"          <{month} />" for month in MONTHS)
    return (
        "<ScheduleByMonth>\n"
        f"        <DaysOfMonth>\n{day_lines}\n        </DaysOfMonth>\n"
        f"        <Months>\n{month_lines}\n        </Months>\n"
        "      </ScheduleByMonth>"
    )


# job: (what it does, first start of the day, hourly for so long, the days, time limit)
TASKS = {
    "stage_autoroll_eom_open": (
        "Month-end: moves clients from weekly to eom_close on the last business day at 06:00. Started hourly from the"
        " 25th to the 5th: the database knows which day it is, and makes up for a missed one.",
        "06:01", "PT17H", monthly(*range(1, 6), *range(25, 32)), "PT4H",
    ),
    "flag_autoclear_advisory_due": (
        "Day 16: clears advisory_due. Started hourly from the 16th to the 21st, to make up for a missed day.",
        "00:11", "PT23H", monthly(*range(16, 22)), "PT1H",
    ),
    "stage_stuck_detector": (
        "Hourly: sets stuck where a client is longer in its stage than its SLA, and clears it elsewhere.",
        "00:01", "P1D", DAILY, "PT50M",
    ),
    "flag_sales_tax_due": (
        "Daily: sets sales_tax_due before a filing is due. Started hourly, to make up for a missed day.",
        "00:13", "PT23H", DAILY, "PT1H",
    ),
    "flag_seasonal": (
        "Daily: sets and clears the flags of the seasons. Started hourly, to make up for a missed day.",
        "00:15", "PT23H", DAILY, "PT1H",
    ),
}  # fmt: skip


def task(job: str) -> str:
    """The task of a job, its elements in the order of the published schema."""
    description, first, lasting, schedule, limit = TASKS[job]
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>Atlas Client Stage</Author>
    <Description>{escape(description)}</Description>
    <URI>\\Atlas\\{job}</URI>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>2025-01-01T{first}:00</StartBoundary>
      <Repetition>
        <Interval>PT1H</Interval>
        <Duration>{lasting}</Duration>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      {schedule}
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
    <ExecutionTimeLimit>{limit}</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{ROOT}\\.venv\\Scripts\\pythonw.exe</Command>
      <Arguments>"{ROOT}\\cron\\{job}.py"</Arguments>
      <WorkingDirectory>{ROOT}\\cron</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def content(job: str) -> bytes:
    """The bytes of the file: with a byte order mark, little-endian, CRLF."""
    return b"\xff\xfe" + task(job).replace("\n", "\r\n").encode("utf-16-le")


def main() -> int:
    """Write or check."""
    stale = []
    for job in TASKS:
        file = FOLDER / f"{job}.xml"
        if "--check" in sys.argv[1:]:
            if not file.is_file() or file.read_bytes() != content(job):
                stale.append(file.name)
        else:
            file.write_bytes(content(job))
    if stale:
        print(f"run tools/task_xml.py: {', '.join(stale)} changed", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
