"""The embedded server keeps its data, is shared, and starts again whatever was left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from atlas_stage.local.embedded import EmbeddedError, EmbeddedPostgres, postmaster

# Another process that uses the folder until its input ends, or until it is killed.
OWNER = """
import sys
from pathlib import Path
from atlas_stage.local.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.dsn, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def owner(data: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has started the server."""
    command = [sys.executable, "-c", OWNER, str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://")
        yield process
        process.kill()


def put(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("create table kept as select 42 as answer")


def got(dsn: str) -> object:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select answer from kept").fetchone()


def write_pid_file(data: Path, pid: int) -> None:
    lines = [pid, data / "pgdata", int(time.time()), 5432, data / "pgdata", "", "1 2", "ready"]
    (data / "pgdata" / "postmaster.pid").write_text("\n".join(map(str, lines)) + "\n")


@pytest.mark.parametrize("version", [16, 18])
def test_keeps_its_data_between_runs(data: Path, version: int) -> None:
    with EmbeddedPostgres(data, version) as server:
        put(server.dsn)
    assert not server.is_running()

    with EmbeddedPostgres(data, version) as server:
        assert got(server.dsn) == (42,)
        with psycopg.connect(server.dsn) as connection:
            assert connection.info.server_version // 10000 == version


def test_several_share_one_server_and_the_last_one_stops_it(data: Path, owner: subprocess.Popen[str]) -> None:
    with EmbeddedPostgres(data) as second, EmbeddedPostgres(data) as third:
        put(second.dsn)
        assert third.dsn == second.dsn
        owner.communicate("")
        assert got(second.dsn) == (42,)
        third.stop()
        assert got(second.dsn) == (42,)
    assert not second.is_running()


def test_who_started_it_may_leave_first(data: Path) -> None:
    first = EmbeddedPostgres(data).start()
    second = EmbeddedPostgres(data).start()
    first.stop()
    put(second.dsn)
    second.stop()
    second.stop()
    assert not first.is_running()


def test_takes_over_from_a_killed_owner(data: Path, owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()

    with EmbeddedPostgres(data) as server:
        put(server.dsn)

    assert not server.is_running()


def test_recovers_what_was_committed_when_the_server_was_killed(data: Path, owner: subprocess.Popen[str]) -> None:
    put(EmbeddedPostgres(data).dsn)
    process = postmaster.find(data / "pgdata")
    assert process is not None
    process.kill()
    assert postmaster.wait_until_gone(process, 10)
    owner.kill()

    with EmbeddedPostgres(data) as server:
        assert got(server.dsn) == (42,)


def test_the_pid_of_a_killed_server_may_be_another_programs_now(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        put(server.dsn)
    write_pid_file(data, os.getpid())

    with EmbeddedPostgres(data) as server:
        assert got(server.dsn) == (42,)


def test_the_pid_may_be_another_postgres_now(data: Path, tmp_path: Path) -> None:
    with EmbeddedPostgres(data) as server:
        put(server.dsn)
    with EmbeddedPostgres(tmp_path / "other") as other:
        process = postmaster.find(other.pgdata)
        assert process is not None
        write_pid_file(data, process.pid)

        with EmbeddedPostgres(data) as server:
            assert got(server.dsn) == (42,)
        assert other.is_running()


@pytest.mark.parametrize("content", ["", "123", "not a number\n", "99999999999999999999\n" * 8])
def test_a_broken_pid_file_is_no_obstacle(data: Path, content: str) -> None:
    with EmbeddedPostgres(data) as server:
        put(server.dsn)
    (data / "pgdata" / "postmaster.pid").write_text(content)

    with EmbeddedPostgres(data) as server:
        assert got(server.dsn) == (42,)


def test_a_running_server_that_lost_its_pid_file_is_replaced(data: Path, owner: subprocess.Popen[str]) -> None:
    put(EmbeddedPostgres(data).dsn)
    (data / "pgdata" / "postmaster.pid").write_text("")

    with EmbeddedPostgres(data) as server:
        assert got(server.dsn) == (42,)


def test_what_a_killed_initdb_left_is_not_taken_for_a_database(data: Path) -> None:
    half = data / ".pgdata-half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with EmbeddedPostgres(data) as server:
        put(server.dsn)

    assert not half.exists()


@pytest.mark.parametrize("name", ["long" * 40, "ünïcode, 'quoted' $HOME `x` %41"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    with EmbeddedPostgres(tmp_path / name) as server:
        put(server.dsn)
        assert got(server.dsn) == (42,)


def test_settings_of_postgresql_clients_do_not_matter(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "6000", "PGDATA": "/nowhere", "PGHOST": "nowhere"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LC_ALL", "xx_XX.nonsense")

    with EmbeddedPostgres(data) as server:
        put(server.dsn)
        assert got(server.dsn) == (42,)


def test_knows_upper_and_lower_case_beyond_ascii(data: Path) -> None:
    with EmbeddedPostgres(data) as server, psycopg.connect(server.dsn) as connection:
        assert connection.execute("select lower('ÅŁ')").fetchone() == ("åł",)


def test_data_of_another_version_is_refused_in_one_line(data: Path) -> None:
    with EmbeddedPostgres(data, 16):
        pass

    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 16, not 18") as caught:
        EmbeddedPostgres(data, 18).start()

    assert "\n" not in str(caught.value)
    assert postmaster.find(data / "pgdata") is None


def test_an_unknown_version_is_refused(data: Path) -> None:
    with pytest.raises(EmbeddedError, match="no embedded PostgreSQL 12"):
        EmbeddedPostgres(data, 12).start()


def test_a_server_that_cannot_start_says_why_in_one_line(data: Path) -> None:
    with EmbeddedPostgres(data):
        pass
    with (data / "pgdata" / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")

    with pytest.raises(EmbeddedError, match=r"did not start: .*configuration file") as caught:
        EmbeddedPostgres(data).start()

    assert "\n" not in str(caught.value)


def test_nobody_else_may_connect(data: Path) -> None:
    with EmbeddedPostgres(data) as server:
        process = postmaster.find(server.pgdata)
        assert process is not None
        kinds = {each.type.name for each in process.net_connections("inet")}
        assert kinds == set()
        folder = psycopg.conninfo.conninfo_to_dict(server.dsn)["host"]
        assert Path(str(folder)).stat().st_mode & 0o077 == 0
        assert server.log.stat().st_mode & 0o077 == 0


def test_is_not_running_before_it_is_started(data: Path) -> None:
    server = EmbeddedPostgres(data)
    assert not server.is_running()
    with pytest.raises(EmbeddedError, match="No server runs"):
        _ = server.dsn


def test_a_child_that_a_killed_server_leaves_for_a_moment_is_no_server(tmp_path: Path) -> None:
    """Just forked, it still has the server's command line."""
    folder, program = tmp_path / "pgdata", tmp_path / "postgres"
    folder.mkdir()
    shutil.copy(str(shutil.which("sleep")), program)

    with subprocess.Popen([program, "0.2"], cwd=folder):
        assert postmaster.find(folder) is None
    with subprocess.Popen([program, "60"], cwd=folder) as process:
        assert postmaster.find(folder) is not None
        process.kill()
