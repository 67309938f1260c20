"""Deploys of a next version of the stored logic, while it is used."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from atlas_stage import StageError
from atlas_stage.ops import resources
from atlas_stage.ops.deploy import migrate

_CHANGED = ("api/set_stage", "rules/write/write_changes", "rules/door/pre_request")


@dataclass
class Deploys:
    """The deploys to one database, and how many of them gave up."""

    dsn: str
    folder: Path
    tried: int = 0
    refused: int = 0

    def next(self) -> None:
        """The next version of the stored logic, in which functions have changed."""
        self.tried += 1
        root = self.folder / f"version-{self.tried}"
        for folder in ("migrations", "sql"):
            shutil.copytree(resources.root() / folder, root / folder)
        for name in _CHANGED:
            file = root / "sql" / f"{name}.sql"
            changed = file.read_text().replace("\nbegin\n", f"\nbegin\n  -- {self.tried}\n", 1)
            file.write_text(changed)
        try:
            migrate(self.dsn, root=root)
        except (StageError, psycopg.Error):
            self.refused += 1
        shutil.rmtree(root)

    def next_cut_off_by(self, kill: Callable[[], None]) -> None:
        """A deploy under which something dies."""
        deploying = threading.Thread(target=self.next)
        deploying.start()
        time.sleep(0.7)
        kill()
        deploying.join()
