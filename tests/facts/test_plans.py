"""How the database finds what it answers: by index, never by reading all of `clients` or `stage_history`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.support.calls import call
from tests.support.jobs import JOBS

CLIENTS = 20_000
_FIRM = f"""
insert into clients (name, slug, stage, stage_entered_at, stage_owner, service_tier, flags, close_period)
select
  'Client ' || n, 'slug-' || n, s.stage, now() - n % 9 * interval '1 day', 'user:owner-' || n % 50,
  (array['recurring_only', 'full_service'])[1 + n % 2],
  case
    when n % 13 = 0 then '{{client_blocking}}'::text[]
    when n % 3 = 1 then '{{advisory_due}}'  -- all in eom_close and onboarding, nobody elsewhere
    else '{{}}'
  end,
  case when s.stage like 'eom%' then '2035-01' end
from generate_series(1, {CLIENTS}) n
join (select stage, row_number() over (order by stage) - 1 as nth from stages where kind <> 'pause') s
  on s.nth = n % 6;
insert into stage_history (
  client_id, version, to_stage, actor_type, actor_id, channel, trigger_type, reason, close_period
)
select c.id, 0, c.stage, 'system', 'system:install', 'psql', 'manual', 'made', c.close_period from clients c
where not exists (select from stage_history h where h.client_id = c.id);
insert into agent_permissions (actor_id, permission, scope, granted_by)
values ('agent:tally', 'can_set_stage', '{{"from": ["eom_close"]}}', 'user:jimmie');
"""


@pytest.fixture(scope="module")
def firm(dsn: str) -> Iterator[psycopg.Connection]:
    """A session of a firm with many clients, which the server has looked at."""
    with psycopg.connect(dsn, autocommit=True) as made:
        with made.transaction():
            made.execute("set local session_replication_role = replica")
            made.execute(_FIRM)
        made.execute("insert into actor_logins values (session_user, 'user:jimmie')")
        made.execute("vacuum (analyze) clients")
        made.execute("vacuum (analyze) stage_history")
        # a firm that is too large to be searched by reading all names
        made.execute("update pg_class set reltuples = 60000 where relname = 'clients'")
        yield made


def whole_reads(db: psycopg.Connection) -> dict[str, int]:
    """How often each of the two large tables was read from end to end, as far as this session remembers."""
    return dict(
        db.execute(
            "select relname, seq_scan from pg_stat_xact_user_tables"
            " where relid in ('public.clients'::regclass, 'public.stage_history'::regclass)"
        ).fetchall()
    )


def pages(db: psycopg.Connection, function: str, **arguments: Any) -> int:
    """How many pages of 8 KB a call looks at: what no other load changes."""
    call(db, function, **arguments)  # the first call of a session reads the catalog too
    return pages_of_next(db, function, **arguments)


def pages_of_next(db: psycopg.Connection, function: str, **arguments: Any) -> int:
    """The same of a call that isn't made before: of a change, which can't be made twice."""
    query = sql.SQL("explain (analyze, buffers, format json) select api.{}({})").format(
        sql.Identifier(function),
        sql.SQL(", ").join(
            sql.SQL("{} => {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in arguments.items()
        ),
    )
    row = db.execute(query).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


READS: list[tuple[str, dict[str, Any]]] = [
    ("clients", {}),
    ("clients", {"stage": "eom_close"}),
    ("clients", {"stage": "eom_close,weekly"}),
    ("clients", {"flag": "client_blocking"}),
    ("clients", {"flag": "stuck"}),
    ("clients", {"stage": "weekly", "flag": "client_blocking"}),
    ("clients", {"owner": "user:owner-7"}),
    ("clients", {"owner": "user:owner-7", "sort": "age"}),
    ("clients", {"unowned": True}),
    ("clients", {"active": False}),
    ("clients", {"active": None}),
    ("clients", {"stuck": True}),
    ("clients", {"stuck": False}),
    ("clients", {"attention": "stuck"}),
    ("clients", {"attention": "waiting_on_client", "sort": "sla"}),
    ("clients", {"attention": "none"}),
    ("clients", {"service_tier": "full_service"}),
    ("clients", {"age_days_gt": 5}),
    ("clients", {"search": "slug-777"}),
    ("clients", {"search": "client", "sort": "age"}),
    ("clients", {"sort": "age"}),
    ("clients", {"sort": "sla", "flag": "client_blocking"}),
    ("clients", {"client_ids": [1, 2, 3]}),
    ("client", {"client_id": 5}),
    ("client_id", {"client": "slug-777"}),
    ("stage_history", {"client_id": 5}),
    ("check_stages", {"client_ids": [5, 6]}),
    ("activity", {}),
    ("activity", {"actor_id": "user:jimmie"}),
    ("activity", {"client_id": 5}),
    ("activity", {"actor_id": "user:jimmie", "client_id": 5}),
    ("activity", {"day": "2026-05-05"}),
    ("queue", {}),
    ("queue", {"actor_id": "agent:tally"}),
    ("queue", {"actor_id": "user:owner-7"}),
    ("closes", {"month": "2035-01"}),
    ("closes", {"month": "2035-01", "state": "open"}),
    ("closes", {"month": "2035-01", "owner": "user:owner-7"}),
    ("changes", {}),
    ("changes", {"actor_id": "user:nobody"}),
    ("changes", {"client_id": 5}),
    ("changes", {"stage": "eom_close"}),
    ("changes", {"since": "2020-01-01"}),
]


@pytest.mark.parametrize(("function", "arguments"), READS, ids=str)
def test_no_read_goes_through_all_clients_or_all_history(
    firm: psycopg.Connection, function: str, arguments: dict[str, Any]
) -> None:
    with firm.transaction():
        before = whole_reads(firm)
        call(firm, function, **arguments)
        after = whole_reads(firm)

    assert after == before


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("set_stage", {"client_id": 4, "to_stage": "paused_client", "expected_version": 0}),
        ("set_flag", {"client_id": 5, "flag": "client_blocking"}),
        ("update_client", {"client_id": 6, "notes": "x"}),
    ],
    ids=str,
)
def test_no_change_of_one_client_goes_through_all(
    firm: psycopg.Connection, function: str, arguments: dict[str, Any]
) -> None:
    with firm.transaction(force_rollback=True):
        before = whole_reads(firm)
        call(firm, function, reason="looked at", **arguments)
        after = whole_reads(firm)

    assert after == before


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("changes", {"client_id": 5}),
        ("changes", {"client_id": 5, "actor_id": "system:install"}),
        ("changes", {"client_id": 5, "stage": "weekly"}),
        ("changes", {"actor_id": "user:nobody"}),
        ("changes", {"stage": "paused_client"}),
        ("clients", {"stage": "weekly", "flag": "advisory_due"}),
        ("clients", {"stage": "weekly", "flag": "advisory_due", "sort": "age"}),
        ("clients", {"flag": "season_tax"}),
        ("clients", {"flag": "season_tax", "sort": "sla"}),
        ("clients", {"search": "zzzz"}),
        ("clients", {"search": "zzzz", "page_size": 1}),
        ("clients", {"search": "zzzz", "page_size": 1, "stage": "weekly"}),
        ("clients", {"search": "client zzzz"}),
        ("clients", {"search": "client slug-19999"}),
        ("clients", {"search": "slug-19999", "sort": "age"}),
    ],
    ids=str,
)
def test_what_few_rows_answer_costs_few_pages(
    firm: psycopg.Connection, function: str, arguments: dict[str, Any]
) -> None:
    assert pages(firm, function, **{"page_size": 50} | arguments) < 90


@pytest.mark.parametrize(
    ("function", "arguments", "limit"),
    [
        ("clients", {}, 400),
        ("clients", {"stage": "eom_close"}, 400),
        ("clients", {"flag": "advisory_due"}, 500),
        ("clients", {"flag": "client_blocking", "sort": "sla"}, 800),
        ("clients", {"stage": "eom_close", "flag": "advisory_due", "sort": "age"}, 400),
        ("queue", {}, 2000),  # the rules are asked of each review whether it may be signed off
        ("queue", {"actor_id": "agent:tally"}, 800),
        ("queue", {"actor_id": "user:owner-7"}, 800),
    ],
    ids=str,
)
def test_a_page_costs_what_a_page_costs(
    firm: psycopg.Connection, function: str, arguments: dict[str, Any], limit: int
) -> None:
    assert pages(firm, function, page_size=50, **arguments) < limit


@pytest.mark.parametrize("sort", ["id", "age", "sla"])
@pytest.mark.parametrize(
    ("search", "query", "stage"),
    [
        ("slug-19999", "slug:* & 19999:*", None),
        ("client 1999", "client:* & 1999:*", None),  # a beginning that all have, and one of few
        ("slug 1", "slug:* & 1:*", None),  # and one of many
        ("slug 1", "slug:* & 1:*", "eom_review"),
        ("client slug", "client:* & slug:*", None),
        ("777 client", "777:* & client:*", "eom_review,cleanup"),
        ("zzzz", "zzzz:*", None),
    ],
)
def test_a_search_finds_the_same_whichever_way_it_takes(
    firm: psycopg.Connection, search: str, query: str, stage: str | None, sort: str
) -> None:
    filters = {"search": search, "sort": sort, "stage": stage}
    first = call(firm, "clients", page_size=30, **filters)
    rest = call(firm, "clients", page_size=30, cursor=first["next_cursor"], **filters)

    order = {
        "id": "c.id",
        "age": "c.stage_entered_at, c.id",
        "sla": "c.stage_entered_at + coalesce(s.max_days, 36500) * interval '24 hours', c.id",
    }
    wanted = firm.execute(
        sql.SQL(
            "select c.id from clients c join stages s using (stage)"
            " where c.stage = any (coalesce(string_to_array(%s, ','), array[c.stage]))"
            " and to_tsvector('simple', rules.search_text(c.name, c.slug)) @@ %s::tsquery order by {}"
            " limit 60"
        ).format(sql.SQL(order[sort])),  # type: ignore[arg-type]
        (stage, query),
    ).fetchall()
    found = [client["id"] for client in first["clients"]]
    if first["next_cursor"] is not None:
        found += [client["id"] for client in rest["clients"]]
    assert found == [client for (client,) in wanted]


def test_a_whole_read_is_seen(firm: psycopg.Connection) -> None:
    with firm.transaction():
        before = whole_reads(firm)
        firm.execute("select max(notes) from clients")
        after = whole_reads(firm)

    assert after["clients"] > before["clients"]


def test_every_index_is_there_for_a_call(firm: psycopg.Connection) -> None:
    """An index that nothing reads makes each move dearer. Unique ones are there for what they refuse."""
    firm.execute("select pg_stat_reset()")
    for function, arguments in READS:
        call(firm, function, **arguments)
    with firm.transaction(force_rollback=True):
        for job in (*JOBS, "stage_stuck_detector"):
            row = firm.execute("select jobs.run(%s, '2035-05-16 12:00-05') ->> 'run_id'", (job,)).fetchone()
        assert row is not None
        call(firm, "rollback_run", run_id=int(row[0]), reason="looked at")
        item = {"client_id": 4, "flag": "advisory_due", "set": True}
        batch = call(firm, "set_flags", items=[item])["batch"]
        call(firm, "undo_batch", batch=batch)
        call(firm, "create_client", name="One More", slug="one-more")
        firm.execute("select * from ops.hash_history(0)")
    firm.execute("select pg_stat_force_next_flush()")

    unread = firm.execute(
        "select indexrelname from pg_stat_user_indexes join pg_index using (indexrelid)"
        " where relname in ('clients', 'stage_history') and idx_scan = 0 and not indisunique"
    ).fetchall()
    assert unread == []


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("client", {}),
        ("check_stage", {"to_stage": "paused_client"}),
        ("stage_history", {}),
        ("set_stage", {"to_stage": "paused_client", "expected_version": 3000, "reason": "looked at"}),
        ("set_stage", {"to_stage": "eom_close", "expected_version": 3000, "reason": "looked at"}),
        ("set_flag", {"flag": "advisory_due", "reason": "looked at"}),
        ("update_client", {"notes": "x"}),
    ],
    ids=str,
)
def test_a_client_with_a_long_history_costs_what_others_cost(
    firm: psycopg.Connection, function: str, arguments: dict[str, Any]
) -> None:
    """In a young firm every other client has one row, so an index on the client alone looks as good to the planner.

    The last test of the file: its dead rows cost the others pages.
    """
    with firm.transaction(force_rollback=True):
        firm.execute("set local session_replication_role = replica")
        firm.execute(
            "insert into stage_history (client_id, version, actor_type, actor_id, channel, trigger_type, reason)"
            " select c.id, n, 'human', 'user:jimmie', 'psql', 'manual', 'made'"
            " from clients c cross join generate_series(1, 3000) n where c.id in (5, 11) order by 2, 1"
        )
        firm.execute("update clients set version = 3000, stage = 'weekly', close_period = null where id in (5, 11)")
        firm.execute("set local session_replication_role = origin")

        call(firm, function, client_id=5, **arguments)
        assert pages_of_next(firm, function, client_id=11, **arguments) < 200
