"""What a deploy would do: found out by reading, so that nothing of it stays."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from yoyo import read_migrations

from atlas_stage.ops import resources
from atlas_stage.ops.deploy import logic
from atlas_stage.ops.deploy.connection import exists
from atlas_stage.ops.deploy.migrations import content_hash
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
    files = {
        migration.id: content_hash(Path(migration.path))
        for migration in read_migrations(glob.escape(str(root / "migrations")))
    }
    with connect(dsn) as connection:
        recorded: set[str] = set()
        deployed: dict[str, str] = {}
        logic_changes = True
        if exists(connection, "public.atlas_migrations"):
            rows = connection.execute("select id from public.atlas_migrations")
            recorded = {str(name) for (name,) in rows}
        if exists(connection, "public.stage_deploys"):
            deployed = dict(
                connection.execute(
                    "select name, sha256 from public.stage_deploys where part = 'migration'"
                ).fetchall()
            )
            logic_changes = not logic.is_deployed(connection, root / "sql")
    changed = [name for name, sha256 in deployed.items() if files.get(name, sha256) != sha256]
    unknown = [name for name in deployed if name not in files]
    words = [f"would refuse: {name} was changed after it was applied" for name in changed]
    words += [f"would refuse: {name} is of another version of atlas-stage" for name in unknown]
    return MigratePlan([name for name in files if name not in recorded], logic_changes, words)
