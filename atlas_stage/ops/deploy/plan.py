"""What a deploy would do: found out by reading, so that nothing of it stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atlas_stage.ops import resources
from atlas_stage.ops.deploy import logic
from atlas_stage.ops.deploy.connection import exists
from atlas_stage.ops.deploy.migrations import read_books
from atlas_stage.transport import connect


@dataclass(frozen=True)
class MigratePlan:
    """What `migrate` would do, and in `words` what it would refuse or say."""

    pending: list[str]
    logic_changes: bool
    words: list[str]


def plan(dsn: str, *, root: Path | None = None) -> MigratePlan:
    """What `migrate` would do to a database. Raises Unavailable where it cannot be reached."""
    root = root or resources.root()
    with connect(dsn) as connection:
        books = read_books(connection, root / "migrations")
        is_deployed = exists(connection, "public.stage_deploys") and logic.is_deployed(
            connection, root / "sql"
        )
    words = [f"would refuse: {name} was changed after it was applied" for name in books.changed]
    words += [
        f"would refuse: {name} is of another version of atlas-stage" for name in books.unknown
    ]
    return MigratePlan(books.pending, not is_deployed, words)
