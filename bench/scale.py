"""What each function that reads costs as the firm grows: the same calls among 1,000, 100,000 and 1,000,000 clients.

    python bench/scale.py [--sizes 1000,100000,1000000] [--calls 20]

An embedded server, a database for each size, and the middle of so many calls in one session, in milliseconds.
The last column is the largest firm against the smallest: 1.5 is wanted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
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
    "stage and flag": "clients(stage => 'eom_close', flag => 'client_blocking', page_size => 50)",
    "owner": "clients(owner => 'user:bookkeeper-7', page_size => 50)",
    "tier": "clients(service_tier => 'full_service', page_size => 50)",
    "age": "clients(age_days_gt => 20, page_size => 50)",
    "attention": "clients(attention => 'stuck', page_size => 50)",
    "search, one client": "clients(search => 'bench-777', page_size => 50)",
    "search, all clients": "clients(search => 'client', page_size => 50)",
    "sort by age": "clients(sort => 'age', page_size => 50)",
    "sort by SLA": "clients(sort => 'sla', page_size => 50)",
    "one client": "client(client_id => {client})",
    "its history": "stage_history(client_id => {client})",
    "an admin's queue": "queue(page_size => 50)",
    "an agent's queue": "queue(actor_id => 'agent:tally', page_size => 50)",
    "an owner's queue": "queue(actor_id => 'user:bookkeeper-7', page_size => 50)",
    "closes": "closes(month => '2035-01', page_size => 50)",
    "changes": "changes(page_size => 50)",
    "changes of an actor": "changes(actor_id => 'system:install', page_size => 50)",
    "changes, nothing new": "changes(after => rules.feed_now())",
    "check_stages of 50": "check_stages(array(select id from public.clients order by id limit 50))",
    "summary": "summary()",
}
PEOPLE = """
insert into public.actor_logins (db_role, actor_id) values (session_user, 'user:jimmie');
insert into public.agent_permissions (actor_id, permission, scope, granted_by)
values ('agent:tally', 'can_set_stage', '{"from": ["eom_close", "cleanup"]}', 'user:jimmie');
"""


def milliseconds(dsn: str, calls: int) -> dict[str, float]:
    """Milliseconds of each call."""
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute(PEOPLE)
        row = db.execute("select min(id) + 500 from public.clients").fetchone()
        assert row is not None
        taken = {}
        for name, text in CALLS.items():
            statement = sql.SQL("select api." + text.format(client=row[0]))  # type: ignore[arg-type]
            times = []
            for _ in range(3 if name == "summary" else calls):
                begun = time.perf_counter()
                db.execute(statement).fetchone()
                times.append(1000 * (time.perf_counter() - begun))
            taken[name] = statistics.median(times)
        return taken


def measure(sizes: Sequence[int] = (1_000, 100_000, 1_000_000), calls: int = 20) -> list[Row]:
    """Each call in the largest firm, against the same in the smallest."""
    found: dict[int, dict[str, float]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="atlas-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "data") as server,
    ):
        for size in sizes:
            with psycopg.connect(server.dsn, autocommit=True) as db:
                db.execute(sql.SQL("create database {}").format(sql.Identifier(f"scale_{size}")))
            dsn = server.dsn.replace("/postgres?", f"/scale_{size}?")
            with console.status(f"{size:,} clients …"):
                migrate(dsn)
                generate(dsn, size)
                found[size] = milliseconds(dsn, calls)
    least, *between, most = sizes
    return [
        Row(
            f"{name}, among {most:,}",
            found[most][name],
            "ms",
            found[least][name],
            of=f"among {least:,}"
            + "".join(f" ({found[size][name]:.2f} ms among {size:,})" for size in between),
            wanted=1.5,
        )
        for name in CALLS
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
