"""Write the Task Scheduler files cron/windows/*.xml, as Windows exports them: UTF-16, CRLF.

    python tools/task_xml.py           write them
    python tools/task_xml.py --check   exit 1 where one is not what this program would write

The database decides whether a job is due; a task only has to start it often enough, which is every hour
of every day: no day on which it may be due stands here. A start with nothing to do takes a moment.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

FOLDER = Path(__file__).resolve().parent.parent / "cron" / "windows"
# Where the scripts are; `atlas-stage schedule` puts the real folder in its place.
ROOT = r"C:\Atlas\client-stage"
DAYS = "<ScheduleByDay>\n        <DaysInterval>1</DaysInterval>\n      </ScheduleByDay>"

# job: (what it does, the first start after midnight, time limit)
TASKS = {
    "stage_autoroll_eom_open": (
        "Month-end: moves clients from weekly to eom_close on the last business day at 06:00.",
        "00:01",
        "PT4H",
    ),
    "flag_autoclear_advisory_due": ("Day 16: clears advisory_due.", "00:11", "PT1H"),
    "stage_stuck_detector": (
        "Hourly: sets stuck where a client is longer in its stage than its SLA, and clears it elsewhere.",
        "00:01",
        "PT50M",
    ),
    "flag_sales_tax_due": ("Daily: sets sales_tax_due before a filing is due.", "00:13", "PT1H"),
    "flag_seasonal": ("Daily: sets and clears the flags of the seasons.", "00:15", "PT1H"),
}
HOURLY = "Started every hour of every day: the database knows when it is due, and makes up for what was missed."


def task(job: str) -> str:
    """The task of a job, its elements in the order of the published schema."""
    description, first, limit = TASKS[job]
    return f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>Atlas Client Stage</Author>
    <Description>{escape(description)} {HOURLY}</Description>
    <URI>\\Atlas\\{job}</URI>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <Enabled>true</Enabled>
      <StartBoundary>2025-01-01T{first}:00</StartBoundary>
      <Repetition>
        <Interval>PT1H</Interval>
        <Duration>P1D</Duration>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      {DAYS}
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
