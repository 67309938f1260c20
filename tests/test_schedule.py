"""`atlas-stage schedule` writes files that name this machine's Python and the chosen folder, and start the jobs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import psycopg
import pytest
from click.testing import Result
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner

from atlas_stage.cli import app
from atlas_stage.cli.base import Exit
from tests.support.jobs import JOBS

# Characters that shells, cron and systemd treat specially.
ODD = """ü at 5% & "more"; it's $5 for \\1 #2"""


def schedule(dsn: str, scheduler: str, folder: Path) -> Result:
    words = ["--database", dsn, "schedule", scheduler, "--folder", str(folder)]
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize("scheduler", ["windows", "cron", "systemd", "pg_cron"])
def test_it_writes_a_wrapper_per_job_and_one_for_all(dsn: str, tmp_path: Path, scheduler: str) -> None:
    done = schedule(dsn, scheduler, tmp_path / "at & work")
    assert done.exit_code == Exit.DONE, done.output
    written = {file.name for file in (tmp_path / "at & work").iterdir()}
    assert written >= {f"{job}.py" for job in (*JOBS, "hourly")}


def test_a_new_row_of_the_catalog_is_a_job_of_every_scheduler(fresh_dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(fresh_dsn) as db:
        row = db.execute("select pg_get_functiondef('jobs.catalog(text)'::regprocedure)").fetchone()
        assert row is not None
        new = "('flag_new', 'daily', null, null, array['stuck'], 'a new job'),"
        db.execute(row[0].replace("lateral (values", f"lateral (values {new}"))
    for scheduler, file in {
        "windows": "flag_new.xml",
        "cron": "crontab",
        "systemd": "flag_new.py",
        "pg_cron": "pg_cron.sql",
    }.items():
        done = schedule(fresh_dsn, scheduler, tmp_path)
        assert done.exit_code == Exit.DONE, done.output
        encoding = "utf-16" if file.endswith(".xml") else "utf-8"
        assert "flag_new" in (tmp_path / file).read_text(encoding=encoding)


def test_the_next_step_of_cron_keeps_the_users_lines(dsn: str, tmp_path: Path) -> None:
    said = schedule(dsn, "cron", tmp_path / "jobs").output.splitlines()[-1]
    crontab = tmp_path / "crontab"  # a program that keeps its table in a file
    crontab.write_text('#!/bin/sh\n[ "$1" = -l ] && exec cat "$0.table"\ncat >"$0.new"; mv "$0.new" "$0.table"\n')
    crontab.chmod(0o755)
    (tmp_path / "crontab.table").write_text("0 1 * * * backup\n")
    line = said[said.index("(crontab") :]
    subprocess.run(["sh", "-c", line], check=True, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    kept, *ours = (tmp_path / "crontab.table").read_text().splitlines(keepends=True)
    assert kept == "0 1 * * * backup\n"
    assert "".join(ours) == (tmp_path / "jobs" / "crontab").read_text()


def test_the_next_step_of_pg_cron_names_the_database_and_the_login(dsn: str, tmp_path: Path) -> None:
    said = schedule(dsn, "pg_cron", tmp_path).output.splitlines()[-1]
    with psycopg.connect(dsn) as db:
        name = db.info.dbname
    address = conninfo_to_dict(shlex.split(said[said.index("psql") :])[1])
    assert (address["dbname"], address["user"], "password" in address) == (name, "atlas_cron", False)


def test_each_task_of_windows_starts_its_wrapper_without_a_window(dsn: str, tmp_path: Path) -> None:
    done = schedule(dsn, "windows", tmp_path)
    assert f"-LiteralPath '{tmp_path}/hourly.xml'" in done.output.replace("\n", "")
    for job in (*JOBS, "hourly"):
        text = (tmp_path / f"{job}.xml").read_text(encoding="utf-16")
        assert escape(str(tmp_path)) in text
        assert f"{job}.py" in text
        assert escape(str(Path(sys.executable).with_name("pythonw.exe"))) in text


@pytest.mark.parametrize("name", ["hourly", "flag_seasonal"])
def test_a_line_of_the_crontab_runs_the_job(fresh_dsn: str, tmp_path: Path, name: str) -> None:
    folder = tmp_path / ODD
    schedule(fresh_dsn, "cron", folder)
    lines = (folder / "crontab").read_text().splitlines()
    (line,) = [each.removeprefix("# ") for each in lines if each.endswith(f"{name}.py'")]
    command = line.split(maxsplit=5)[5]
    assert not re.search(r"(?<!\\)%", command)  # cron ends a command there
    environment = {**os.environ, "ATLAS_DATABASE_URL": fresh_dsn}
    subprocess.run(["sh", "-c", command.replace("\\%", "%")], check=True, env=environment)
    assert "done in" in (folder / "cron-flag_seasonal.log").read_text()


def test_a_unit_of_systemd_names_its_wrapper_in_any_folder(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / ODD
    schedule(dsn, "systemd", folder)
    unit = dict(line.split("=", 1) for line in (folder / "atlas-job@.service").read_text().splitlines() if "=" in line)
    _, wrapper = shlex.split(unit["ExecStart"].replace("$$", "$").replace("%i", "flag_seasonal"))
    assert Path(wrapper.replace("%%", "%")) == folder / "flag_seasonal.py"
    assert unit["WorkingDirectory"].replace("%%", "%") == str(folder)


def test_what_pg_cron_is_given_runs_each_job(fresh_dsn: str, tmp_path: Path) -> None:
    schedule(fresh_dsn, "pg_cron", tmp_path)
    commands = re.findall(r"\$\$(.+)\$\$", (tmp_path / "pg_cron.sql").read_text())
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        for command in commands:
            db.execute(command)
        started = {row[0] for row in db.execute("select job from job_locks").fetchall()}
    assert started == set(JOBS)


def test_a_folder_that_no_scheduler_can_read_is_refused(dsn: str, tmp_path: Path) -> None:
    folder = tmp_path / "two\nlines"
    done = schedule(dsn, "cron", folder)
    assert done.exit_code == Exit.USAGE
    assert not folder.exists()


def test_a_database_without_the_catalog_is_refused_in_one_line(empty_dsn: str, tmp_path: Path) -> None:
    done = schedule(empty_dsn, "cron", tmp_path / "jobs")
    assert done.exit_code == Exit.UNAVAILABLE
    assert not (tmp_path / "jobs").exists()
