"""Who uses a data folder. These locks are the kernel's: they end with the process, however it ends."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class FileLock:
    """A lock on a file of its own, which stays behind empty (or with what was written into it)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def take_shared(self) -> None:
        """Be one of several holders; waits while someone holds it alone."""
        self._lock(fcntl.LOCK_SH)

    def take_alone(self) -> bool:
        """Try to be the only holder: false when there is another one."""
        try:
            self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def is_held(self) -> bool:
        """Whether this object holds the lock, shared or alone."""
        return self._handle is not None

    def release(self) -> None:
        """Give up the lock; does nothing when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def write(self, text: str) -> None:
        """Leave a word for those who find the lock taken."""
        assert self._handle is not None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, text.encode(), 0)

    def _lock(self, how: int) -> None:
        fresh = self._handle is None
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, how)
        except BaseException:
            if fresh:
                self.release()
            raise


@contextmanager
def alone(path: Path, wait: float) -> Iterator[None]:
    """Hold the lock on `path` alone. Raises TimeoutError after `wait` seconds."""
    lock = FileLock(path)
    deadline = time.monotonic() + wait
    while not lock.take_alone():
        if time.monotonic() > deadline:
            raise TimeoutError(f"another process keeps {path} locked")
        time.sleep(0.05)
    try:
        yield
    finally:
        lock.release()
