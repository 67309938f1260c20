"""A throwaway PostgreSQL server: the product's own, on a folder that is gone when it is closed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psutil

from atlas_stage.local.embedded import EmbeddedPostgres, postmaster

DEBIAN_BIN = Path("/usr/lib/postgresql/15/bin")

# Durability costs time and protects nothing here: the folder is deleted afterwards.
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",  # tests/catalog/test_compiled_plans.py turns it on
}

# Short, because the name of a unix socket may have about 100 characters.
PREFIX = "at-"
# In memory where that is possible: a clone of a database takes 0.03 s there and 0.8 s on a busy disk.
_MEMORY = Path("/dev/shm")
HOME = _MEMORY if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > 2**31 else Path("/tmp")


class Cluster(EmbeddedPostgres):
    """Debian's server where the version is 15, else an embedded one; as a context manager."""

    def __init__(self, version: int = 18, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(
            temporary_folder(),
            version,
            settings=FAST_SETTINGS | dict(settings or {}),
            installation=DEBIAN_BIN if version == 15 else None,
        )

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self.data, ignore_errors=True)


def temporary_folder() -> Path:
    """A new folder for this process to delete; if it's killed first, the next process does."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=HOME))
    (folder / "owner").write_text(str(os.getpid()))
    return folder


def _sweep() -> None:
    """Delete the folders of processes that were killed, after stopping the servers that run there."""
    for folder in HOME.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if not psutil.pid_exists(int((folder / "owner").read_text())):
                for pgdata in (each.parent for each in folder.rglob("postmaster.pid")):
                    if (left := postmaster.find(pgdata)) is not None:
                        left.kill()
                shutil.rmtree(folder, ignore_errors=True)


def ordinary_user() -> str | None:
    """Whom a server's program runs as that refuses to run as root. None is the present user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise RuntimeError("running as root, and neither of the users postgres and nobody exists")
