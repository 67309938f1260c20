"""The versioned migrations: yoyo applies them, this module keeps its books straight.

Three tables know about a migration. `atlas_migrations` gets its row from the migration itself, in the migration's
transaction, so it is the truth. yoyo's own mark comes in a second transaction, and `stage_deploys` (the content hash)
in a third: after a crash they may lag behind, and are made to agree again before anything else is done.
"""

from __future__ import annotations

import contextlib
import getpass
import glob
import hashlib
import io
import socket
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from yoyo import default_migration_table, exceptions, read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend

from atlas_stage.ops.deploy import roles
from atlas_stage.ops.deploy.connection import (
    Connection,
    DeployError,
    Target,
    Watch,
    exists,
    one_line,
)

Report = Callable[[str], None]


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo's `postgresql+psycopg` backend, on connections that we make.

    Given the DSN as it is, libpq reads it: no second reading of sockets, services and passwords in URLs.
    """

    uri: Target

    def connect(self, dburi: Target) -> Connection:
        return dburi.connect()

    @contextlib.contextmanager
    def lock(self, *_: object) -> Iterator[None]:
        """No lock of yoyo's own, a row that a crash leaves behind: we hold the deploy lock."""
        yield

    def begin(self) -> None:
        super().begin()
        roles.lend(self.connection)

    def commit(self) -> None:
        roles.take_back(self.connection)
        super().commit()

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id,
            "migration_hash": migration.hash,
            "username": _user(),
            "hostname": socket.gethostname(),  # yoyo's getfqdn asks the DNS, which may take long
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


class Migrations:
    """The migrations of a folder against one database, with the deploy lock held by `ledger`'s session."""

    def __init__(self, backend: _Backend, folder: Path, ledger: Connection) -> None:
        self._backend = backend
        self._ledger = ledger
        # yoyo takes a pattern, and a folder's name may hold its signs.
        self._all = read_migrations(glob.escape(str(folder)))
        if not self._all:
            raise DeployError(f"there are no migrations in {folder}")

    def refuse_drift(self) -> None:
        """Raise DeployError, with names, where what was applied is not what the files say."""
        deployed = self._deployed()
        files = {migration.id: content_hash(Path(migration.path)) for migration in self._all}
        changed = [name for name, sha256 in deployed.items() if files.get(name, sha256) != sha256]
        if changed:
            raise DeployError(
                f"changed after it was applied: {', '.join(changed)};"
                " restore the file and put the change into a new migration"
            )
        unknown = [name for name in deployed if name not in files]
        if unknown:
            raise DeployError(
                f"the database has {', '.join(unknown)}, which this version of atlas-stage does not know:"
                " use the version that deployed it, or a newer one"
            )

    def reconcile(self) -> list[str]:
        """Make yoyo's marks agree with `atlas_migrations`; the names that got a mark."""
        recorded = self._recorded()
        marked = [each for each in self._backend.to_apply(self._all) if each.id in recorded]
        # Marked but not recorded: a rollback was interrupted between its two transactions.
        undone = [each for each in self._backend.to_rollback(self._all) if each.id not in recorded]
        self._backend.unmark_migrations(undone)
        for each in undone:
            self._forget(each.id)
        self._backend.mark_migrations(marked)
        return [each.id for each in marked]

    def apply(self, report: Report) -> list[str]:
        """Apply what is pending, each in its own transaction; the names. Raises DeployError."""
        applied = []
        for migration in self._backend.to_apply(self._all):
            with _file(migration.id, "sql", self._ledger):
                self._backend.apply_one(migration)
            report(f"applied {migration.id}")
            applied.append(migration.id)
        return applied

    def record(self) -> None:
        """Write the content hash of each applied migration that has none yet."""
        deployed = self._deployed()
        for migration in self._backend.to_rollback(self._all):
            if migration.id not in deployed:
                self._ledger.execute(
                    "insert into public.stage_deploys (part, name, sha256) values ('migration', %s, %s)",
                    [migration.id, content_hash(Path(migration.path))],
                )

    def require(self, name: str) -> None:
        """Raise DeployError when there is no such migration."""
        names = [migration.id for migration in self._all]
        if name not in names:
            raise DeployError(f"there is no migration {name}; there are {', '.join(names)}")

    def roll_back(self, to: str | None, report: Report) -> list[str]:
        """Roll back, newest first, everything after `to` (None: everything). Raises DeployError."""
        done = []
        for migration in self._backend.to_rollback(self._all):
            if migration.id == to:
                break
            with _file(migration.id, "rollback.sql", self._ledger):
                self._backend.rollback_one(migration)
            self._forget(migration.id)
            report(f"rolled back {migration.id}")
            done.append(migration.id)
        return done

    def _recorded(self) -> set[str]:
        if not exists(self._ledger, "public.atlas_migrations"):
            return set()
        return {
            str(row[0]) for row in self._ledger.execute("select id from public.atlas_migrations")
        }

    def _deployed(self) -> dict[str, str]:
        if not exists(self._ledger, "public.stage_deploys"):
            return {}
        rows = self._ledger.execute(
            "select name, sha256 from public.stage_deploys where part = 'migration' order by name"
        )
        return {str(name): str(sha256) for name, sha256 in rows}

    def _forget(self, name: str) -> None:
        if exists(self._ledger, "public.stage_deploys"):
            self._ledger.execute(
                "delete from public.stage_deploys where part = 'migration' and name = %s", [name]
            )


@contextlib.contextmanager
def opened(target: Target, folder: Path, ledger: Connection) -> Iterator[Migrations]:
    """The migrations in `folder`. `ledger` is the session that holds the deploy lock."""
    watch = Watch(ledger, target)
    with _Backend(target, default_migration_table) as backend, watch.running():
        try:
            yield Migrations(backend, folder, ledger)
        except _LockTimeoutError as timeout:
            raise watch.timed_out(str(timeout)) from None
        except exceptions.BadMigration as error:
            raise DeployError(f"migrations: {error}") from error


def content_hash(file: Path) -> str:
    """SHA-256 of a text file, the same whichever line ends the checkout has."""
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


class _LockTimeoutError(Exception):
    """A migration waited too long; its text names the file."""


@contextlib.contextmanager
def _file(name: str, ending: str, observer: Connection) -> Iterator[None]:
    """Run one file; its errors are told with its name. `observer` finds out which right was missing."""
    file = f"migrations/{name}.{ending}"
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # yoyo prints the rows of a SELECT
            yield
    except psycopg.errors.LockNotAvailable:
        raise _LockTimeoutError(file) from None
    except psycopg.errors.InsufficientPrivilege as error:
        advice = roles.missing(observer) or "deploy as the owner of the tables, or as a superuser"
        raise DeployError(f"{file}: {one_line(error)}; {advice}") from error
    except psycopg.Error as error:
        raise DeployError(f"{file}: {one_line(error)}") from error


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"
