"""The versioned migrations: yoyo applies them, and `atlas_migrations` lists those that are applied.

A migration inserts its own row there, in its own transaction. The hash of its file goes to `stage_deploys` in a second
transaction: after a crash it can be missing, and the next deploy adds it. Those that need the stored logic share one
transaction with it.
"""

from __future__ import annotations

import contextlib
import glob
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import psycopg
from yoyo import default_migration_table, exceptions, read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import get_migration_hash

from atlas_stage.ops.deploy import installation, roles
from atlas_stage.ops.deploy.connection import (
    Connection,
    DeployError,
    Report,
    Target,
    Watch,
    exists,
    explained,
    run,
)
from atlas_stage.ops.deploy.sources import content_hash


@dataclass(frozen=True)
class Books:
    """The migrations of this package, and how a database compares with them; names, in order."""

    files: list[str]
    pending: list[str]
    """To be applied."""
    unmarked: list[str]
    """Applied, and their hash is missing: that deploy was interrupted."""
    changed: list[str]
    """Applied, and their file changed afterwards."""
    unknown: list[str]
    """Applied by another version of this package."""


def read_books(connection: Connection, folder: Path) -> Books:
    """Compare the migrations in `folder` with those of a database."""
    paths = [each for each in sorted(folder.glob("*.sql")) if ".rollback" not in each.suffixes]
    if not paths:
        raise DeployError(f"there are no migrations in {folder}")
    files = {each.stem: content_hash(each) for each in paths}
    applied = _applied(connection)
    hashes: dict[str, str] = {}
    if applied and exists(connection, "public.stage_deploys"):
        statement = "select name, sha256 from public.stage_deploys where part = 'migration'"
        hashes = dict(connection.execute(statement).fetchall())
    known = [name for name in applied if name in hashes]
    return Books(
        files=list(files),
        pending=[name for name in files if name not in applied],
        unmarked=[name for name in files if name in applied and name not in hashes],
        changed=[name for name in known if name in files and files[name] != hashes[name]],
        unknown=[name for name in known if name not in files],
    )


def _applied(connection: Connection) -> list[str]:
    if not exists(connection, "public.atlas_migrations"):
        return []
    rows = connection.execute("select id from public.atlas_migrations order by id").fetchall()
    return [name for (name,) in rows]


class Migrations(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """The migrations of a folder against one database, with the deploy lock held by `session`.

    This is yoyo's `postgresql+psycopg` backend on our connections and tables. libpq parses the DSN, so sockets,
    services and passwords work in URLs as everywhere.
    """

    def __init__(self, target: Target, folder: Path, session: Connection, watch: Watch) -> None:
        self.books = read_books(session, folder)
        self.watch = watch
        self.revoked: list[str] = []
        """What other roles held on our objects, and lost."""
        self._folder, self._session = folder, session
        # yoyo takes a glob pattern, so escape the folder's name.
        self._all = read_migrations(glob.escape(str(folder)))
        super().__init__(target, default_migration_table)

    def connect(self, dburi: Target) -> Connection:
        return dburi.connect()

    def copy(self) -> contextlib.AbstractContextManager[Migrations]:
        """yoyo runs a migration on a copy: this one, so that a transaction can hold several."""
        return contextlib.nullcontext(self)

    def ensure_internal_schema_updated(self) -> None:
        """We have our own tables."""

    def log_migration(self, migration: Any, operation: str) -> None:
        """We don't keep yoyo's log."""

    def get_applied_migration_hashes(self) -> list[str]:
        """yoyo's hashes of the applied migrations: of their names."""
        return [get_migration_hash(name) for name in _applied(self.connection)]

    def mark_one(self, migration: Any, log: bool = True) -> None:  # noqa: ARG002 (yoyo's)
        sha256 = content_hash(Path(migration.path))
        run(self.connection, "record_deploy", "migration", migration.id, sha256)

    def unmark_one(self, migration: Any, log: bool = True) -> None:  # noqa: ARG002 (yoyo's)
        if exists(self.connection, "public.stage_deploys"):
            run(self.connection, "forget_migration", migration.id)

    def begin(self) -> None:
        super().begin()
        run(self.connection, "lend_owner_roles")

    def commit(self) -> None:
        # Here, so that the host's default privileges on new tables are never in force.
        self.revoked += installation.revoke_others(self.connection, self._folder.parent)
        run(self.connection, "return_owner_roles")
        super().commit()

    def refuse_drift(self) -> None:
        """Raise DeployError if an applied migration has another file now, or none."""
        if self.books.changed:
            raise DeployError(
                f"changed after it was applied: {', '.join(self.books.changed)};"
                " restore the file and put the change into a new migration"
            )
        if self.books.unknown:
            raise DeployError(
                f"the database has {', '.join(self.books.unknown)}, which this version of atlas-stage doesn't know:"
                " use the version that deployed it, or a newer one"
            )

    def mark(self) -> list[str]:
        """Record the missing hashes of applied migrations; returns their names."""
        unmarked = self.books.unmarked
        self.mark_migrations([each for each in self._all if each.id in unmarked])
        return unmarked

    def apply(self, report: Report, through: str | None = None) -> list[str]:
        """Apply pending migrations, `through` this one or all; returns their names. Raises DeployError.

        Each is a transaction, or a part of one that is open.
        """
        pending = [each for each in self.left() if through is None or each.id <= through]
        return self._run(pending, self.apply_one, "sql", "applied", report)

    def left(self) -> list[Any]:
        return list(self.to_apply(self._all))

    def roll_back(self, to: str | None, report: Report) -> list[str]:
        """Roll back everything after `to` (None: everything), newest first; returns the names."""
        later = takewhile(lambda each: each.id != to, self.to_rollback(self._all))
        return self._run(later, self.rollback_one, "rollback.sql", "rolled back", report)

    def _run(
        self,
        migrations: Iterable[Any],
        step: Callable[[Any], object],
        ending: str,
        done: str,
        report: Report,
    ) -> list[str]:
        names = []
        for migration in migrations:
            file = f"migrations/{migration.id}.{ending}"
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # yoyo prints the rows of a SELECT
                    step(migration)
            except psycopg.errors.LockNotAvailable:
                raise self.watch.timed_out(file) from None
            except psycopg.errors.DeadlockDetected:
                raise  # tried again
            except psycopg.Error as error:
                said = f"{file}: {explained(self._session, error)}"
                if isinstance(error, psycopg.errors.InsufficientPrivilege):
                    advice = "deploy as the owner of the tables, or as a superuser"
                    said += f"; {roles.missing(self._session) or advice}"
                raise DeployError(said) from error
            report(f"{done} {migration.id}")
            names.append(migration.id)
        return names


@contextlib.contextmanager
def opened(target: Target, folder: Path, session: Connection) -> Iterator[Migrations]:
    """The migrations in `folder`. `session` holds the deploy lock."""
    watch = Watch(session, target)
    try:
        with Migrations(target, folder, session, watch) as migrations, watch:
            yield migrations
    except exceptions.BadMigration as error:
        raise DeployError(f"migrations: {error}") from error
