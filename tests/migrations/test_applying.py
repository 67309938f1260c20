"""`migrate` makes the stage system on an empty database and on an Atlas that is already there."""

from __future__ import annotations

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from atlas_stage.ops import resources
from atlas_stage.ops.deploy import migrate
from tests.support.catalogs import schema_lines
from tests.support.old_atlas import CLIENTS, make_old_atlas, read_as_before

OURS = sorted(
    path.stem for path in (resources.root() / "migrations").glob("*.sql") if not path.name.endswith(".rollback.sql")
)


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_every_migration_has_a_number_of_its_own_and_a_rollback() -> None:
    numbers = [name.partition("_")[0] for name in OURS]

    assert len(numbers) == len(set(numbers))
    assert "010_client_stage_taxonomy" in OURS
    for name in OURS:
        assert (resources.root() / "migrations" / f"{name}.rollback.sql").is_file(), name


def test_an_empty_database_gets_every_migration_and_the_stored_logic(empty_dsn: str) -> None:
    report = migrate(empty_dsn)

    assert report.applied == OURS
    assert report.logic_changed
    assert one(empty_dsn, "select array_agg(id order by id) from atlas_migrations") == OURS
    assert one(empty_dsn, "select count(*) from clients") == 0


def test_an_existing_atlas_keeps_its_rows_and_its_readers(empty_dsn: str) -> None:
    make_old_atlas(empty_dsn)
    before = read_as_before(empty_dsn)

    report = migrate(empty_dsn)

    assert report.applied == OURS
    assert len(before) == CLIENTS
    assert read_as_before(empty_dsn) == before
    names = one(empty_dsn, "select array_agg(id order by id) from atlas_migrations")
    assert isinstance(names, list)
    assert len(names) == 9 + len(OURS)
    assert "009_kade_tasks" in names


def test_a_select_star_reader_finds_the_old_columns_where_they_were(empty_dsn: str, upgraded_dsn: str) -> None:
    make_old_atlas(empty_dsn)
    before = read_as_before(empty_dsn)

    with psycopg.connect(upgraded_dsn) as connection:
        rows = connection.execute("select * from clients order by id").fetchall()
    assert [row[:5] for row in rows] == before


def test_an_old_writer_can_still_insert_its_five_columns(upgraded_dsn: str) -> None:
    with psycopg.connect(upgraded_dsn) as connection:
        connection.execute("insert into clients (name, slug, notes, gdrive_folder) values ('N', 'new', null, null)")
        row = connection.execute(
            "select c.stage, c.version, h.version, h.from_stage, h.to_stage"
            " from clients c join stage_history h on h.client_id = c.id where c.slug = 'new'"
        ).fetchall()
    assert row == [("weekly", 0, 0, None, "weekly")]


def test_an_old_writer_can_still_change_its_own_columns(upgraded_dsn: str) -> None:
    with psycopg.connect(upgraded_dsn) as connection:
        connection.execute("update clients set notes = 'other', name = 'Other' where id = 1")
        row = connection.execute(
            "select notes, name, version, (select count(*) from stage_history where client_id = 1)"
            " from clients where id = 1"
        ).fetchone()
    assert row == ("other", "Other", 0, 1)


def test_every_client_that_was_there_gets_its_version_0_row(upgraded_dsn: str) -> None:
    with psycopg.connect(upgraded_dsn) as connection:
        rows = connection.execute(
            "select client_id, version, from_stage, to_stage, actor_type, actor_id is not null"
            " from stage_history order by client_id"
        ).fetchall()
    assert [row[0] for row in rows] == list(range(1, CLIENTS + 1))
    assert {row[1:] for row in rows} == {(0, None, "weekly", "system", True)}


def test_the_clients_table_is_not_rewritten(empty_dsn: str) -> None:
    make_old_atlas(empty_dsn)
    file_and_rows = (
        "select format('%s %s', pg_relation_filenode('clients'),"
        " array_agg(format('%s %s', ctid, xmin) order by id)) from clients"
    )
    before = one(empty_dsn, file_and_rows)

    migrate(empty_dsn)

    assert one(empty_dsn, file_and_rows) == before


def test_applying_twice_changes_nothing(upgraded_dsn: str) -> None:
    everything = (
        "select string_agg(t::text, ' ' order by t::text) from ("
        " select c::text from clients c union all select h::text from stage_history h"
        " union all select m::text from atlas_migrations m"
        " union all select d::text from stage_deploys d"
        " union all select p::text from agent_permissions p"
        " union all select p.oid::text from pg_proc p"
        "   join pg_namespace n on n.oid = p.pronamespace and n.nspname in ('rules', 'api', 'jobs', 'ops')"
        ") as t (t)"
    )
    before = one(upgraded_dsn, everything)

    report = migrate(upgraded_dsn)

    assert report.applied == []
    assert report.marked == []
    assert not report.logic_changed
    assert one(upgraded_dsn, everything) == before


def test_force_makes_the_stored_logic_again_and_keeps_the_data(upgraded_dsn: str) -> None:
    schema = schema_lines(upgraded_dsn)
    rows = "select array_agg(h::text order by id) from stage_history h"
    before = one(upgraded_dsn, rows)

    report = migrate(upgraded_dsn, force=True)

    assert report.logic_changed
    assert schema_lines(upgraded_dsn) == schema
    assert one(upgraded_dsn, rows) == before


def test_a_fresh_and_an_upgraded_database_have_the_same_schema(upgraded_dsn: str, fresh_dsn: str) -> None:
    fresh = schema_lines(fresh_dsn)

    assert len(fresh) > 200
    assert schema_lines(upgraded_dsn) == fresh


def test_an_upgraded_database_works(upgraded_dsn: str) -> None:
    with psycopg.connect(upgraded_dsn) as connection:
        connection.execute("select rules.act_as('user:jimmie')")
        connection.execute(
            "select api.set_stage(client_id => 1, to_stage => 'eom_close',"
            " reason => 'month end', expected_version => 0)"
        )
        row = connection.execute("select stage, version from clients where id = 1").fetchone()
    assert row == ("eom_close", 1)


def test_the_deployer_s_login_can_have_any_name(empty_dsn: str) -> None:
    name = 'Jimmie "J" Doe'
    with psycopg.connect(empty_dsn, autocommit=True) as db:
        role = sql.Identifier(name)
        db.execute(sql.SQL("create role {} superuser login password 'jd'").format(role))
        dsn = make_conninfo(empty_dsn, user=name, password="jd")
        try:
            migrate(dsn)
            assert migrate(dsn).applied == []
        finally:
            db.execute(sql.SQL("reassign owned by {} to current_user").format(role))
            db.execute(sql.SQL("drop owned by {}").format(role))
            db.execute(sql.SQL("drop role {}").format(role))
