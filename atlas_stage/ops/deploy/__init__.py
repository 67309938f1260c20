"""Deploys migrations and stored logic to a database: `migrate`, and its way back, `rollback`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from atlas_stage.ops import resources
from atlas_stage.ops.deploy import installation, logic, migrations, roles
from atlas_stage.ops.deploy.connection import Connection, DeployError, Target, deploying, exists
from atlas_stage.ops.deploy.migrations import Report
from atlas_stage.ops.deploy.temporary import take_temporary_from_public

__all__ = ["DeployError", "MigrateReport", "migrate", "rollback"]

LOCK_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class MigrateReport:
    """What a deploy did: nothing at all when the lists are empty and `logic_changed` is false."""

    applied: list[str]
    """Migrations that ran."""
    marked: list[str]
    """Migrations that had run before, in a deploy that was cut off before it could say so."""
    logic_changed: bool
    """Whether the stored logic was re-created."""
    mended: list[str]
    """What was not as the last deploy had left it, and is so again."""


def migrate(
    dsn: str,
    *,
    force: bool = False,
    report: Report = lambda _: None,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    root: Path | None = None,
) -> MigrateReport:
    """Bring a database up to this version: pending migrations, then the stored logic where it changed.

    `force` re-creates the stored logic even so. `report` gets a line for each step done. `lock_timeout` (seconds) is
    how long a step may wait for, and so hold up, whoever uses the tables. `root` is the folder with `migrations/` and
    `sql/` (default: this package's own). Raises DeployError; a step that fails changes nothing, and what was done
    before it stays.
    """
    root = root or resources.root()
    target = target_of(dsn, lock_timeout)
    with deploying(target) as session, roles.lent_for_no_longer(session):
        mended, changed, judged = put_right(session, root, force=force)
        for each in mended:
            report(f"mended {each}")
        with migrations.opened(target, root / "migrations", session) as pending:
            pending.refuse_drift()
            marked = pending.mark()
            for name in marked:
                report(f"marked {name} (an earlier deploy was cut off after it)")
            applied = pending.apply(report)
        logic_changed = force or changed or not logic.is_deployed(session, root / "sql")
        if logic_changed:
            logic.deploy(target, root / "sql", session, judged=judged or force or bool(applied))
            report("re-created the stored logic")
        if logic.renew_feed(session):
            report("began a new epoch of the feed: this database came to another server")
        held = logic.hash_history(session, report)
        if held:
            report(
                f"history of some clients has no hashes yet, for somebody holds client {held}: run migrate again"
            )
        take_temporary_from_public(session, report)
    return MigrateReport(applied, marked, logic_changed, mended)


def put_right(session: Connection, root: Path, *, force: bool) -> tuple[list[str], bool, bool]:
    """Make so again what the last deploy left and somebody changed.

    What was mended, whether to deploy anew, and whether there was stored logic to judge that.
    """
    with session.transaction():
        mended = installation.make_roles(session)
        roles.lend(session)
        judged = installation.is_there(session)
        taken_over = judged and installation.take_over(session, root / "sql")
        changed = installation.changed(session) or taken_over
        if changed:
            mended += installation.mend(session)
        if changed and not force:
            installation.refuse_what_nothing_mends(session)
        roles.take_back(session)
    return mended, changed, judged


def rollback(
    dsn: str,
    *,
    to: str | None = None,
    report: Report = lambda _: None,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    root: Path | None = None,
) -> list[str]:
    """Undo, newest first, every migration after `to` (None: all of them); their names.

    The stored logic goes first, because it stands on the tables; the next `migrate` brings it back. Takes the data in
    those tables with it. Raises DeployError.
    """
    root = root or resources.root()
    target = target_of(dsn, lock_timeout)
    with (
        deploying(target) as session,
        roles.lent_for_no_longer(session),
        migrations.opened(target, root / "migrations", session) as applied,
    ):
        if to is not None:
            applied.require(to)
        if exists(session, "public.stage_deploys"):
            logic.drop(session)
        return applied.roll_back(to, report)


def target_of(dsn: str, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> Target:
    """The database, with a name by which this deploy's sessions are found among all others."""
    return Target(dsn, lock_timeout, f"atlas-stage migrate {uuid.uuid4().hex[:8]}")
