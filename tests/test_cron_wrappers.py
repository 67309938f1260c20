"""The wrappers that a scheduler starts: exit codes, logs, and what happens when something can't be reached."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from atlas_stage.errors import InvalidInput
from atlas_stage.ops import scheduled
from tests.support.calls import make_client
from tests.support.cases import rare_except
from tests.support.jobs import JOBS

CRON = Path(__file__).parents[1] / "cron"
NOBODY = "postgresql://127.0.0.1:1/nowhere?connect_timeout=2"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ATLAS_DATABASE_URL", "ATLAS_CONFIG", "ATLAS_LOG_DIR", "ATLAS_JOB_TRIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def start(job: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start a wrapper as a scheduler does: from some other folder."""
    return subprocess.run(
        [sys.executable, CRON / f"{job}.py", *arguments],
        env={**os.environ, "PYTHONPATH": str(CRON.parent), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def log_of(folder: Path, job: str) -> list[str]:
    return (folder / f"cron-{job}.log").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("job", rare_except([JOBS[0]], JOBS))  # they differ in the name only
def test_runs_what_is_due_once_and_logs_a_line_an_event(job: str, fresh_dsn: str, tmp_path: Path) -> None:
    environment = {"ATLAS_DATABASE_URL": fresh_dsn, "ATLAS_LOG_DIR": str(tmp_path / "logs")}
    for _ in range(2):
        done = start(job, **environment)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = log_of(tmp_path / "logs", job)
    assert len(lines) == 2
    form = rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d{{4}} {job} INFO .*due \S+: (done in|nothing to do)"
    assert all(re.match(form, line) for line in lines), lines
    assert "nothing to do" in lines[1]


def test_a_run_that_fails_is_exit_1_and_says_so_to_cron(fresh_dsn: str, tmp_path: Path) -> None:
    job = "flag_sales_tax_due"
    with psycopg.connect(fresh_dsn) as db:
        db.execute("alter table clients add constraint no_flags check (flags = '{}')")
        db.execute("update stage_settings set sales_tax_due_day = 1, sales_tax_lead_days = 0")
        client = make_client(db, schedule="monthly")
    done = start(job, ATLAS_DATABASE_URL=fresh_dsn, ATLAS_LOG_DIR=str(tmp_path))
    assert done.returncode == 1
    assert " ERROR " in done.stderr
    line = log_of(tmp_path, job)[-1]
    assert " ERROR " in line
    assert f"failed 1, client {client}: host_constraint: no_flags" in line


def test_a_database_that_is_away_is_tried_again_and_then_exit_2(tmp_path: Path) -> None:
    done = start("flag_seasonal", ATLAS_DATABASE_URL=NOBODY, ATLAS_LOG_DIR=str(tmp_path), ATLAS_JOB_TRIES="2")
    assert done.returncode == 2
    waited, gave_up = log_of(tmp_path, "flag_seasonal")
    assert "WARNING can't reach the database, next try in 2 s" in waited
    assert "ERROR could not start" in gave_up


def test_an_empty_database_is_exit_2_without_waiting(empty_dsn: str, tmp_path: Path) -> None:
    done = start("flag_seasonal", ATLAS_DATABASE_URL=empty_dsn, ATLAS_LOG_DIR=str(tmp_path))
    assert done.returncode == 2
    (line,) = log_of(tmp_path, "flag_seasonal")
    assert "could not start" in line


def test_no_database_named_is_exit_2(tmp_path: Path) -> None:
    done = start("flag_seasonal", ATLAS_LOG_DIR=str(tmp_path))
    assert done.returncode == 2
    assert "ATLAS_DATABASE_URL" in done.stderr


@pytest.mark.parametrize(("wrapper", "argument"), [("flag_seasonal", "--dry-run"), ("hourly", "--sty"), ("watch", "x")])
def test_an_argument_that_it_does_not_know_starts_nothing(
    wrapper: str, argument: str, fresh_dsn: str, tmp_path: Path
) -> None:
    done = start(wrapper, argument, ATLAS_DATABASE_URL=fresh_dsn, ATLAS_LOG_DIR=str(tmp_path))
    assert done.returncode == 2
    (line,) = log_of(tmp_path, wrapper)
    assert f"could not start: unknown argument {argument}" in line
    with psycopg.connect(fresh_dsn) as db:
        assert db.execute("select count(*) from job_runs").fetchone() == (0,)


def test_a_setting_that_it_does_not_know_is_in_the_log(fresh_dsn: str, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text("log_folder = 'logs'")
    where = {"ATLAS_DATABASE_URL": fresh_dsn, "ATLAS_LOG_DIR": str(tmp_path), "ATLAS_CONFIG": str(config)}
    assert start("flag_seasonal", **where).returncode == 0
    told, ran = log_of(tmp_path, "flag_seasonal")
    assert "WARNING the settings file has no setting log_folder" in told
    assert " INFO " in ran


def test_a_password_is_not_logged(tmp_path: Path) -> None:
    url = "postgresql://someone:s3cret@127.0.0.1:1/x?connect_timeout=2"
    done = start("flag_seasonal", ATLAS_DATABASE_URL=url, ATLAS_LOG_DIR=str(tmp_path), ATLAS_JOB_TRIES="1")
    assert "s3cret" not in done.stderr + "".join(log_of(tmp_path, "flag_seasonal"))


def test_all_of_them_after_each_other(fresh_dsn: str, tmp_path: Path) -> None:
    done = start("hourly", ATLAS_DATABASE_URL=fresh_dsn, ATLAS_LOG_DIR=str(tmp_path), ATLAS_LOG_STDOUT="1")
    assert done.returncode == 0
    assert [job for job in JOBS if job not in done.stdout] == []
    (line,) = log_of(tmp_path, "hourly")
    assert " INFO starts " in line
    assert all(len(log_of(tmp_path, job)) == 1 for job in JOBS)


def test_all_of_them_end_with_the_worst_exit_code(fresh_dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(fresh_dsn) as db:
        db.execute("drop function jobs.flag_seasonal(timestamptz, timestamptz, bigint[])")
    done = start("hourly", ATLAS_DATABASE_URL=fresh_dsn, ATLAS_LOG_DIR=str(tmp_path))
    assert done.returncode == 1
    others = [job for job in JOBS if job != "flag_seasonal"]
    assert all(" INFO " in log_of(tmp_path, job)[-1] for job in others)
    assert " ERROR " in log_of(tmp_path, "flag_seasonal")[-1]


def test_all_of_them_without_a_database_is_one_log_and_exit_2(tmp_path: Path) -> None:
    done = start("hourly", ATLAS_DATABASE_URL=NOBODY, ATLAS_LOG_DIR=str(tmp_path), ATLAS_JOB_TRIES="1")
    assert done.returncode == 2
    assert "ERROR could not start" in log_of(tmp_path, "hourly")[-1]
    assert [file.name for file in tmp_path.iterdir()] == ["cron-hourly.log"]


def test_one_that_stays_ends_when_it_is_told_to(fresh_dsn: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(CRON.parent),
        "ATLAS_DATABASE_URL": fresh_dsn,
        "ATLAS_LOG_DIR": str(tmp_path),
        "ATLAS_LOG_STDOUT": "1",
    }
    command = [sys.executable, CRON / "hourly.py", "--stay"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as staying:
        assert staying.stdout is not None
        assert any("flag_seasonal INFO" in line for line in staying.stdout)
        staying.terminate()
        assert staying.wait(30) == 0


class TestSettings:
    def test_the_file_beside_the_wrapper_is_read(self, tmp_path: Path) -> None:
        (tmp_path / scheduled.CONFIG_NAME).write_text(
            'database_url = "postgresql:///atlas"\nlog_dir = "logs"\ntries = 9\n'
        )
        found = scheduled.Settings(tmp_path)
        assert (found.database_url, found.log_dir, found.tries) == (
            "postgresql:///atlas",
            Path("logs"),
            9,
        )

    def test_the_environment_goes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / scheduled.CONFIG_NAME).write_text('database_url = "postgresql:///file"\n')
        monkeypatch.setenv("ATLAS_DATABASE_URL", "postgresql:///environment")
        assert scheduled.Settings(tmp_path).database_url == "postgresql:///environment"

    @pytest.mark.parametrize("text", ["database_url = ", "database_url = 5", 'tries = "x"', "", "\xff"])
    def test_a_file_that_says_nothing_is_told(self, tmp_path: Path, text: str) -> None:
        (tmp_path / scheduled.CONFIG_NAME).write_bytes(text.encode("latin-1"))
        with pytest.raises(InvalidInput):
            _ = scheduled.Settings(tmp_path).database_url

    def test_a_file_that_is_named_must_be_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ATLAS_CONFIG", str(tmp_path / "missing.toml"))
        with pytest.raises(InvalidInput, match=r"missing\.toml"):
            _ = scheduled.Settings(tmp_path).database_url


class TestLog:
    def test_it_rotates(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scheduled, "_LOG_BYTES", 2000)
        with scheduled.job_log("flag_seasonal", tmp_path) as log:
            for number in range(400):
                log.info("line %d", number)
        files = sorted(file.name for file in tmp_path.iterdir())
        assert files == [
            "cron-flag_seasonal.log",
            *(f"cron-flag_seasonal.log.{n}" for n in range(1, 6)),
        ]
        assert log_of(tmp_path, "flag_seasonal")[-1].endswith("line 399")

    def test_a_log_that_cannot_be_rotated_continues(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_names: object) -> None:
            raise PermissionError("another process has it open")

        monkeypatch.setattr(scheduled, "_LOG_BYTES", 500)
        with scheduled.job_log("flag_seasonal", tmp_path) as log:
            log.info("line 0")
            monkeypatch.setattr(os, "rename", refuse)
            for number in range(1, 50):
                log.info("line %d", number)
        assert log_of(tmp_path, "flag_seasonal")[-1].endswith("line 49")


class TestLogThatCannotBeWritten:
    """The job runs all the same. Stderr says that the log can't be written, and the temporary folder has the log."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "logs"
        folder.mkdir()
        return folder

    def runs(self, dsn: str, folder: Path, tmp_path: Path, *command: str) -> str:
        """Start the job with its log in `folder`; what it said on stderr."""
        temporary = tmp_path / "temporary"
        temporary.mkdir()
        done = subprocess.run(
            [*command, sys.executable, CRON / "flag_seasonal.py"],
            env={
                **os.environ,
                "PYTHONPATH": str(CRON.parent),
                "ATLAS_DATABASE_URL": dsn,
                "ATLAS_LOG_DIR": str(folder),
                "TMPDIR": str(temporary),
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        with psycopg.connect(dsn) as db:
            assert db.execute("select job, outcome from job_runs").fetchall() == [("flag_seasonal", "done")]
        told, ran = log_of(temporary, "flag_seasonal")
        assert f"ERROR can't write the log {folder}/cron-flag_seasonal.log" in told
        assert " INFO run " in ran
        assert done.stderr.splitlines() == [told]
        return done.stderr

    def test_missing_folder_that_cannot_be_made(self, fresh_dsn: str, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        said = self.runs(fresh_dsn, tmp_path / "file" / "logs", tmp_path)
        assert "Not a directory" in said

    def test_full_disk_at_write(self, fresh_dsn: str, folder: Path, tmp_path: Path) -> None:
        (folder / "cron-flag_seasonal.log").symlink_to("/dev/full")
        assert "No space left on device" in self.runs(fresh_dsn, folder, tmp_path)

    def test_a_pipe_that_nobody_reads(self, fresh_dsn: str, folder: Path, tmp_path: Path) -> None:
        os.mkfifo(folder / "cron-flag_seasonal.log")
        assert "it is a pipe" in self.runs(fresh_dsn, folder, tmp_path)

    def test_full_disk_at_open(self, fresh_dsn: str, folder: Path, tmp_path: Path) -> None:
        command = f"mount -t tmpfs -o nr_inodes=1 tmpfs {shlex.quote(str(folder))} || exit 99"
        user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        probe = ["unshare", *user, "--mount", "sh", "-c"]
        if subprocess.run([*probe, command], capture_output=True, check=False).returncode:
            pytest.skip("no file system can be mounted here")
        said = self.runs(fresh_dsn, folder, tmp_path, *probe, f'{command}; "$0" "$@"')
        assert "No space left on device" in said

    @pytest.mark.parametrize("which", ["log", "folder"])
    def test_owned_by_another_user_or_read_only(self, fresh_dsn: str, folder: Path, tmp_path: Path, which: str) -> None:
        closed = folder if which == "folder" else folder / "cron-flag_seasonal.log"
        closed.touch()
        closed.chmod(0o555 if which == "folder" else 0o444)
        # Root may write everywhere, except with this capability dropped.
        command = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
        said = self.runs(fresh_dsn, folder, tmp_path, *(command if os.geteuid() == 0 else ()))
        assert "Permission denied" in said

    def test_every_other_place_fails_too(self, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(tempfile, "tempdir", str(tmp_path / "file" / "temporary"))
            (tmp_path / "file").touch()
            with scheduled.job_log("flag_seasonal", tmp_path / "file" / "logs") as log:
                log.info("one")
                log.error("two")
        said = capfd.readouterr().err.splitlines()
        assert [line for line in said if "Traceback" in line] == []
        assert "can't write any log" in said[-2]
        assert said[-1].endswith("ERROR two")

    def test_the_log_of_another_user_in_the_temporary_folder(
        self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        for each in (folder, tmp_path):
            (each / "cron-flag_seasonal.log").mkdir()  # no file of this name can be opened
        with scheduled.job_log("flag_seasonal", folder) as log:
            log.info("still here")
        (found,) = tmp_path.glob("cron-flag_seasonal-*.log")
        assert "INFO still here" in found.read_text().splitlines()[-1]
