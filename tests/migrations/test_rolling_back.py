"""Every migration can be undone on a database with data, and applied again."""

from __future__ import annotations

import psycopg
import pytest

from atlas_stage.ops.deploy import migrate, rollback
from tests.migrations.test_applying import OURS
from tests.support.calls import all_breaks, call, grant, make_client, move
from tests.support.catalogs import schema_lines
from tests.support.old_atlas import make_old_atlas, read_as_before

pytestmark = pytest.mark.slow


def put_data_everywhere(dsn: str) -> None:
    """Rows in every table of ours, some of them from the firm and not from the seeds."""
    with psycopg.connect(dsn) as db:
        client = make_client(db, "eom_close", owner="user:ada", collaborators=["user:bo"])
        move(db, client, "eom_review", external_id="key-1")
        call(db, "set_flag", client_id=client, flag="client_blocking", reason="no bank feed")
        make_client(db, "paused_client", returning_to="cleanup")
        grant(db, "agent:tally", "can_set_flag", {"flags": ["client_blocking"]})
        call(db, "issue_token", actor_id="user:ada", never_expires=True)
        call(db, "erase_words", client_id=client, reason="asked to")
        call(db, "delete_client", client_id=make_client(db), reason="a mistake")
        db.execute(
            "insert into covers (batch, from_actor_id, to_actor_id, until, made_by)"
            " values (gen_random_uuid(), 'user:ada', 'user:bo', '2030-01-02', 'user:ada')"
        )
        db.execute("insert into actor_logins values ('ada', 'user:ada')")
        db.execute("insert into stage_flags values ('audit', 'An audit', '{anyone}')")
        db.execute("insert into business_holidays values ('2026-12-24', 'Firm closed')")
        db.execute("update stage_settings set separate_reviewer = true")
        db.execute("insert into job_runs (job, due_at, as_of) values ('flag_seasonal', now(), now())")


@pytest.mark.parametrize("last", [None, *OURS[:-1]])
def test_undoes_what_came_after_and_applies_it_again(empty_dsn: str, last: str | None) -> None:
    make_old_atlas(empty_dsn)
    before_us = schema_lines(empty_dsn)
    old_rows = read_as_before(empty_dsn)
    migrate(empty_dsn)
    migrated = schema_lines(empty_dsn)
    put_data_everywhere(empty_dsn)

    undone = rollback(empty_dsn, to=last)

    expected = OURS[(OURS.index(last) + 1) if last else 0 :]
    assert undone == expected[::-1]
    assert read_as_before(empty_dsn)[: len(old_rows)] == old_rows
    with psycopg.connect(empty_dsn) as db:
        left = db.execute("select array_agg(id order by id) from atlas_migrations").fetchone()
    assert left is not None
    assert [name for name in left[0] if name in OURS] == [n for n in OURS if n not in expected]
    assert "009_kade_tasks" in left[0]
    if last is None:
        assert schema_lines(empty_dsn) == before_us

    report = migrate(empty_dsn)

    assert report.applied == expected
    assert report.logic_changed
    assert schema_lines(empty_dsn) == migrated
    with psycopg.connect(empty_dsn) as db:
        client = make_client(db, "weekly", slug="after")
        assert move(db, client, "eom_close")["changed"]
        db.execute("set constraints all immediate")
        assert all_breaks(db) == []


def test_roles_that_another_database_uses_stay(empty_dsn: str, fresh_dsn: str) -> None:
    migrate(empty_dsn)
    rollback(empty_dsn)
    with psycopg.connect(fresh_dsn) as db:  # PostgREST's login owns nothing there
        assert db.execute("select to_regrole('atlas_authenticator') is not null").fetchone() == (True,)
        assert "can_write" not in {row[0] for row in db.execute("select finding from ops.findings(true)")}


def test_every_client_gets_a_version_0_row_again(empty_dsn: str) -> None:
    make_old_atlas(empty_dsn)
    migrate(empty_dsn)
    put_data_everywhere(empty_dsn)

    rollback(empty_dsn, to="001_roles")
    migrate(empty_dsn)

    with psycopg.connect(empty_dsn) as db:
        row = db.execute(
            "select count(*) filter (where h.version = 0 and c.version = 0), count(*)"
            " from clients c left join stage_history h on h.client_id = c.id"
        ).fetchone()
    assert row == (54, 54)


def test_undoing_everything_on_a_database_that_was_empty_leaves_it_empty(empty_dsn: str) -> None:
    before = schema_lines(empty_dsn)
    migrate(empty_dsn)
    put_data_everywhere(empty_dsn)

    rollback(empty_dsn)

    assert schema_lines(empty_dsn) == before


def test_undoing_nothing_says_so(empty_dsn: str) -> None:
    migrate(empty_dsn)
    before = schema_lines(empty_dsn)

    assert rollback(empty_dsn, to=OURS[-1]) == []
    migrate(empty_dsn)

    assert schema_lines(empty_dsn) == before
