"""What verifies, digests, erases and prunes reads what it is about, and never all of `clients` or `stage_history`."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

CLIENTS = 8_000
# How many entries of the two large tables and of their indexes were read, as far as this session remembers.
_READ = """
select
  coalesce(sum(pg_stat_get_xact_tuples_returned(t.oid)), 0)::integer
    + coalesce(sum((
      select sum(pg_stat_get_xact_tuples_returned(i.indexrelid)) from pg_index i where i.indrelid = t.oid
    )), 0)::integer
from unnest(array['public.clients', 'public.stage_history']::regclass[]) as t (oid)
"""
# A cursor of api.digest up to its position.
MOMENT = "rules.digest_moment() || '/clients=0/rows=0/records=0/sha256='"
# Enough for a page of a hundred clients with a handful of rows each, looked at a few times.
_A_PAGE_S_WORTH = 3_000


@pytest.fixture(scope="module")
def firm(dsn: str) -> Iterator[psycopg.Connection]:
    """A session of an admin in a firm with many clients, whose versions are recorded and hashed."""
    with psycopg.connect(dsn, autocommit=True) as made:
        made.execute("insert into actor_logins values (session_user, 'user:jimmie')")
        made.execute(
            "insert into clients (name, slug, stage, stage_notes) select 'C ' || n, 'c-' || n, 'weekly', 'known'"
            f" from generate_series(1, {CLIENTS}) as n"
        )
        made.execute("update clients set stage_owner = 'user:ada' where id % 4 = 0")
        made.execute(
            "insert into idempotency_keys (external_id, actor_id, request_sha256, response, created_at)"
            " select 'k' || n, 'user:ada', '', '{}', now() - n * interval '1 minute'"
            " from generate_series(1, 50000) as n"
        )
        made.execute("vacuum (analyze) clients, stage_history, idempotency_keys")
        yield made


def read(db: psycopg.Connection, statement: str) -> int:
    """How many entries a statement reads."""
    with db.transaction(force_rollback=True):
        before = remembered(db)
        db.execute(statement.encode()).fetchall()
        return remembered(db) - before


def remembered(db: psycopg.Connection) -> int:
    row = db.execute(_READ.encode()).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize(
    "statement",
    [
        "select api.verify(client_id => 777)",
        "select api.verify()",
        "select api.verify(after => 'clients:4000')",
        "select api.verify(after => 'clients:7950')",
        "select api.verify(after => 'records:0')",
        "select api.digest(page_size => 200)",
        f"select api.digest(after => {MOMENT} || '/next=clients:4000', page_size => 200)",
        f"select api.digest(after => {MOMENT} || '/next=clients:7950', page_size => 200)",
        f"select api.digest(after => {MOMENT} || '/next=records:0')",
        "select rules.history_breaks(777, 777)",
        "select rules.history_breaks(4000, 4099)",
        "select api.erase_words(client_id => 777, reason => 'asked to')",
        "select api.administration()",
        "select api.administration(about => 'stages', actor_id => 'system:install', before_id => 50)",
        "select ops.prune()",
        "select api.stage_history(client_id => 777)",
        "select api.stage_history(client_id => 777, before_version => 1, page_size => 1000)",
    ],
)
def test_no_more_is_read_than_a_page(firm: psycopg.Connection, statement: str) -> None:
    for _ in range(7):  # a plan that is kept comes after five
        assert read(firm, statement) < _A_PAGE_S_WORTH


@pytest.mark.parametrize(
    "statement",
    [
        "select count(stage_notes) from clients",
        "select count(reason) from stage_history",
        "select rules.history_breaks(0, 4000)",
    ],
)
def test_reading_more_is_seen(firm: psycopg.Connection, statement: str) -> None:
    assert read(firm, statement) >= _A_PAGE_S_WORTH
