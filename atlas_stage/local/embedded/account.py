"""The user that the embedded server runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

USER = "pgserver"


class Identity(TypedDict, total=False):
    """The arguments of subprocess.Popen that select the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user of this machine. `foreign` is false for the present user, who needs none of what follows."""

    uid: int
    gid: int
    foreign: bool

    def identity(self) -> Identity:
        """How to start a process as this user."""
        if not self.foreign:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give this user a file or folder that we created."""
        if self.foreign:
            os.chown(path, self.uid, self.gid)

    def let_in(self, path: Path, report: Callable[[str], None]) -> None:
        """Let this user pass through, but not list, the folders above `path`."""
        for folder in path.parents if self.foreign else ():
            mode = folder.stat().st_mode
            if not mode & 0o001:
                folder.chmod(mode | 0o001)
                report(f"The server's user may now pass through {folder} (o+x).")

    def let_read(self, tree: Path) -> None:
        """Let this user read `tree`, which a strict umask may have closed when it was installed."""
        if self.foreign and tree.stat().st_mode & 0o005 != 0o005:
            for path in (tree, *tree.rglob("*")):
                if not path.is_symlink():
                    mode = path.stat().st_mode
                    path.chmod(mode | (mode & 0o500) >> 6)


def server_account(pgdata: Path) -> Account:
    """The owner of existing data; for new data the present user, or `pgserver` in place of root.

    Raises OSError or subprocess.CalledProcessError if that user can't be created.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), foreign=False)
    if pgdata.exists() and (owner := pgdata.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, foreign=True)
    import pwd  # not on Windows

    if USER not in {each.pw_name for each in pwd.getpwall()}:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", USER]
        subprocess.run(command, check=True, capture_output=True, text=True)
    entry = pwd.getpwnam(USER)
    return Account(entry.pw_uid, entry.pw_gid, foreign=True)
