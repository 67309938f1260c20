"""What a deploy says and does when something is in its way; on migrations of three lines."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from atlas_stage import StageError
from atlas_stage.ops.deploy import DeployError, connection, migrate, rollback
from tests.support.cluster import Cluster

# Roles are the server's: these migrations make none, and a database of the whole product has made them.
pytestmark = pytest.mark.usefixtures("dsn")

RECORD = "insert into public.atlas_migrations (id) values ('{}');\n"
BASELINE = """\
create table public.atlas_migrations (id text primary key, applied_at timestamptz default now(), note text);
create table public.clients (id bigint primary key, name text, slug text);
create table public.stage_deploys (
  part text, name text, sha256 text, deployed_at timestamptz default now(), deployed_by text default session_user,
  primary key (part, name)
);
"""
SCHEMAS = """\
create schema if not exists rules;
create schema if not exists api;
create schema if not exists jobs;
create schema if not exists ops;
"""
STAMP = """\
create or replace function rules.stamp() returns trigger language plpgsql as $$ begin return new; end $$;
"""
TRIGGER = """\
create or replace trigger stamp before update on public.clients for each row execute function rules.stamp();
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two migrations and stored logic of four files."""
    write(tmp_path, "migrations/000_base.sql", BASELINE + RECORD.format("000_base"))
    write(
        tmp_path,
        "migrations/000_base.rollback.sql",
        "drop table public.stage_deploys, public.clients, public.atlas_migrations;\n",
    )
    write(
        tmp_path,
        "migrations/010_notes.sql",
        "-- depends: 000_base\nalter table public.clients add column notes text;\n" + RECORD.format("010_notes"),
    )
    write(
        tmp_path,
        "migrations/010_notes.rollback.sql",
        "alter table public.clients drop column notes;\ndelete from public.atlas_migrations where id = '010_notes';\n",
    )
    write(tmp_path, "sql/schemas.sql", SCHEMAS)
    write(tmp_path, "sql/rules/stamp.sql", STAMP)
    write(tmp_path, "sql/triggers.sql", TRIGGER)
    write(
        tmp_path,
        "sql/api/one.sql",
        "create or replace function api.one() returns int language sql return rules.two() - 1;\n",
    )
    write(
        tmp_path,
        "sql/rules/two.sql",
        "create or replace function rules.two() returns int return 2;\n",
    )
    write(tmp_path, "sql/types.sql", "select;\n")
    write(tmp_path, "sql/grants.sql", "grant usage on schema api to public;\n")
    return tmp_path


def write(root: Path, name: str, content: str) -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


def message_of(dsn: str, root: Path, lock_timeout: float = 5.0) -> str:
    """What a deploy that must fail says: one line."""
    with pytest.raises(StageError) as caught:
        migrate(dsn, root=root, lock_timeout=lock_timeout)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def value(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as db:
        row = db.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_tells_each_step(empty_dsn: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps: list[str] = []

    migrate(empty_dsn, root=root, report=steps.append)

    *steps, last = steps
    assert steps == ["applied 000_base", "applied 010_notes", "re-created the stored logic"]
    assert last.startswith("revoked the right to create temporary tables")
    assert value(empty_dsn, "select api.one()") == 1
    assert capsys.readouterr().out == ""


def test_what_a_migration_selects_is_not_printed(
    empty_dsn: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, "migrations/020_look.sql", "select 'secret';\n" + RECORD.format("020_look"))

    migrate(empty_dsn, root=root, report=print)

    assert "secret" not in capsys.readouterr().out


def test_a_migration_that_depends_on_nothing_known_is_refused(empty_dsn: str, root: Path) -> None:
    write(root, "migrations/020_lost.sql", "-- depends: 019_gone\nselect 1;\n")

    assert "020_lost" in message_of(empty_dsn, root)


def test_an_error_in_the_stored_logic_is_told_with_file_and_line(empty_dsn: str, root: Path) -> None:
    write(root, "sql/jobs/broken.sql", "-- ünïcode\n\nselect no_such_column;\n")

    assert message_of(empty_dsn, root).startswith("sql/jobs/broken.sql line 3: column")


def test_a_file_that_would_never_be_executed_is_refused(empty_dsn: str, root: Path) -> None:
    write(root, "sql/triggerz/lost.sql", "select 1;\n")

    assert "sql/triggerz/lost.sql is in none of the folders" in message_of(empty_dsn, root)


@pytest.mark.parametrize("name", ["schemas.sql", "types.sql", "triggers.sql", "grants.sql"])
def test_stored_logic_without_its_frame_is_refused(empty_dsn: str, root: Path, name: str) -> None:
    (root / "sql" / name).unlink()

    assert f"sql/{name} is missing" in message_of(empty_dsn, root)


def test_a_folder_without_migrations_is_refused(empty_dsn: str, tmp_path: Path) -> None:
    assert "there are no migrations" in message_of(empty_dsn, tmp_path)


def test_a_folder_with_signs_in_its_name_will_do(empty_dsn: str, root: Path) -> None:
    moved = root.rename(root.with_name("a [b] * ? ü"))

    assert migrate(empty_dsn, root=moved).logic_changed


def test_a_database_of_a_newer_version_is_left_alone(empty_dsn: str, root: Path) -> None:
    write(root, "migrations/020_newer.sql", "select 1;\n" + RECORD.format("020_newer"))
    migrate(empty_dsn, root=root)
    (root / "migrations/020_newer.sql").unlink()
    write(root, "sql/api/older.sql", "create or replace function api.older() returns int return 1;\n")

    assert "020_newer, which this version of atlas-stage doesn't know" in message_of(empty_dsn, root)
    assert value(empty_dsn, "select to_regproc('api.older') is null")


def test_a_rollback_that_was_cut_off_is_noticed(empty_dsn: str, root: Path) -> None:
    migrate(empty_dsn, root=root)
    with psycopg.connect(empty_dsn) as db:
        db.execute("alter table clients drop column notes")
        db.execute("delete from atlas_migrations where id = '010_notes'")

    assert migrate(empty_dsn, root=root).applied == ["010_notes"]
    assert migrate(empty_dsn, root=root).applied == []


def test_a_rollback_takes_the_stored_logic_out_and_a_deploy_brings_it_back(empty_dsn: str, root: Path) -> None:
    migrate(empty_dsn, root=root)

    assert rollback(empty_dsn, to="000_base", root=root) == ["010_notes"]
    assert value(empty_dsn, "select to_regnamespace('rules') is null")

    report = migrate(empty_dsn, root=root)
    assert (report.applied, report.logic_changed) == (["010_notes"], True)


def test_a_rollback_to_the_newest_migration_changes_nothing(empty_dsn: str, root: Path) -> None:
    migrate(empty_dsn, root=root)

    assert rollback(empty_dsn, to="010_notes", root=root) == []
    assert value(empty_dsn, "select api.one()") == 1


def test_a_rollback_to_something_unknown_changes_nothing(empty_dsn: str, root: Path) -> None:
    migrate(empty_dsn, root=root)

    with pytest.raises(DeployError, match="there is no migration 015_none; there are 000_base"):
        rollback(empty_dsn, to="015_none", root=root)

    assert value(empty_dsn, "select api.one()") == 1


def test_a_schema_that_somebody_dropped_is_made_again(empty_dsn: str, root: Path) -> None:
    migrate(empty_dsn, root=root)
    with psycopg.connect(empty_dsn) as db:
        db.execute("drop schema api cascade")

    assert migrate(empty_dsn, root=root).logic_changed
    assert value(empty_dsn, "select api.one()") == 1


def test_gives_up_on_a_lock_and_says_who_holds_it(empty_dsn: str, root: Path) -> None:
    migrate(empty_dsn, root=root)
    write(root, "sql/rules/two.sql", "create or replace function rules.two() returns int return 3;\n")
    with psycopg.connect(empty_dsn, application_name="month-end report") as reader:
        reader.execute("update clients set id = id")

        said = message_of(empty_dsn, root, lock_timeout=0.4)

        assert f"0.4 s for database process {reader.info.backend_pid} (" in said
        assert "program month-end report, in a transaction for " in said
        assert "last statement: update clients set id = id" in said
    assert value(empty_dsn, "select api.one()") == 1
    assert migrate(empty_dsn, root=root).logic_changed


def test_a_migration_that_waits_in_vain_says_for_whom(empty_dsn: str, root: Path) -> None:
    migrate(empty_dsn, root=root)
    write(
        root,
        "migrations/020_more.sql",
        "alter table public.clients add column more text;\n" + RECORD.format("020_more"),
    )
    with psycopg.connect(empty_dsn) as reader:
        reader.execute("select count(*) from clients")

        said = message_of(empty_dsn, root, lock_timeout=0.4)

        assert said.startswith("migrations/020_more.sql: gave up after waiting 0.4 s for database")
        assert str(reader.info.backend_pid) in said
    assert migrate(empty_dsn, root=root).applied == ["020_more"]


def test_a_deploy_that_does_not_end_is_named_to_the_next_one(
    empty_dsn: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "DEPLOY_WAIT_SECONDS", 0.3)
    with psycopg.connect(empty_dsn, autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", [connection.DEPLOY_LOCK])

        said = message_of(empty_dsn, root)

        assert f"another deploy (database process {other.info.backend_pid}) is still" in said
    assert migrate(empty_dsn, root=root).logic_changed


def test_limits_of_the_deployers_role_do_not_cut_it_off(empty_dsn: str, root: Path) -> None:
    write(root, "sql/jobs/slow.sql", "select pg_sleep(0.3);\n")
    joint = "&" if "?" in empty_dsn else "?"
    limits = quote("-c statement_timeout=200 -c idle_session_timeout=200 -c search_path=nowhere")

    assert migrate(f"{empty_dsn}{joint}options={limits}", root=root).logic_changed


def test_a_password_with_signs_is_no_obstacle(empty_dsn: str, root: Path) -> None:
    password = "p@ss/w:rd?&=% ü"
    with psycopg.connect(empty_dsn, autocommit=True) as db:
        name = f"deployer_{db.info.backend_pid}"
        db.execute(f"create role {name} superuser login password $q${password}$q$")
        info = db.info
        host = f"&host={quote(info.host)}" if info.host.startswith("/") else ""
        server = "" if host else f"{info.host}:{info.port}"
        dsn = f"postgresql://{name}:{quote(password, safe='')}@{server}/{info.dbname}?{host[1:]}"
        try:
            assert migrate(dsn, root=root).logic_changed
        finally:
            db.execute(f"reassign owned by {name} to current_user")
            db.execute(f"drop owned by {name}")
            db.execute(f"drop role {name}")


@pytest.mark.parametrize(
    "dsn",
    ["nonsense sesame", "postgresql://u:sesame@[/x", "postgresql://u:sesame@127.0.0.1:1/x", ""],
)
def test_no_database_is_one_line_without_the_password(dsn: str, root: Path) -> None:
    assert "sesame" not in message_of(dsn, root)


def test_a_login_that_the_server_refuses_is_one_line_without_the_password(root: Path) -> None:
    with Cluster() as cluster:
        with psycopg.connect(cluster.dsn, autocommit=True) as db:
            db.execute("create role deployer superuser login password 'right'")
            rules = Path(str(value(cluster.dsn, "show hba_file")))
            rules.write_text(f"local all deployer scram-sha-256\n{rules.read_text()}")
            db.execute("select pg_reload_conf()")
        host = urlsplit(cluster.dsn).netloc.rpartition("@")[2]
        refused = urlsplit(cluster.dsn)._replace(netloc=f"deployer:sesame@{host}").geturl()

        said = message_of(refused, root)

    assert "password authentication failed" in said
    assert "sesame" not in said
