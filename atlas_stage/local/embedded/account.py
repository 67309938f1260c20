"""Whom the embedded server runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

USER = "pgserver"


class Identity(TypedDict, total=False):
    """Arguments of subprocess.Popen that make the child someone else."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user of this machine; without `foreign` it is the present one, and nothing needs to be done for it."""

    uid: int
    gid: int
    foreign: bool

    def identity(self) -> Identity:
        """How to start a process as this account."""
        if not self.foreign:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give it a file or folder that we have made."""
        if self.foreign:
            os.chown(path, self.uid, self.gid)

    def let_in(self, path: Path, report: Callable[[str], None]) -> None:
        """Let it pass through the folders above `path`: pass, not list."""
        if not self.foreign:
            return
        for folder in path.parents:
            mode = folder.stat().st_mode
            if not mode & 0o001:
                folder.chmod(mode | 0o001)
                report(f"the server's user may now pass through {folder} (o+x)")

    def let_read(self, tree: Path) -> None:
        """Let it read `tree`, where an installation under a strict umask did not."""
        if self.foreign and tree.stat().st_mode & 0o005 != 0o005:
            for path in (tree, *tree.rglob("*")):
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    path.chmod(mode | (mode & 0o500) >> 6)


def server_account(pgdata: Path) -> Account:
    """The owner of existing data; for new data the present user, or `pgserver` instead of root.

    Raises OSError or subprocess.CalledProcessError where that user cannot be made.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), foreign=False)
    if pgdata.exists() and pgdata.stat().st_uid != 0:
        owner = pgdata.stat()
        return Account(owner.st_uid, owner.st_gid, foreign=True)
    import pwd  # not on Windows

    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", USER],
            check=True,
            capture_output=True,
            text=True,
        )
        entry = pwd.getpwnam(USER)
    return Account(entry.pw_uid, entry.pw_gid, foreign=True)
