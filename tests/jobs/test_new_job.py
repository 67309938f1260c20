"""A job is its definition and its row in the catalog: no other file of the product names it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.jobs import Jobs
from tests.support.calls import call, client_row, make_client

DEFINITION = """
create or replace function jobs.flag_new(due_at timestamptz, as_of timestamptz, among bigint[])
returns setof jobs.step
language sql stable
as $$
  select 'set', 'advisory_due', null::text, 'a new job', null::text, array_agg(c.id)
  from public.clients c
  where (flag_new.among is null or c.id = any (flag_new.among)) and c.flags = '{}'
$$;
"""
ROW = "('flag_new', 'daily', null, null, array['advisory_due'], 'sets advisory_due'),"


@pytest.fixture
def with_job(root: Path) -> Path:
    """The next version, with one more job."""
    definitions = root / "sql" / "jobs" / "definitions"
    (definitions / "flag_new.sql").write_text(DEFINITION)
    catalog = (definitions / "catalog.sql").read_text()
    (definitions / "catalog.sql").write_text(
        catalog.replace("cross join lateral (values", f"cross join lateral (values {ROW}")
    )
    return root


def test_a_definition_and_a_row_of_the_catalog_are_enough(fresh_dsn: str, with_job: Path) -> None:
    migrate(fresh_dsn, root=with_job)
    with psycopg.connect(fresh_dsn) as db:
        client = make_client(db)
    with Jobs(fresh_dsn) as jobs:
        assert "flag_new" in {each["job"] for each in jobs.catalog()}
        done = jobs.perform("flag_new", only_if_due=True)
    assert (done.outcome, done.counts["flagged"]) == ("done", 1)
    with psycopg.connect(fresh_dsn) as db:
        assert client_row(db, client)["flags"] == ["advisory_due"]


def test_a_grant_that_an_admin_revoked_stays_revoked(fresh_dsn: str, with_job: Path) -> None:
    migrate(fresh_dsn, root=with_job)
    with psycopg.connect(fresh_dsn) as db:
        row = db.execute("select id from agent_permissions where actor_id = 'system:cron:flag_new'").fetchone()
        assert row is not None
        call(db, "revoke_permission", permission_id=row[0])
    migrate(fresh_dsn, root=with_job, force=True)
    with psycopg.connect(fresh_dsn) as db:
        states = db.execute(
            "select revoked_at is null from agent_permissions where actor_id = 'system:cron:flag_new'"
        ).fetchall()
    assert states == [(False,)]
