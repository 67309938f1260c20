"""What both ways of serving share: one server per folder, until a signal or the end of a part."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from atlas_stage.local.embedded import EmbeddedError
from atlas_stage.local.serving.gateway import Gateway
from atlas_stage.local.serving.programs import PartError


def wait_for_an_end(http: Gateway, database_runs: Callable[[], bool] = lambda: True) -> None:
    """Return when the database has ended. Raises PartError when a part of the gateway has."""
    while (ended := http.ended_part()) is None and database_runs():
        time.sleep(1)
    if ended is not None:
        raise PartError(f"{ended.name} has ended. See {ended.log}")


@contextmanager
def only_server(folder: Path, hint: str) -> Iterator[None]:
    """Keep other processes from serving this folder. Raises EmbeddedError if one does."""
    pid_file = folder / "serve.pid"
    try:
        with FileLock(folder / "serve.lock", timeout=0):
            pid_file.write_text(str(os.getpid()))
            yield
    except Timeout as error:
        raise EmbeddedError(
            f"{folder} is already being served (process {pid_file.read_text()}): {hint}"
        ) from error


@contextmanager
def until_told_to_stop() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block like Ctrl-C. Signals during the clean-up change nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    wanted = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        wanted.append(signal.SIGHUP)
    before = {each: signal.signal(each, stop) for each in wanted}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
