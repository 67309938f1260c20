"""What the benches share: their command line, a throwaway server, and the floor to measure moves against.

The floor is the same tables with their columns, CHECKs, indexes and foreign key, and without triggers, so that what is
measured is the price of the rules and not that of the storage.
"""

import functools
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import typer
from rows import LeftOutError, Row, console, show

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.local.embedded.programs import binaries_of
from atlas_stage.ops.deploy import migrate

PGBENCH = binaries_of(18) / "pgbench"

CLIENTS = """
insert into public.clients (name, slug)
select 'Client ' || n, 'client-' || n from generate_series(%s::bigint, %s::bigint) as n
"""

_FLOOR = """
create schema floor;
create table floor.clients (like public.clients including all);
create table floor.stage_history (like public.stage_history including all);
alter table floor.stage_history add foreign key (client_id) references floor.clients (id);
insert into floor.clients select * from public.clients;
insert into floor.stage_history select * from public.stage_history;
"""


def command(title: str, measure: Callable[..., list[Row]]) -> None:
    """The command line of a bench, whose options are the parameters of `measure`."""

    @functools.wraps(measure)
    def main(**options: object) -> None:
        try:
            show(title, measure(**options))
        except LeftOutError as error:
            sys.exit(str(error))

    start(main)


def start(main: Callable[..., None]) -> None:
    """A command line whose options are the parameters of `main`."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()


@contextmanager
def throwaway(folder: Path | None = None) -> Iterator[EmbeddedPostgres]:
    """A migrated server. Its data is below `folder`; without one, nothing is left afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="atlas-bench-", dir="/tmp") as temporary,
        EmbeddedPostgres((folder or Path(temporary)) / "data") as server,
    ):
        migrate(server.dsn)
        yield server


@contextmanager
def bench_database(clients: int) -> Iterator[str]:
    """DSN of a migrated database with so many clients in weekly, and their floor; gone afterwards."""
    with throwaway() as server:
        with (
            console.status(f"a server with {clients:,} clients …"),
            psycopg.connect(server.dsn, autocommit=True) as connection,
        ):
            # The bench's login is the admin of the seed rows.
            connection.execute(
                "insert into public.actor_logins (db_role, actor_id) values (session_user, 'user:jimmie')"
            )
            connection.execute(CLIENTS, (1, clients))
            connection.execute(_FLOOR)
            tidy(connection)
        yield server.dsn


def tidy(connection: psycopg.Connection) -> None:
    """Begin each round alike: no dead rows, nothing left to write."""
    for table in ("public.clients", "public.stage_history", "floor.clients", "floor.stage_history"):
        connection.execute(f"vacuum (analyze) {table}")
    connection.execute("checkpoint")
