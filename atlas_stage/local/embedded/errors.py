"""Errors of the embedded server, each in one line."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from atlas_stage.errors import StageError


class EmbeddedError(StageError):
    """The embedded server could not be started or stopped."""

    default_rule = "embedded_server"


@contextmanager
def in_words() -> Iterator[None]:
    """Turn errors of files and processes into EmbeddedError."""
    try:
        yield
    except PermissionError as error:
        raise EmbeddedError(
            f"No permission for {error.filename}. Does the data folder belong to another user?"
        ) from error
    except subprocess.CalledProcessError as error:
        raise EmbeddedError(f"{error.cmd[0]} failed: {telling_line(str(error.stderr))}") from error
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        raise EmbeddedError(f"{error.strerror or error}{where}") from error


def telling_line(output: str) -> str:
    """The line of a program's output that says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error:" in line]
    return (telling or lines or ["it printed nothing"])[-1]
