"""One program that `serve` runs beside the database."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import psutil

from atlas_stage.local.embedded.errors import telling_line
from atlas_stage.local.embedded.postmaster import wait_until_gone
from atlas_stage.local.serving.programs import PartError

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class PortTakenError(PartError):
    """The part did not start, because another program listens at its port by now."""


class Part:
    """A child process with a log, as a context manager: started and ready inside, stopped at the end.

    `<folder>/<name>.pid` knows it, for `stop_leftover` of a later owner when this one is killed.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        settings: Mapping[str, str],
        folder: Path,
        is_ready: Callable[[], bool],
    ) -> None:
        self.name = name
        self.log = folder / f"{name.lower()}.log"
        self._command = command
        self._settings = settings
        self._pid_file = _pid_file(folder, name)
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        try:
            self._start()
        except OSError as error:
            raise PartError(f"{self.name} did not start: {error.strerror}") from error
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _start(self) -> None:
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=self._environment(),
                start_new_session=True,  # Ctrl-C is for us, not for it
            )
        self._remember()
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            ended = not self.is_running()
            if ended or time.monotonic() > deadline:
                said = self.log.read_bytes()[begin:].decode(errors="replace")
                problem = (
                    f"did not start: {telling_line(said)}" if ended else "is not ready in time"
                )
                # PostgREST's words and Caddy's
                taken = re.search("address (already )?in use", said, re.IGNORECASE)
                raise (PortTakenError if ended and taken else PartError)(
                    f"{self.name} {problem}; see {self.log}"
                )
            time.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        """Ours, without the settings of PostgreSQL clients and of PostgREST that are meant for others."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ATLAS_"))}
        return kept | dict(self._settings)

    def _remember(self) -> None:
        assert self._process is not None
        try:
            born = psutil.Process(self._process.pid).create_time()
        except psutil.NoSuchProcess:
            return
        self._pid_file.write_text(f"{self._process.pid} {born}")

    def _stop(self) -> None:
        if self._process is not None:
            if self.is_running():
                _end(psutil.Process(self._process.pid))
            self._process.wait()
            self._process = None
            self._pid_file.unlink(missing_ok=True)


def stop_leftover(folder: Path, name: str) -> None:
    """Stop what an earlier owner left running because it was killed."""
    try:
        pid, born = _pid_file(folder, name).read_text().split()
        process = psutil.Process(int(pid))
        # A pid alone may be another program's by now.
        if abs(process.create_time() - float(born)) < 0.01:
            _end(process)
    except (FileNotFoundError, ValueError, psutil.Error):
        pass


def _pid_file(folder: Path, name: str) -> Path:
    return folder / f"{name.lower()}.pid"


def _end(process: psutil.Process) -> None:
    for end in (process.terminate, process.kill):
        end()
        if wait_until_gone(process, _STOP_SECONDS):
            return
