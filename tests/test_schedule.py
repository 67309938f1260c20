"""The command `schedule` writes files that name this machine's Python and the chosen folder, and start a job."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from typer.testing import CliRunner

from atlas_stage.cli import app
from atlas_stage.cli.base import Exit
from atlas_stage.ops.jobs import JOBS


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
    assert f"Get-ChildItem '{tmp_path}{os.sep}*.xml'" in done.output.replace("\n", "")
    for job in JOBS:
        text = (tmp_path / f"{job}.xml").read_text(encoding="utf-16")
        assert escape(str(tmp_path)) in text
        assert f"{job}.py" in text
        assert escape(str(Path(sys.executable).with_name("pythonw.exe"))) in text


def test_a_line_of_the_crontab_runs_its_job(tmp_path: Path, fresh_dsn: str) -> None:
    CliRunner().invoke(app, ["schedule", "cron", "--folder", str(tmp_path)])
    lines = (tmp_path / "crontab").read_text().splitlines()
    (line,) = [each for each in lines if each.endswith("flag_seasonal.py")]
    environment = {**os.environ, "ATLAS_DATABASE_URL": fresh_dsn, "ATLAS_LOG_DIR": str(tmp_path)}
    subprocess.run(line.split(maxsplit=5)[5].split(), check=True, env=environment)
    assert "done in" in (tmp_path / "cron-flag_seasonal.log").read_text()
