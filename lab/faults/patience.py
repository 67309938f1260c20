"""Waiting for what starts, ends or recovers."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], otherwise: str, seconds: float = 90) -> Found:
    """What `look` finds, as soon as it finds something. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.1)
    return found


def until_it_answers(dsn: str) -> None:
    """Wait for the server to let a session in. Raises TimeoutError."""

    def answers() -> bool:
        with suppress(psycopg.OperationalError):
            psycopg.connect(dsn).close()
            return True
        return False

    until(answers, f"no server answers at {dsn}", 60)
