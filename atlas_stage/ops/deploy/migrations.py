"""The versioned migrations: yoyo reads and orders them, and `atlas_migrations` lists those that are applied.

A migration inserts its own row there. The hash of its file goes to `stage_deploys` in the same transaction; the next
deploy adds those that are missing. The migrations that need the stored logic share one transaction with it.
"""

import glob
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from yoyo import exceptions, read_migrations
from yoyo.migrations import topological_sort

from atlas_stage.ops.deploy import installation, roles
from atlas_stage.ops.deploy.connection import Connection, DeployError, Target, exists, explained, run, watching

ADVICE = "restore the file and put the change into a new migration, or use the version that deployed this database"


@dataclass(frozen=True)
class Books:
    """The migrations of this package, and how a database compares with them; names, in order."""

    files: dict[str, str]
    """Each with the hash of its file."""
    pending: list[str]
    """To be applied."""
    unmarked: list[str]
    """Applied, and their hash is missing: that deploy was interrupted, or was another program's."""
    changed: list[str]
    """Applied, and their file changed afterwards."""
    unknown: list[str]
    """Applied by another version of this package."""

    def drift(self) -> list[str]:
        """What differs in the migrations that are applied, in words."""
        return [
            *(f"{name} was changed after it was applied" for name in self.changed),
            *(f"{name}, which this version of atlas-stage doesn't know, is applied" for name in self.unknown),
        ]


def read_books(connection: Connection, folder: Path) -> Books:
    """Compare the migrations in `folder` with those of a database. Raises DeployError."""
    try:
        # yoyo takes a glob pattern, so escape the folder's name.
        found = topological_sort(read_migrations(glob.escape(str(folder))))
    except exceptions.BadMigration as error:
        raise DeployError(f"migrations: {error}") from error
    files = {each.id: installation.content_hash(Path(each.path)) for each in found}
    if not files:
        raise DeployError(f"there are no migrations in {folder}")
    applied: list[str] = []
    hashes: dict[str, str] = {}
    if exists(connection, "public.atlas_migrations"):
        rows = connection.execute("select id from public.atlas_migrations order by id").fetchall()
        applied = [name for (name,) in rows]
    if exists(connection, "public.stage_deploys"):
        statement = "select name, sha256 from public.stage_deploys where part = 'migration'"
        hashes = dict(connection.execute(statement).fetchall())
    known = [name for name in applied if name in hashes]
    return Books(
        files,
        pending=[name for name in files if name not in applied],
        unmarked=[name for name in files if name in applied and name not in hashes],
        changed=[name for name in known if name in files and files[name] != hashes[name]],
        unknown=[name for name in known if name not in files],
    )


@dataclass
class Migrations:
    """The migrations in `folder` against one database, with the deploy lock held by `session`."""

    connection: Connection
    session: Connection
    folder: Path
    books: Books
    timed_out: Callable[[str], DeployError]
    revoked: list[str] = field(default_factory=list)
    """What other roles held on our objects, and lost."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction as a member of the owner roles, after which no other role has rights on our tables."""
        with roles.as_owner(self.connection):
            yield
            # Here, so that the host's default privileges on new tables are never in force.
            self.revoked += installation.revoke_others(self.connection, self.folder.parent)

    def apply(self, name: str) -> None:
        """Apply a migration, in an open transaction. Raises DeployError."""
        self._run(f"{name}.sql")
        self.mark(name)

    def mark(self, name: str) -> None:
        """Record the hash of an applied migration."""
        run(self.connection, "record_deploy", "migration", name, self.books.files[name])

    def roll_back(self, name: str) -> None:
        """Roll back a migration, in an open transaction. Raises DeployError."""
        run(self.connection, "forget_migration", name)  # before the first of them drops that table
        self._run(f"{name}.rollback.sql")

    def _run(self, file: str) -> None:
        try:
            self.connection.execute("set local search_path = public")
            self.connection.execute((self.folder / file).read_bytes())
            self.connection.execute("set local search_path = pg_catalog")
        except psycopg.errors.LockNotAvailable:
            raise self.timed_out(f"migrations/{file}") from None
        except psycopg.errors.DeadlockDetected:
            raise  # tried again
        except psycopg.Error as error:
            said = f"migrations/{file}: {explained(self.session, error)}"
            if isinstance(error, psycopg.errors.InsufficientPrivilege):
                advice = "deploy as the owner of the tables, or as a superuser"
                said += f"; {roles.missing(self.session) or advice}"
            raise DeployError(said) from error


@contextmanager
def opened(target: Target, folder: Path, session: Connection) -> Iterator[Migrations]:
    """The migrations in `folder`. `session` holds the deploy lock."""
    books = read_books(session, folder)
    with target.connect() as connection, watching(session, target) as timed_out:
        yield Migrations(connection, session, folder, books, timed_out)
