"""What each function costs as the firm grows: the same calls among 1,000, 100,000 and 1,000,000 clients.

    python lab/bench/scale.py [--sizes 1000,100000,1000000] [--rows 30] [--calls 20]

--rows is per client, so the largest firm has 30,000,000. Each size has its own database and session on
an embedded server. The sizes run in turn and the fastest call counts, because other load can only slow a
call down. The bench also counts the 8 KB pages that a call reads, which no other load changes. Each call is
rolled back, so the next one finds the same data. The ratio is the largest firm against the smallest.

It takes 20 GB and three quarters of an hour. With --keep the firms are created or found in that folder, and stay.
"""

import time
import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
from generate_clients import generate
from house import start, throwaway
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from rows import Row, show

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.ops.deploy import migrate

_HERE = Path(__file__).parent
CALLS = tomllib.loads((_HERE / "calls.toml").read_text())
FACTS = (_HERE / "facts.sql").read_bytes()
PEOPLE = """
insert into public.actor_logins (db_role, actor_id) values (session_user, 'user:jimmie');
insert into public.agent_permissions (actor_id, permission, scope, granted_by)
values ('agent:tally', 'can_set_stage', '{"from": ["eom_close", "cleanup"]}', 'user:jimmie');
"""


def calls_in(db: psycopg.Connection) -> dict[str, sql.SQL]:
    """The calls as statements, among the clients that there are."""
    facts = db.cursor(row_factory=dict_row).execute(FACTS).fetchone()
    assert facts is not None
    for name in ("moves", "flags"):
        facts[name] = sql.Literal(Jsonb(facts[name])).as_string(db)
    return {name: sql.SQL("select api." + text.format(**facts)) for name, text in CALLS.items()}


Firms = dict[int, psycopg.Connection]
Statements = dict[int, dict[str, sql.SQL]]


def costs(firms: Firms, statements: Statements, calls: int) -> dict[str, dict[str, dict[int, float]]]:
    """By unit, call and size of the firm: the quickest of so many in milliseconds, all firms in turn, and the pages."""
    found: dict[str, dict[str, dict[int, float]]] = {"ms": {}, "pages": {}}
    for name in CALLS:
        times: dict[int, list[float]] = {size: [] for size in firms}
        for _ in range(3 if name == "summary" else calls):
            for size, db in firms.items():
                with db.transaction(force_rollback=True):
                    begun = time.perf_counter()
                    db.execute(statements[size][name]).fetchone()
                    times[size].append(1000 * (time.perf_counter() - begun))
        found["ms"][name] = {size: min(each) for size, each in times.items()}
        # by now the sessions know their catalog, which is read once
        found["pages"][name] = {size: pages(db, statements[size][name]) for size, db in firms.items()}
    return found


def pages(db: psycopg.Connection, statement: sql.SQL) -> float:
    query = sql.SQL("explain (analyze, buffers, format json) {}").format(statement)
    with db.transaction(force_rollback=True):
        row = db.execute(query).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    looked: float = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return looked


def firm(server: EmbeddedPostgres, size: int, rows: int) -> str:
    """DSN of the database with so many clients, made where it is not there yet."""
    name = f"scale_{size}_{rows}"
    dsn = server.dsn.replace("/postgres?", f"/{name}?")
    with psycopg.connect(server.dsn, autocommit=True) as db:
        found = db.execute("select from pg_database where datname = %s", [name]).fetchone()
        if found is not None:
            return dsn
        db.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    migrate(dsn)
    generate(dsn, size, rows)
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute(PEOPLE)
    return dsn


def measure(
    sizes: Sequence[int] = (1_000, 100_000, 1_000_000),
    calls: int = 20,
    rows: int = 30,
    keep: Path | None = None,
) -> list[Row]:
    """Each call in the largest firm, against the same in the smallest."""
    least, *between, most = sizes
    with throwaway(keep) as server, ExitStack() as opened:
        firms = {}
        for size in sizes:
            dsn = firm(server, size, rows)
            firms[size] = opened.enter_context(psycopg.connect(dsn, autocommit=True))
        statements = {size: calls_in(db) for size, db in firms.items()}
        found = costs(firms, statements, calls)
    measured = []
    for unit, taken in found.items():
        for name, each in taken.items():
            others = "".join(f" ({each[size]:.2f} {unit} among {size:,})" for size in between)
            of = f"among {least:,}{others}"
            what = f"{name}, among {most:,}"
            measured.append(Row(what, each[most], unit, each[least], of=of, wanted=1.5))
    return measured


def main(sizes: str = "1000,100000,1000000", calls: int = 20, rows: int = 30, keep: Path | None = None) -> None:
    """What each function costs as the firm grows."""
    found = measure([int(size) for size in sizes.split(",")], calls, rows, keep)
    show("a call, by the size of the firm", found)


if __name__ == "__main__":
    start(main)
