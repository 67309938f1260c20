"""What is known of the server that runs on a data folder: its `postmaster.pid`, and its process."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class PidFile:
    """The lines of `postmaster.pid` that matter here. Its pid may long be another program's."""

    pid: int
    port: int
    socket_dir: str
    status: str
    """starting, ready, stopping or standby"""


def read(pgdata: Path) -> PidFile | None:
    """The pid file, or None where it is missing or incomplete."""
    try:
        lines = [line.strip() for line in path(pgdata).read_text(errors="replace").splitlines()]
        known = PidFile(int(lines[0]), int(lines[3]), lines[4], lines[7])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return known if 0 < known.pid < 1 << 31 else None


def path(pgdata: Path) -> Path:
    """Where PostgreSQL keeps it."""
    return pgdata / "postmaster.pid"


def find(pgdata: Path) -> psutil.Process | None:
    """The server that runs on this folder, whatever the pid file says."""
    named = read(pgdata)
    if named is not None and (process := _process(named.pid)) and _serves(process, pgdata):
        return process
    for process in psutil.process_iter():
        if _serves(process, pgdata):
            return process
    return None


def forget_other_program(pgdata: Path) -> None:
    """Remove a pid file that would keep the server from starting; call it when no server runs.

    A pid that is no more stays: PostgreSQL then looks itself, at the shared memory too, whether parts of a killed
    server still live. It cannot know, though, that the pid now is another program's.
    """
    named = read(pgdata)
    if named is None or psutil.pid_exists(named.pid):
        path(pgdata).unlink(missing_ok=True)


def wait_until_gone(process: psutil.Process, seconds: float) -> bool:
    """Whether the process ends in time. A zombie has ended: only its parent has not looked yet."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.02)
                continue
        return True


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _serves(process: psutil.Process, pgdata: Path) -> bool:
    """Whether it is the postmaster of this folder (its children write their title over the command line)."""
    try:
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        arguments = process.cmdline()
        if str(pgdata) in arguments:
            return True
        # Started by other means, with a relative path or PGDATA: the server works inside its folder.
        return not arguments[0].startswith("postgres:") and Path(process.cwd()) == pgdata
    except (psutil.Error, IndexError):
        return False
