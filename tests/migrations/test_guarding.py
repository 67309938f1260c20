"""A deploy refuses an unexpected schema, survives being cut off, and gives up soon if it has to wait."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from atlas_stage import Unavailable
from atlas_stage.ops.deploy import DeployError, migrate
from tests.migrations.test_applying import OURS
from tests.support.calls import make_client, move
from tests.support.catalogs import schema_lines
from tests.support.old_atlas import make_old_atlas


def test_a_changed_applied_migration_is_refused_by_its_name(fresh_dsn: str, root: Path) -> None:
    before = schema_lines(fresh_dsn)
    for name in (OURS[0], OURS[-1]):
        file = root / "migrations" / f"{name}.sql"
        applied = file.read_text()
        file.write_text(applied + "\n-- a remark\n")

        with pytest.raises(DeployError, match=name) as caught:
            migrate(fresh_dsn, root=root)

        assert "\n" not in str(caught.value)
        assert schema_lines(fresh_dsn) == before, name
        file.write_text(applied)


def test_line_ends_of_the_checkout_are_no_change(fresh_dsn: str, root: Path) -> None:
    for file in root.rglob("*.sql"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    report = migrate(fresh_dsn, root=root)

    assert report.applied == []
    assert not report.logic_changed


def test_changed_stored_logic_is_deployed(fresh_dsn: str, root: Path) -> None:
    (file,) = (root / "sql").rglob("actor_type.sql")
    file.write_text(file.read_text() + "\ncomment on function rules.actor_type(text) is 'changed';\n")

    assert migrate(fresh_dsn, root=root).logic_changed
    assert not migrate(fresh_dsn, root=root).logic_changed

    with psycopg.connect(fresh_dsn) as db:
        row = db.execute("select obj_description('rules.actor_type(text)'::regprocedure, 'pg_proc')").fetchone()
    assert row == ("changed",)


def test_a_removed_function_is_gone_after_the_deploy(fresh_dsn: str, root: Path) -> None:
    extra = root / "sql" / "rules" / "extra.sql"
    extra.write_text("create function rules.extra() returns int language sql return 1;\n")
    migrate(fresh_dsn, root=root)
    extra.unlink()

    migrate(fresh_dsn, root=root)

    with psycopg.connect(fresh_dsn) as db:
        assert db.execute("select to_regproc('rules.extra')").fetchone() == (None,)


def test_broken_stored_logic_changes_nothing(fresh_dsn: str, root: Path) -> None:
    before = schema_lines(fresh_dsn)
    (root / "sql" / "api" / "zzz.sql").write_text("create function api.zzz( nonsense;\n")

    with pytest.raises(DeployError, match=r"zzz\.sql"):
        migrate(fresh_dsn, root=root)

    assert schema_lines(fresh_dsn) == before


def test_a_broken_migration_is_named_and_leaves_nothing(empty_dsn: str, root: Path) -> None:
    make_old_atlas(empty_dsn)
    file = root / "migrations" / "011_stage_rule_tables.sql"
    file.write_text(file.read_text() + "\nselect no_such_column from public.clients;\n")

    with pytest.raises(DeployError, match="011_stage_rule_tables"):
        migrate(empty_dsn, root=root)

    with psycopg.connect(empty_dsn) as db:
        columns = "select attname from pg_attribute where attrelid = 'public.clients'::regclass and attname = 'stage'"
        assert db.execute(columns).fetchall() == []
    # and with the repaired file it begins again, at the first that alters what the host has
    assert migrate(empty_dsn).applied == OURS[2:]


def test_a_client_added_while_a_deploy_was_cut_off_gets_its_history_too(empty_dsn: str, root: Path) -> None:
    """As an earlier version cut it off, whose first migrations were a transaction each."""
    make_old_atlas(empty_dsn)
    first, later = OURS[:6], OURS[6:]
    for name in first:
        with psycopg.connect(empty_dsn) as db:
            db.execute("set search_path = public")
            db.execute((root / "migrations" / f"{name}.sql").read_bytes())
    with psycopg.connect(empty_dsn) as db:
        db.execute("insert into clients (name, slug) values ('Late', 'late')")

    done = migrate(empty_dsn)
    assert (done.marked, done.applied) == (first, later)

    with psycopg.connect(empty_dsn) as db:
        rows = db.execute(
            "select c.version, h.version, h.to_stage"
            " from clients c left join stage_history h on h.client_id = c.id where c.slug = 'late'"
        ).fetchall()
    assert rows == [(0, 0, "weekly")]


def test_a_deploy_that_was_cut_off_between_its_two_commits_is_finished(upgraded_dsn: str) -> None:
    schema = schema_lines(upgraded_dsn)
    for name in OURS:
        with psycopg.connect(upgraded_dsn) as db:
            db.execute("delete from stage_deploys where part = 'migration' and name = %s", (name,))

        report = migrate(upgraded_dsn)

        assert report.marked == [name]  # and none from before
        assert report.applied == []
        assert schema_lines(upgraded_dsn) == schema, name
    assert migrate(upgraded_dsn).marked == []


def test_yoyo_keeps_no_ledger_beside_ours(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as db:
        query = "select count(*) from pg_class where relname like '%yoyo%'"
        assert db.execute(query).fetchone() == (0,)


def test_a_lock_that_an_earlier_version_left_is_no_obstacle(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as db:
        db.execute("create table yoyo_lock (locked int primary key, ctime timestamp, pid int)")
        db.execute("insert into yoyo_lock values (1, now(), 4711)")

    assert migrate(fresh_dsn, force=True).logic_changed


def test_two_deploys_at_once_do_the_work_once(empty_dsn: str) -> None:
    make_old_atlas(empty_dsn)

    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(lambda _: migrate(empty_dsn), range(2)))

    assert sorted(len(report.applied) for report in reports) == [0, len(OURS)]
    assert sorted(report.logic_changed for report in reports) == [False, True]


def test_a_deploy_gives_up_when_somebody_holds_the_table(empty_dsn: str) -> None:
    make_old_atlas(empty_dsn)
    with psycopg.connect(empty_dsn) as reader:
        reader.execute("select count(*) from clients")

        with pytest.raises(DeployError, match=r"010_client_stage_taxonomy.*gave up after waiting"):
            migrate(empty_dsn, lock_timeout=0.3)

    assert migrate(empty_dsn).applied == OURS[2:]


def test_no_connection_is_one_plain_line() -> None:
    with pytest.raises(Unavailable) as caught:
        migrate("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2")

    assert "\n" not in str(caught.value)


UNFIT = {
    "a view": (
        "create table c (id bigint primary key, name text, slug text); create view clients as table c",
        "ordinary",
    ),
    "partitioned": (
        "create table clients (id bigint primary key, name text, slug text) partition by range (id)",
        "ordinary",
    ),
    "without a slug": ("create table clients (id bigint primary key, name text)", "no column slug"),
    "an id that is no number": (
        "create table clients (id uuid primary key, name text, slug text)",
        "column id of public.clients is uuid",
    ),
    "no primary key": ("create table clients (id bigint, name text, slug text)", "add primary key"),
    "a column of ours": (
        "create table clients (id bigserial primary key, name text, slug text unique, stage text)",
        'column "stage" of relation "clients" already exists',
    ),
    "a table of ours": (
        "create table clients (id bigserial primary key, name text, slug text unique); create table covers (id int)",
        'relation "covers" already exists',
    ),
}


@pytest.mark.parametrize(("made", "said"), UNFIT.values(), ids=UNFIT.keys())
def test_a_host_whose_tables_can_t_work_is_told_so_and_keeps_them_as_they_are(
    empty_dsn: str, made: str, said: str
) -> None:
    with psycopg.connect(empty_dsn) as db:
        db.execute(made.encode())
    before = schema_lines(empty_dsn)

    with pytest.raises(DeployError, match=re.escape(said)):
        migrate(empty_dsn)

    books = ("atlas_migrations", "stage_deploys", "schema: public")
    assert [line for line in schema_lines(empty_dsn) if not any(each in line for each in books)] == [
        line for line in before if not any(each in line for each in books)
    ]


def test_the_schema_public_can_be_closed_before_and_after_a_deploy(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as db:
        db.execute("revoke all on schema public from public")
        migrate(empty_dsn)
        db.execute("revoke all on schema public from public")
        client = make_client(db, stage="weekly")
        move(db, client, "eom_close")
        db.execute("revoke all on schema public from atlas_owner, atlas_writer")
        migrate(empty_dsn)
        assert move(db, client, "eom_review")["changed"]
