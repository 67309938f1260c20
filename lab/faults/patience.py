"""Waiting for a server that starts, or recovers."""

from __future__ import annotations

import time

import psycopg

_SECONDS = 60.0


def until_it_answers(dsn: str) -> None:
    """Wait for the server to let a session in. Raises the last OperationalError after a minute."""
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            psycopg.connect(dsn).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
