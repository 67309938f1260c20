"""Fill a migrated database with clients and their history, as many as it takes to find out what becomes slow.

    python lab/bench/generate_clients.py --database postgresql://… --clients 1000000 --rows 30

Four in five are in weekly, the rest is spread over the other stages; tiers, cadences, schedules and some flags as a
firm would have them. An owner has 60 clients, however large the firm; but one in 500 clients is the team's. Each has so
many rows of history: who is in the monthly round went round it, a month for three rows; with the others a flag came and
went. Hashes are the product's own. Its other triggers rest meanwhile, which takes a superuser: this is for benches, not
for a firm's database.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from house import start
from rich.progress import track
from rows import console

# Clients of one transaction: so that what is interrupted is not all to be done again, and both cores have work.
_SLICE = 20_000

_HERE = Path(__file__).parent
_CLIENTS = (_HERE / "clients.sql").read_bytes()
_HISTORY = (_HERE / "history.sql").read_bytes()


def generate(dsn: str, clients: int, rows: int = 1) -> None:
    """Add the clients, each with so many rows of history, then let the server look at its tables."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        ((newest,),) = connection.execute("select coalesce(max(id), 0) from public.clients")
        begin, end = newest + 1, newest + clients + 1
        slices = range(begin, end, _SLICE)
        with ThreadPoolExecutor(os.cpu_count()) as sessions:
            done = sessions.map(lambda first: _fill(dsn, clients, rows, first, min(first + _SLICE, end) - 1), slices)
            what = f"{clients:,} clients"
            for _ in track(done, what, len(slices), console=console, transient=True):
                pass
        connection.execute("select setval('public.clients_id_seq', %s)", [end - 1])
        connection.execute("vacuum (analyze) public.clients")
        connection.execute("vacuum (analyze) public.stage_history")


def _fill(dsn: str, clients: int, rows: int, first: int, last: int) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("set local session_replication_role = replica")
        # No need to wait for this server's disk: a lost slice is created again.
        connection.execute("set local synchronous_commit = off")
        names = {"rows": rows, "first": first, "last": last, "owners": clients // 60}
        connection.execute(_CLIENTS, names)
        connection.execute(_HISTORY, names)


def main(database: Annotated[str, typer.Option()], clients: int = 10_000, rows: int = 30) -> None:
    """Fill a migrated database, by the URL of a superuser, with clients that have so many rows of history each."""
    begun = time.perf_counter()
    generate(database, clients, rows)
    made = f"{clients:,} clients with {clients * rows:,} rows"
    console.print(f"{made} in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    start(main)
