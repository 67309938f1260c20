"""Deploys migrations and stored logic to a database: `migrate`, its dry run `plan`, and `rollback`."""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from atlas_stage.ops import resources
from atlas_stage.ops.deploy import installation, logic, migrations, roles
from atlas_stage.ops.deploy.connection import (
    LOCK_TIMEOUT_SECONDS,
    Connection,
    DeployError,
    Report,
    Target,
    deploying,
    exists,
    explained,
    run,
)

__all__ = ["DeployError", "MigratePlan", "MigrateReport", "migrate", "plan", "rollback"]

# The migrations up to this one alter nothing of the host's. The later ones are one transaction with the stored logic: a
# deploy that can't work changes nothing, and none that stops leaves what only the triggers fulfill without them.
LAST_ALONE = "001_roles"
_ATTEMPTS = 3


@dataclass(frozen=True)
class MigrateReport:
    """What a deploy did: nothing, if the lists are empty and `logic_changed` is False."""

    applied: list[str]
    """Migrations that ran."""
    marked: list[str]
    """Migrations that ran in an earlier, interrupted deploy, and are recorded now."""
    logic_changed: bool
    """Whether the stored logic was re-created."""
    repaired: list[str]
    """Drift since the last deploy that was repaired."""
    failed: list[str]
    """What the trial found: a way into `clients` that doesn't work, and the lines that fix it."""


@dataclass(frozen=True)
class MigratePlan:
    """What `migrate` would do. `words` are its refusals."""

    pending: list[str]
    repaired: list[str]
    logic_changes: bool
    words: list[str]


def migrate(
    dsn: str,
    *,
    force: bool = False,
    report: Report = lambda _: None,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    root: Path | None = None,
) -> MigrateReport:
    """Bring a database up to this version: pending migrations, then the stored logic if it changed.

    `force` re-creates the stored logic in any case. `report` gets a line per step. `lock_timeout` (seconds) limits how
    long a step waits for other sessions, and so blocks them. `root` is the folder with `migrations/` and `sql/`
    (default: this package's). Raises DeployError: then `clients` and what was deployed before are as they were.
    """
    root = root or resources.root()
    target = Target(dsn, lock_timeout)
    with deploying(target) as session, roles.only_while_deploying(session):
        repaired, changed, judged = repair_drift(session, root, force=force)
        for each in repaired:
            report(f"repaired {each}")
        with migrations.opened(target, root / "migrations", session) as opened:
            if drift := opened.books.drift():
                raise DeployError(f"{'; '.join(drift)}: {migrations.ADVICE}")
            applied, marked = opened.books.pending, opened.books.unmarked
            for name in marked:
                with opened.transaction():
                    opened.mark(name)
                report(f"marked {name} (an earlier deploy was interrupted after it)")
            alone = [name for name in applied if name <= LAST_ALONE]
            for name in alone:
                with opened.transaction():
                    opened.apply(name)
                report(f"applied {name}")
            logic_changed = force or changed or not logic.is_deployed(session, root / "sql")
            rest = applied[len(alone) :]
            if logic_changed or rest:
                _with_logic(opened, rest, root / "sql" if logic_changed else None, judged or force or bool(applied))
            lines = [f"applied {name}" for name in rest]
            lines += ["re-created the stored logic"] if logic_changed else []
            for line in [*lines, *dict.fromkeys(opened.revoked)]:
                report(line)
        if logic.renew_feed(session):
            report("began a new epoch of the feed: this database was moved to another server")
        logic.hash_history(session, report)
        roles.revoke_temporary(session, report)
        failed = logic.try_out(session)
        for line in failed:
            report(line)
    return MigrateReport(applied, marked, logic_changed, repaired, failed)


def _with_logic(opened: migrations.Migrations, names: list[str], folder: Path | None, judged: bool) -> None:
    """Apply migrations, and the stored logic in `folder` if there is one, as one transaction."""

    def apply() -> None:
        with opened.transaction():
            run(opened.connection, "lock_tables")
            for name in names:
                opened.apply(name)
            run(opened.connection, "use_public")
            if folder:
                logic.deploy(opened.connection, folder, opened.session, judged=judged)

    again = retry_if_exception_type(psycopg.errors.DeadlockDetected)
    try:
        Retrying(retry=again, stop=stop_after_attempt(_ATTEMPTS), reraise=True)(apply)
    except psycopg.errors.LockNotAvailable:
        raise opened.timed_out("stored logic") from None
    except psycopg.Error as error:
        raise DeployError(f"stored logic: {explained(opened.session, error)}") from error


def plan(dsn: str, *, force: bool = False, root: Path | None = None) -> MigratePlan:
    """What `migrate` would do: repairs are tried and rolled back, all else is read.

    Raises StageError if the database can't be reached.
    """
    root = root or resources.root()
    repaired: list[str] = []
    changed, refused = False, []
    with Target(dsn).connect() as connection:
        books = migrations.read_books(connection, root / "migrations")
        try:
            with connection.transaction(force_rollback=True):
                roles.refuse_without_rights(connection)
                repaired, changed, _ = repair_drift(connection, root, force=force)
        except DeployError as error:
            refused = [error.message]
        is_deployed = logic.is_deployed(connection, root / "sql")
    words = [f"would refuse: {each}" for each in (*refused, *books.drift())]
    return MigratePlan(books.pending, repaired, force or changed or not is_deployed, words)


def repair_drift(session: Connection, root: Path, *, force: bool) -> tuple[list[str], bool, bool]:
    """Repair drift since the last deploy.

    Returns what was repaired, whether to deploy the stored logic again, and whether there was stored logic to compare.
    """
    roles.refuse_event_triggers(session)
    if faults := run(session, "host_faults"):
        raise DeployError("; ".join(said for (said,) in faults))
    with session.transaction():
        repaired = installation.make_roles(session)
        run(session, "use_public")
        with roles.as_owner(session):
            repaired += installation.revoke_others(session, root)
            judged = installation.is_there(session)
            if judged:
                taken_over = installation.take_over(session, root / "sql")
                changed = taken_over or run(session, "has_changed") == [(True,)]
                repaired += installation.repair(session, refuse=not force) if changed else []
            else:  # the record without the functions that read it: the stored logic was removed
                changed = exists(session, "public.stage_installation")
    return repaired, changed, judged


def rollback(
    dsn: str,
    *,
    to: str | None = None,
    report: Report = lambda _: None,
    lock_timeout: float = LOCK_TIMEOUT_SECONDS,
    root: Path | None = None,
) -> list[str]:
    """Undo every migration after `to` (None: all of them), newest first, with the data in its tables; their names.

    The stored logic is dropped first, because it depends on the tables; the next `migrate` re-creates it. Raises
    DeployError.
    """
    root = root or resources.root()
    target = Target(dsn, lock_timeout)
    with (
        deploying(target) as session,
        roles.only_while_deploying(session),
        migrations.opened(target, root / "migrations", session) as opened,
    ):
        names = list(opened.books.files)
        if to is not None and to not in names:
            raise DeployError(f"there is no migration {to}; there are {', '.join(names)}")
        later = names[names.index(to) + 1 if to else 0 :]
        undone = [name for name in reversed(later) if name not in opened.books.pending]
        if undone and exists(session, "public.stage_deploys"):
            with roles.as_owner(session):
                run(session, "drop_stored_logic")
        for name in undone:
            with opened.transaction():
                opened.roll_back(name)
            report(f"rolled back {name}")
        return undone
