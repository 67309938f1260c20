"""One program that `serve` runs beside the database."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from atlas_stage.local.embedded.postmaster import wait_until_gone
from atlas_stage.local.embedded.programs import telling_line
from atlas_stage.local.serving.programs import PartError

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class PortTakenError(PartError):
    """The part did not start because another program has taken its port."""


@dataclass(eq=False)
class Part:
    """A child process with a log, as a context manager: started and ready inside, stopped at the end.

    `<folder>/<name>.pid` lets `stop_leftover` find it after this process is killed.
    """

    name: str
    command: Sequence[str | Path]
    settings: Mapping[str, str]
    folder: Path
    is_ready: Callable[[], bool]
    _process: psutil.Popen | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name.lower()}.log"

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        try:
            self._start()
        except OSError as error:
            raise PartError(f"{self.name} did not start: {error.strerror}") from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            if self.is_running():
                _end(self._process)
            self._process.wait()
            self._process = None
            _pid_file(self.folder, self.name).unlink(missing_ok=True)

    def _start(self) -> None:
        # The settings of PostgreSQL clients and ours are not for it.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ATLAS_"))}
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            begin = log.tell()
            self._process = psutil.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=kept | dict(self.settings),
                start_new_session=True,  # Ctrl-C must not reach it
            )
            _pid_file(self.folder, self.name).write_text(f"{self._process.pid} {self._process.create_time()}")
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            ended = not self.is_running()
            if ended or time.monotonic() > deadline:
                said = self.log.read_bytes()[begin:].decode(errors="replace")
                problem = f"did not start: {telling_line(said)}" if ended else "isn't ready in time"
                # PostgREST's words, Caddy's and nginx's
                taken = ended and re.search("address (already )?in use", said, re.IGNORECASE)
                kind = PortTakenError if taken else PartError
                raise kind(f"{self.name} {problem}; see {self.log}")
            time.sleep(0.05)


def stop_leftover(folder: Path, name: str) -> None:
    """Stop the part that a killed owner left running."""
    with suppress(FileNotFoundError, ValueError, psutil.Error):
        pid, born = _pid_file(folder, name).read_text().split()
        process = psutil.Process(int(pid))
        # The pid alone may be another program's by now.
        if abs(process.create_time() - float(born)) < 0.01:
            _end(process)


def _pid_file(folder: Path, name: str) -> Path:
    return folder / f"{name.lower()}.pid"


def _end(process: psutil.Process) -> None:
    for end in (process.terminate, process.kill):
        end()
        if wait_until_gone(process, _STOP_SECONDS):
            return
