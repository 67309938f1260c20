"""cron/ is what `atlas-stage schedule` writes for the catalog, and Windows would import its tasks: they are checked
against facts of the published schema."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from atlas_stage.ops.jobs import Jobs
from tests.support.jobs import JOBS
from tools import cron_files

CRON = cron_files.CRON
NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"

# Facts of the Task Scheduler schema 1.2, for the elements that we use.
# xs:sequence: the children, each at most once, in this order.
SEQUENCES = {
    "CalendarTrigger": [
        "Enabled",
        "StartBoundary",
        "EndBoundary",
        "Repetition",
        "ExecutionTimeLimit",  # of every trigger
        "RandomDelay",
        "ScheduleByDay",
        "ScheduleByMonth",
    ],
    "ScheduleByDay": ["DaysInterval"],
    "Months": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
# xs:all: the children, each at most once, in any order.
ALLS = {
    "Task": {"RegistrationInfo", "Triggers", "Settings", "Data", "Principals", "Actions"},
    "RegistrationInfo": {
        "URI",
        "SecurityDescriptor",
        "Source",
        "Date",
        "Author",
        "Version",
        "Description",
        "Documentation",
    },
    "Repetition": {"Interval", "Duration", "StopAtDurationEnd"},
    "ScheduleByMonth": {"DaysOfMonth", "Months"},
    "Principal": {"UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"},
    "Settings": {
        "AllowStartOnDemand",
        "RestartOnFailure",
        "MultipleInstancesPolicy",
        "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries",
        "AllowHardTerminate",
        "StartWhenAvailable",
        "NetworkProfileName",
        "RunOnlyIfNetworkAvailable",
        "WakeToRun",
        "Enabled",
        "Hidden",
        "DeleteExpiredTaskAfter",
        "IdleSettings",
        "NetworkSettings",
        "ExecutionTimeLimit",
        "Priority",
        "RunOnlyIfIdle",
    },
    "Exec": {"Command", "Arguments", "WorkingDirectory"},
}
# Children that may be repeated.
LISTS = {
    "Triggers": {"CalendarTrigger"},
    "Principals": {"Principal"},
    "Actions": {"Exec"},
    "DaysOfMonth": {"Day"},
}
DURATION = r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?"
BOOLEAN = r"true|false"
LEAVES = {
    "Enabled": BOOLEAN,
    "StopAtDurationEnd": BOOLEAN,
    "DisallowStartIfOnBatteries": BOOLEAN,
    "StopIfGoingOnBatteries": BOOLEAN,
    "AllowHardTerminate": BOOLEAN,
    "StartWhenAvailable": BOOLEAN,
    "RunOnlyIfNetworkAvailable": BOOLEAN,
    "AllowStartOnDemand": BOOLEAN,
    "Hidden": BOOLEAN,
    "RunOnlyIfIdle": BOOLEAN,
    "WakeToRun": BOOLEAN,
    "StartBoundary": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
    "Interval": DURATION,
    "Duration": DURATION,
    "ExecutionTimeLimit": DURATION,
    "DaysInterval": r"\d{1,3}",
    "Day": r"[1-9]|[12]\d|3[01]|Last",
    "LogonType": r"S4U|Password|InteractiveToken|InteractiveTokenOrPassword",
    "RunLevel": r"LeastPrivilege|HighestAvailable",
    "MultipleInstancesPolicy": r"Parallel|Queue|IgnoreNew|StopExisting",
    "Priority": r"\d|10",
    "URI": r"\\.+",
    "Author": r".+",
    "Description": r".+",
    "Command": r".+",
    "Arguments": r".+",
    "WorkingDirectory": r".+",
    **dict.fromkeys(SEQUENCES["Months"], ""),
}


def task_of(job: str) -> ET.Element:
    return ET.fromstring((CRON / "windows" / f"{job}.xml").read_bytes())


def name_of(element: ET.Element) -> str:
    namespace, _, name = element.tag.removeprefix("{").partition("}")
    assert namespace == NAMESPACE
    return name


def faults(element: ET.Element) -> list[str]:
    """What the schema would not take, here and below."""
    name, children = name_of(element), [name_of(child) for child in element]
    found = [fault for child in element for fault in faults(child)]
    if name in LISTS:
        wrong = not children or not set(children) <= LISTS[name]
    elif name in ALLS:
        wrong = not set(children) <= ALLS[name] or len(set(children)) < len(children)
    elif name in SEQUENCES:
        places = [SEQUENCES[name].index(each) if each in SEQUENCES[name] else -1 for each in children]
        wrong = -1 in places or places != sorted(set(places))
    elif name in LEAVES:
        wrong = bool(children) or re.fullmatch(LEAVES[name], element.text or "") is None
    else:
        wrong = True
    return [*found, f"{name}: {element.text!r} {children}"] if wrong else found


def find(task: ET.Element, path: str) -> str:
    found = task.find("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/")))
    assert found is not None, path
    return found.text or ""


@pytest.mark.parametrize("job", [*JOBS, "hourly", "watch"])
class TestTask:
    def test_is_utf_16_as_windows_exports_it(self, job: str) -> None:
        content = (CRON / "windows" / f"{job}.xml").read_bytes()
        assert content.startswith(b"\xff\xfe")
        text = content.decode("utf-16")
        assert text.startswith('<?xml version="1.0" encoding="UTF-16"?>\r\n')
        assert text.count("\n") == text.count("\r\n")

    def test_keeps_to_the_schema(self, job: str) -> None:
        task = task_of(job)
        assert task.get("version") == "1.2"
        assert faults(task) == []

    def test_its_actions_run_as_its_principal(self, job: str) -> None:
        principal = task_of(job).find(f".//{{{NAMESPACE}}}Principal")
        actions = task_of(job).find(f"{{{NAMESPACE}}}Actions")
        assert principal is not None
        assert actions is not None
        assert principal.get("id") == actions.get("Context")

    def test_makes_up_for_a_missed_start_never_runs_twice_and_ends_in_time(self, job: str) -> None:
        task = task_of(job)
        assert find(task, "Settings/StartWhenAvailable") == "true"
        assert find(task, "Settings/MultipleInstancesPolicy") == "IgnoreNew"
        has_end = find(task, "Settings/ExecutionTimeLimit") not in ("", "PT0S")
        assert has_end is (job != "watch")  # notices are posted until it is stopped
        assert find(task, "Principals/Principal/LogonType") == "S4U"  # no window, no password
        assert find(task, "Actions/Exec/Command").endswith("pythonw.exe")

    def test_runs_the_jobs_wrapper(self, job: str) -> None:
        assert find(task_of(job), "Actions/Exec/Arguments").endswith(rf'\cron\{job}.py"')
        assert (CRON / f"{job}.py").is_file()

    def test_is_started_every_hour_of_every_day(self, job: str) -> None:
        task = task_of(job)
        repetition = "Triggers/CalendarTrigger/Repetition"
        assert find(task, f"{repetition}/Interval") == "PT1H"
        assert find(task, f"{repetition}/Duration") == "P1D"

    def test_names_no_day(self, job: str) -> None:
        trigger = task_of(job).find(f".//{{{NAMESPACE}}}CalendarTrigger")
        assert trigger is not None
        days = [name_of(each) for each in trigger if name_of(each).startswith("Schedule")]
        assert days == ["ScheduleByDay"]
        assert find(task_of(job), "Triggers/CalendarTrigger/ScheduleByDay/DaysInterval") == "1"


@pytest.mark.parametrize(
    "broken",
    [
        ("<Enabled>true</Enabled>\r\n      <StartBoundary>", "<StartBoundary>"),
        ("PT1H", "1 hour"),
        ("IgnoreNew", "ignore"),
        ("<DaysInterval>1</DaysInterval>", "<DaysInterval>daily</DaysInterval>"),
        ("<WakeToRun>", "<Nonsense/><WakeToRun>"),
        ("<ScheduleByDay>", "<ScheduleByDay><January/>"),
        ("Triggers>", "Trigger>"),
    ],
)
def test_a_broken_task_is_found(broken: tuple[str, str]) -> None:
    text = (CRON / "windows" / "stage_autoroll_eom_open.xml").read_text(encoding="utf-16")
    text = text.replace("\n", "\r\n") if "\r\n" not in text else text
    before, after = broken
    if before.startswith("<Enabled>"):  # the wrong order
        after = before.replace("<Enabled>true</Enabled>\r\n      ", "")
        text = text.replace("</StartBoundary>", "</StartBoundary><Enabled>true</Enabled>", 1)
    assert before in text
    damaged = text.replace(before, after, -1 if before == "Triggers>" else 1)
    assert faults(ET.fromstring(damaged.split("?>", 1)[1].strip())) != []


def test_the_files_are_what_the_program_writes_for_the_catalog(dsn: str) -> None:
    with Jobs(dsn) as jobs:
        known = {each["job"]: each["description"] for each in jobs.catalog()}
    assert set(known) == set(JOBS)
    files = cron_files.files(known)
    stale = [name for name, content in files.items() if (CRON / name).read_bytes() != content]
    assert stale == [], "run tools/cron_files.py"
    wrappers = {file.name for file in CRON.glob("*.py")}
    assert wrappers == {f"{job}.py" for job in (*JOBS, "hourly", "watch")}


def test_every_schedule_starts_every_hour_of_every_day() -> None:
    crontab = (CRON / "crontab").read_text()
    assert len(re.findall(r"^\d+ \* \* \* \* \S+ \S+hourly\.py$", crontab, re.MULTILINE)) == 1
    assert len(re.findall(r"^# \d+ \* \* \* \* \S+ \S+\.py$", crontab, re.MULTILINE)) == len(JOBS)
    times = re.findall(r"cron\.schedule\('\w+', '([^']+)'", (CRON / "pg_cron.sql").read_text())
    assert times.pop() == "13 5 * * *"  # the trial, once a day
    assert len(times) == len(JOBS)
    assert all(re.fullmatch(r"\d+ \* \* \* \*", each) for each in times)
    timer = (CRON / "systemd" / "atlas-job@.timer").read_text()
    assert re.search(r"^OnCalendar=\*-\*-\* \*:\d\d:00$", timer, re.MULTILINE)
