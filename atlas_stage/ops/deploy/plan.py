"""What a deploy would do: what it would mend is tried and undone, everything else is read; nothing of it stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atlas_stage.ops import resources
from atlas_stage.ops.deploy import logic, put_right, roles, target_of
from atlas_stage.ops.deploy.connection import DeployError, exists
from atlas_stage.ops.deploy.migrations import read_books


@dataclass(frozen=True)
class MigratePlan:
    """What `migrate` would do, and in `words` what it would refuse or say."""

    pending: list[str]
    mended: list[str]
    logic_changes: bool
    words: list[str]


def plan(dsn: str, *, force: bool = False, root: Path | None = None) -> MigratePlan:
    """What `migrate` would do to a database. Raises DeployError where it cannot be reached."""
    root = root or resources.root()
    mended: list[str] = []
    changed, refused = False, []
    with target_of(dsn).connect() as connection:
        books = read_books(connection, root / "migrations")
        try:
            with connection.transaction(force_rollback=True):
                roles.refuse_who_cannot_deploy(connection)
                mended, changed, _ = put_right(connection, root, force=force)
        except DeployError as error:
            refused = [error.message]
        is_deployed = exists(connection, "public.stage_deploys") and logic.is_deployed(
            connection, root / "sql"
        )
    refused += [f"{name} was changed after it was applied" for name in books.changed]
    refused += [f"{name} is of another version of atlas-stage" for name in books.unknown]
    return MigratePlan(
        books.pending,
        mended,
        force or changed or not is_deployed,
        [f"would refuse: {each}" for each in refused],
    )
