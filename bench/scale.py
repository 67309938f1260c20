"""What each function that reads costs as the firm grows: the same calls among 1,000, 100,000 and 1,000,000 clients.

    python bench/scale.py [--sizes 1000,100000,1000000] [--calls 20]

An embedded server, a database and a session for each size, and the quickest of so many calls, all sizes in turn: what
else the machine does makes calls slower and none quicker. Then the pages of 8 KB that a call looks at, which no other
load changes. The ratio is the largest firm against the smallest.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
from generate_clients import generate
from psycopg import sql
from rows import Row, console, show

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.ops.deploy import migrate

CALLS = {
    "a page of 50": "clients(page_size => 50)",
    "stage": "clients(stage => 'eom_close', page_size => 50)",
    "several stages": "clients(stage => 'eom_close,eom_review', page_size => 50)",
    "flag": "clients(flag => 'advisory_due', page_size => 50)",
    "flag, sort by SLA": "clients(flag => 'advisory_due', sort => 'sla', page_size => 50)",
    "stage and flag, where nobody has both": (
        "clients(stage => 'eom_close', flag => 'client_blocking', page_size => 50)"
    ),
    "owner": "clients(owner => 'user:bookkeeper-7', page_size => 50)",
    "owner and stage": "clients(owner => 'user:bookkeeper-7', stage => 'eom_close', page_size => 50)",
    "owner, sort by age": "clients(owner => 'user:bookkeeper-7', sort => 'age', page_size => 50)",
    "unowned": "clients(unowned => true, page_size => 50)",
    "tier": "clients(service_tier => 'full_service', page_size => 50)",
    "age": "clients(age_days_gt => 20, page_size => 50)",
    "attention": "clients(attention => 'stuck', page_size => 50)",
    "attention, sort by SLA": "clients(attention => 'stuck', sort => 'sla', page_size => 50)",
    "waiting on the client": "clients(attention => 'waiting_on_client', page_size => 50)",
    "stuck": "clients(stuck => true, page_size => 50)",
    "search, one client": "clients(search => 'bench-{clients}', page_size => 50)",
    "search, nobody": "clients(search => 'zzzz', page_size => 50)",
    "search, the more the larger the firm": "clients(search => 'bench-777', page_size => 50)",
    "search, all clients": "clients(search => 'client', page_size => 50)",
    "sort by age": "clients(sort => 'age', page_size => 50)",
    "sort by SLA": "clients(sort => 'sla', page_size => 50)",
    "one client": "client(client_id => {client})",
    "its history": "stage_history(client_id => {client})",
    "an owner's queue": "queue(actor_id => 'user:bookkeeper-7', page_size => 50)",
    "an agent's queue": "queue(actor_id => 'agent:tally', page_size => 50)",
    "an admin's queue": "queue(page_size => 50)",
    "closes": "closes(month => '2035-01', page_size => 50)",
    "closes, state open": "closes(month => '2035-01', state => 'open', page_size => 50)",
    "closes of an owner": "closes(month => '2035-01', owner => 'user:bookkeeper-7', page_size => 50)",
    "changes": "changes(page_size => 50)",
    "changes of an actor": "changes(actor_id => 'system:install', page_size => 50)",
    "changes of a client": "changes(client_id => {client}, page_size => 50)",
    "changes into a stage": "changes(stage => 'eom_close', page_size => 50)",
    "changes, nothing new": "changes(after => rules.feed_now())",
    "check_stages of 50": "check_stages(array(select id from public.clients order by id limit 50))",
    "summary": "summary()",
}
PEOPLE = """
insert into public.actor_logins (db_role, actor_id) values (session_user, 'user:jimmie');
insert into public.agent_permissions (actor_id, permission, scope, granted_by)
values ('agent:tally', 'can_set_stage', '{"from": ["eom_close", "cleanup"]}', 'user:jimmie');
"""


def calls_in(db: psycopg.Connection) -> dict[str, sql.SQL]:
    """The calls as statements, among the clients that there are."""
    db.execute(PEOPLE)
    row = db.execute("select min(id) + 500, count(*) from public.clients").fetchone()
    assert row is not None
    facts = {"client": row[0], "clients": row[1]}
    return {name: sql.SQL("select api." + text.format(**facts)) for name, text in CALLS.items()}


Firms = dict[int, psycopg.Connection]
Statements = dict[int, dict[str, sql.SQL]]


def quickest(firms: Firms, statements: Statements, calls: int) -> dict[str, dict[int, float]]:
    """Milliseconds of the quickest of so many of each call, in each firm, all firms in turn."""
    taken: dict[str, dict[int, float]] = {}
    for name in CALLS:
        times: dict[int, list[float]] = {size: [] for size in firms}
        for _ in range(3 if name == "summary" else calls):
            for size, db in firms.items():
                begun = time.perf_counter()
                db.execute(statements[size][name]).fetchone()
                times[size].append(1000 * (time.perf_counter() - begun))
        taken[name] = {size: min(each) for size, each in times.items()}
    return taken


def pages(firms: Firms, statements: Statements) -> dict[str, dict[int, float]]:
    """How many pages each call looks at, in each firm; after `quickest`, by when a session knows its catalog."""
    looked: dict[str, dict[int, float]] = {name: {} for name in CALLS}
    for size, db in firms.items():
        for name, statement in statements[size].items():
            query = sql.SQL("explain (analyze, buffers, format json) {}").format(statement)
            row = db.execute(query).fetchone()
            assert row is not None
            plan = row[0][0]["Plan"]
            looked[name][size] = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return looked


def measure(sizes: Sequence[int] = (1_000, 100_000, 1_000_000), calls: int = 20) -> list[Row]:
    """Each call in the largest firm, against the same in the smallest."""
    least, *between, most = sizes
    with (
        tempfile.TemporaryDirectory(prefix="atlas-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "data") as server,
        ExitStack() as opened,
    ):
        firms = {}
        for size in sizes:
            with psycopg.connect(server.dsn, autocommit=True) as db:
                db.execute(sql.SQL("create database {}").format(sql.Identifier(f"scale_{size}")))
            dsn = server.dsn.replace("/postgres?", f"/scale_{size}?")
            with console.status(f"{size:,} clients …"):
                migrate(dsn)
                generate(dsn, size)
            firms[size] = opened.enter_context(psycopg.connect(dsn, autocommit=True))
        statements = {size: calls_in(db) for size, db in firms.items()}
        found = {"ms": quickest(firms, statements, calls), "pages": pages(firms, statements)}
    return [
        Row(
            f"{name}, among {most:,}",
            each[most],
            unit,
            each[least],
            of=f"among {least:,}"
            + "".join(f" ({each[size]:.2f} {unit} among {size:,})" for size in between),
            wanted=1.5,
        )
        for unit, taken in found.items()
        for name, each in taken.items()
    ]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--calls", type=int, default=20)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    show("a call, by the size of the firm", measure(sizes, options.calls))


if __name__ == "__main__":
    main()
