"""The command `schedule` writes files that name this machine's Python and the chosen folder, and start a job."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from typer.testing import CliRunner

from atlas_stage.cli import app
from atlas_stage.cli.base import Exit
from atlas_stage.ops.jobs import JOBS

# What shells, cron and systemd take for signs of their own.
ODD = """ü at 5% & "more"; it's $5 for \\1 #2"""


@pytest.mark.parametrize("scheduler", ["windows", "cron", "systemd"])
def test_no_path_of_another_machine_is_left(tmp_path: Path, scheduler: str) -> None:
    folder = tmp_path / "at & work"
    done = CliRunner().invoke(app, ["schedule", scheduler, "--folder", str(folder)])
    assert done.exit_code == Exit.DONE, done.output
    for file in (each for each in folder.rglob("*") if each.is_file()):
        encoding = "utf-16" if file.suffix == ".xml" else "utf-8"
        text = file.read_text(encoding=encoding)
        assert "client-stage\\cron" not in text
        assert "/opt/atlas" not in text
        assert "ATLAS_HOME" not in text


def test_each_task_of_windows_starts_its_wrapper_without_a_window(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schedule", "windows", "--folder", str(tmp_path)])
    assert f"Get-ChildItem -LiteralPath '{tmp_path}' -Filter *.xml" in done.output.replace("\n", "")
    for job in JOBS:
        text = (tmp_path / f"{job}.xml").read_text(encoding="utf-16")
        assert escape(str(tmp_path)) in text
        assert f"{job}.py" in text
        assert escape(str(Path(sys.executable).with_name("pythonw.exe"))) in text


def test_a_line_of_the_crontab_runs_its_job(tmp_path: Path, fresh_dsn: str) -> None:
    folder = tmp_path / ODD
    CliRunner().invoke(app, ["schedule", "cron", "--folder", str(folder)])
    lines = (folder / "crontab").read_text().splitlines()
    (line,) = [each for each in lines if each.endswith("flag_seasonal.py")]
    command = line.split(maxsplit=5)[5]
    assert not re.search(r"(?<!\\)%", command)  # where cron ends a command
    environment = {**os.environ, "ATLAS_DATABASE_URL": fresh_dsn}
    subprocess.run(["sh", "-c", command.replace("\\%", "%")], check=True, env=environment)
    assert "done in" in (folder / "cron-flag_seasonal.log").read_text()


def test_a_unit_of_systemd_names_its_wrapper_in_any_folder(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    CliRunner().invoke(app, ["schedule", "systemd", "--folder", str(folder)])
    unit = dict(
        line.split("=", 1)
        for line in (folder / "atlas-job@.service").read_text().splitlines()
        if "=" in line
    )
    _, wrapper = shlex.split(unit["ExecStart"].replace("$$", "$").replace("%i", "flag_seasonal"))
    assert Path(wrapper.replace("%%", "%")) == folder / "flag_seasonal.py"
    assert unit["WorkingDirectory"].replace("%%", "%") == str(folder)


def test_a_folder_that_no_scheduler_can_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "two\nlines"
    done = CliRunner().invoke(app, ["schedule", "cron", "--folder", str(folder)])
    assert done.exit_code == Exit.USAGE
    assert not folder.exists()
