"""What every way of serving does: one server a folder, until somebody or something ends it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from atlas_stage.local.embedded import EmbeddedError
from atlas_stage.local.embedded.locks import FileLock
from atlas_stage.local.serving.gateway import Gateway
from atlas_stage.local.serving.programs import PartError


def wait_for_an_end(http: Gateway, database_runs: Callable[[], bool] = lambda: True) -> None:
    """Come back when the database has ended. Raises PartError when a part of the gateway has."""
    while (ended := http.ended_part()) is None and database_runs():
        time.sleep(1)
    if ended is not None:
        raise PartError(f"{ended.name} has ended by itself: see {ended.log}")


@contextmanager
def only_server(folder: Path, hint: str) -> Iterator[None]:
    """Nobody else serves from this folder meanwhile. Raises EmbeddedError where somebody does."""
    lock = FileLock(folder / "serve.pid")
    if not lock.take_alone():
        raise EmbeddedError(
            f"{folder} is being served already (process {lock.path.read_text()}): {hint}"
        )
    try:
        lock.write(str(os.getpid()))
        yield
    finally:
        lock.release()


@contextmanager
def until_told_to_stop() -> Iterator[None]:
    """Signals end the block like Ctrl-C, and once: while it cleans up, more of them change nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    wanted = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup
        wanted.append(signal.SIGHUP)
    before = {each: signal.signal(each, stop) for each in wanted}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
