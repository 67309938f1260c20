"""The server that runs on a data folder: its `postmaster.pid` and its process."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

CHILD_SECONDS = 0.3


@dataclass(frozen=True)
class PidFile:
    """The lines of `postmaster.pid` that we use. The pid may be another program's by now."""

    pid: int
    port: int
    socket_dir: str
    status: str
    """starting, ready, stopping or standby"""


def read(pgdata: Path) -> PidFile | None:
    """The pid file, or None if it is missing or incomplete."""
    try:
        text = (pgdata / "postmaster.pid").read_text(errors="replace")
        lines = [line.strip() for line in text.splitlines()]
        known = PidFile(int(lines[0]), int(lines[3]), lines[4], lines[7])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return known if 0 < known.pid < 1 << 31 else None


def find(pgdata: Path) -> psutil.Process | None:
    """The server that runs on this folder, whatever the pid file says."""
    named = read(pgdata)
    if named is not None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(named.pid)
            if _serves(process, pgdata):
                return process
    others = [each for each in psutil.process_iter() if _serves(each, pgdata)]
    if others:
        # A child of a killed server has the server's command line until it writes its title, or ends.
        time.sleep(CHILD_SECONDS)
    return next((each for each in others if _serves(each, pgdata)), None)


def forget_other_program(pgdata: Path) -> None:
    """Remove a pid file that would keep the server from starting. Call it only while no server runs.

    A pid without a process stays: PostgreSQL then checks itself, also by the shared memory, whether parts of a killed
    server still run. It can't know that the pid belongs to another program.
    """
    named = read(pgdata)
    if named is None or psutil.pid_exists(named.pid):
        (pgdata / "postmaster.pid").unlink(missing_ok=True)


def wait_until_gone(process: psutil.Process, seconds: float) -> bool:
    """Whether the process ends in time. Unlike psutil's wait, a zombie counts as ended: containers may not reap it."""
    deadline = time.monotonic() + seconds
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
    return True


def _serves(process: psutil.Process, pgdata: Path) -> bool:
    """Whether it is the postmaster of this folder, in which it works. Its children write their title over the command
    line.
    """
    try:
        is_postmaster = process.name() == "postgres" and not process.cmdline()[0].startswith("postgres:")
        return is_postmaster and Path(process.cwd()).samefile(pgdata)
    except (psutil.Error, OSError, IndexError):  # a zombie has no command line
        return False
