"""`atlas-stage serve` stays until it is told to stop, and nothing that ends it stops the next start."""

from __future__ import annotations

import contextlib
import itertools
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from atlas_stage.local.embedded import postmaster
from atlas_stage.local.serving import gateway, write_env

PROGRAM = [sys.executable, "-c", "from atlas_stage.cli import app; app(prog_name='atlas-stage')"]
PARTS = ["postgrest", "caddy"]
LAST_LINE = "  atlas-stage client list\n"


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a first start leaves: that start takes 6 s of CPU, the next ones 3 s."""
    data = tmp_path_factory.mktemp("first") / "data"
    with serving(data) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    return data


@pytest.fixture
def data(data: Path, first_start: Path) -> Iterator[Path]:
    """A folder that was served before; nothing that serves it is left when the test ends."""
    subprocess.run(["cp", "-a", str(first_start), str(data)], check=True)
    yield data
    for name in (*PARTS, "jobs"):
        with contextlib.suppress(FileNotFoundError, psutil.Error):
            part_of(data, name).kill()


@pytest.fixture(scope="module")
def served(first_start: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that is being served, for tests that only look: a start takes 2 s of CPU."""
    data = tmp_path_factory.mktemp("served") / "data"
    subprocess.run(["cp", "-a", str(first_start), str(data)], check=True)
    with serving(data) as process:
        yield data
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@contextlib.contextmanager
def serving(data: Path, port: str = "0", *others: str) -> Iterator[subprocess.Popen[str]]:
    """`atlas-stage serve`, once it serves; killed at the end of the block if it still runs."""
    command = [*PROGRAM, "serve", "--port", port, "--data", str(data), *others]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert LAST_LINE in iter(process.stdout.readline, ""), process.communicate()
        try:
            yield process
        finally:
            process.kill()


def part_of(data: Path, name: str) -> psutil.Process:
    """A part of what serves `data`, running or left behind."""
    return psutil.Process(int((data / f"{name}.pid").read_text().split()[0]))


def settings_of(data: Path) -> dict[str, str]:
    """What the env file sets."""
    lines = shlex.split((data / "env").read_text())
    return dict(line.split("=", 1) for line in lines)


def who_am_i(settings: dict[str, str]) -> httpx.Response:
    """Ask the gateway with the token of these settings."""
    return httpx.get(
        f"{settings['ATLAS_URL']}/rpc/whoami",
        headers={"Authorization": f"Bearer {settings['ATLAS_TOKEN']}"},
    )


def in_shell(data: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line as a user's shell would, with the settings that `serve` wrote."""
    source = f"set -a; . {shlex.quote(str(data / 'env'))}; set +a; {line}"
    return subprocess.run(["sh", "-c", source], capture_output=True, text=True, check=False)


def test_its_env_file_makes_other_commands_work(served: Path) -> None:
    assert (served / "env").stat().st_mode & 0o777 == 0o600

    done = in_shell(served, f"{shlex.join(PROGRAM)} migrate")
    assert (done.returncode, done.stdout) == (0, "nothing to do: the database is up to date\n")
    who = in_shell(served, 'echo "$ATLAS_ACTOR"')
    assert who.stdout == "user:jimmie\n"


# Of all the tests here, SIGTERM ends what is served.
@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow), signal.SIGHUP])
def test_a_signal_ends_it_with_its_server(data: Path, how: signal.Signals) -> None:
    with serving(data) as process:
        jobs = part_of(data, "jobs")
        process.send_signal(how)
        _, said = process.communicate(timeout=30)

    assert (process.returncode, said) == (0, "")
    assert not jobs.is_running()
    assert postmaster.find(data / "pgdata") is None
    assert [name for name in PARTS if (data / f"{name}.pid").exists()] == []


def test_impatient_signals_do_not_disturb_its_end(data: Path) -> None:
    with serving(data) as process:
        for _ in range(5):
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0

    assert postmaster.find(data / "pgdata") is None


def test_can_be_stopped_while_it_starts(data: Path) -> None:
    shutil.rmtree(data)  # a first start takes longest
    command = [*PROGRAM, "serve", "--port", "0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() != ""  # it has begun
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 0
    assert postmaster.find(data / "pgdata") is None
    with serving(data):
        pass


def test_after_a_kill_it_starts_again_with_its_data(data: Path) -> None:
    with serving(data) as process:
        dsn = in_shell(data, 'printf %s "$ATLAS_DATABASE_URL"').stdout
        with psycopg.connect(dsn) as connection:
            connection.execute("insert into clients (name, slug) values ('Kept', 'kept')")
        process.kill()
    assert postmaster.find(data / "pgdata") is not None

    with serving(data) as process:
        dsn = in_shell(data, 'printf %s "$ATLAS_DATABASE_URL"').stdout
        with psycopg.connect(dsn) as connection:
            assert connection.execute("select slug from clients").fetchall() == [("kept",)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    assert postmaster.find(data / "pgdata") is None


@pytest.mark.slow  # test_embedded.py kills the database, and others here kill serve
def test_after_a_kill_of_everything_it_starts_again(data: Path) -> None:
    with serving(data) as process:
        server = postmaster.find(data / "pgdata")
        assert server is not None
        process.kill()
        server.kill()

    with serving(data):
        pass


def test_a_second_one_on_the_same_folder_says_so_and_leaves_the_first_alone(served: Path) -> None:
    first = part_of(served, "caddy").ppid()
    second = subprocess.run(
        [*PROGRAM, "serve", "--port", "0", "--data", str(served)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"is already being served (process {first})" in second.stderr
    assert second.stderr.count("\n") == 1
    assert in_shell(served, f"{shlex.join(PROGRAM)} migrate").returncode == 0


def test_says_so_when_the_database_ends_by_itself(data: Path) -> None:
    with serving(data) as process:
        server = postmaster.find(data / "pgdata")
        assert server is not None
        server.send_signal(signal.SIGINT)
        began = time.monotonic()
        _, said = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "PostgreSQL has ended. See" in said
    assert time.monotonic() - began < 8, "the jobs went on trying to connect"


@pytest.mark.parametrize(
    ("part", "name"), [("postgrest", "PostgREST"), pytest.param("caddy", "Caddy", marks=pytest.mark.slow)]
)
def test_says_which_part_has_ended_and_stops_the_others(data: Path, part: str, name: str) -> None:
    with serving(data) as process:
        others = [part_of(data, other) for other in PARTS if other != part]
        part_of(data, part).kill()
        _, said = process.communicate(timeout=30)

    assert process.returncode == 1
    assert f"{name} has ended. See {data / part}.log" in said
    assert [other for other in others if not postmaster.wait_until_gone(other, 0)] == []
    assert postmaster.find(data / "pgdata") is None


def test_only_this_machine_reaches_what_it_runs(served: Path) -> None:
    heard_at = {
        (name, heard.laddr.ip)
        for name in PARTS
        for heard in part_of(served, name).net_connections("inet")
        if heard.status == psutil.CONN_LISTEN
    }

    assert heard_at == {(name, "127.0.0.1") for name in PARTS}


def test_serves_the_api_to_the_token_in_its_env_file(served: Path) -> None:
    answer = who_am_i(settings_of(served))

    assert (answer.status_code, answer.json()["actor_id"]) == (200, "user:jimmie")


def test_each_start_has_a_token_of_its_own(data: Path) -> None:
    with serving(data) as process:
        first = settings_of(data)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

    with serving(data):
        second = settings_of(data)
        assert who_am_i(second).status_code == 200
        assert who_am_i(second | {"ATLAS_TOKEN": first["ATLAS_TOKEN"]}).status_code == 401


def test_after_a_kill_the_next_one_stops_what_was_left(data: Path) -> None:
    with serving(data) as process:
        left = [part_of(data, name) for name in PARTS]
        port = settings_of(data)["ATLAS_URL"].rpartition(":")[2]
        process.kill()
    assert all(part.is_running() for part in left)

    with serving(data, port):
        assert [part for part in left if not postmaster.wait_until_gone(part, 0)] == []
        assert who_am_i(settings_of(data)).status_code == 200


def test_no_job_runs_on_after_a_kill(data: Path) -> None:
    with serving(data) as process:
        jobs = part_of(data, "jobs")
        process.kill()

    assert postmaster.wait_until_gone(jobs, 20)


def test_a_port_in_use_is_named_before_a_new_folder_is_made(tmp_path: Path) -> None:
    data = tmp_path / "new"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*PROGRAM, "serve", "--port", str(port), "--data", str(data)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"Port {port} can't be used" in done.stderr
    assert not data.exists()


def test_a_port_in_use_is_named(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*PROGRAM, "serve", "--port", str(port), "--data", str(data)],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"Port {port} can't be used" in done.stderr
    assert done.stderr.count("\n") == 1
    assert postmaster.find(data / "pgdata") is None


@pytest.mark.usefixtures("dsn")  # deployed, so that the server has the gateway's login
def test_a_database_that_is_not_migrated_is_refused(data: Path, empty_dsn: str) -> None:
    done = subprocess.run(
        [*PROGRAM, "--database", empty_dsn, "serve", "--port", "0", "--data", str(data)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "is not migrated to this version. Run atlas-stage migrate there first" in done.stderr
    assert done.stderr.count("\n") == 1


def test_tokens_stay_out_of_the_logs(data: Path) -> None:
    with serving(data):
        settings = settings_of(data)
        assert who_am_i(settings).status_code == 200
        part_of(data, "postgrest").kill()
        assert who_am_i(settings).status_code >= 500  # an error that is logged

    logs = "".join(file.read_text() for file in data.glob("*.log"))
    assert '"logger"' in logs
    assert settings["ATLAS_TOKEN"] not in logs


def test_with_nginx_it_serves_the_same_and_leaves_nothing(data: Path) -> None:
    with serving(data, "0", "--gateway", "nginx") as process:
        settings = settings_of(data)
        assert who_am_i(settings).status_code == 200
        nginx = part_of(data, "nginx")
        running = [nginx, *nginx.children()]
        part_of(data, "postgrest").kill()
        assert who_am_i(settings).status_code == 503  # an error that is logged
        process.send_signal(signal.SIGTERM)
        process.wait(30)

    assert not any(each.is_running() for each in running)
    log = (data / "nginx.log").read_text()
    assert "[error]" in log
    assert settings["ATLAS_TOKEN"] not in log


def test_settings_survive_the_shell(tmp_path: Path) -> None:
    hostile = "a b'c\"d$HOME`x`\\e&f"
    write_env(tmp_path / "env", {"WORD": "first"})
    write_env(tmp_path / "env", {"WORD": hostile})

    done = in_shell(tmp_path, 'printf %s "$WORD"')

    assert done.stdout == hostile
    assert [each.name for each in tmp_path.iterdir()] == ["env"]


@pytest.mark.parametrize(
    "which",
    [0, 1, pytest.param(2, marks=pytest.mark.slow)],
    ids=["Caddy's", "PostgREST's", "PostgREST's second"],
)
def test_a_port_that_another_program_took_meanwhile_is_replaced(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        free_port, asked = gateway.free_port, itertools.count()

        def taken_once(*arguments: Any) -> int:
            free = free_port(*arguments)
            return int(other.getsockname()[1]) if next(asked) == which else free

        monkeypatch.setattr(gateway, "free_port", taken_once)
        with gateway.gateway(dsn, tmp_path, 0, lambda _: None) as running:
            assert httpx.get(f"{running.url}/healthz", trust_env=False).is_success


def test_it_runs_the_jobs_that_are_due(served: Path) -> None:
    deadline = time.monotonic() + 30
    with psycopg.connect(settings_of(served)["ATLAS_DATABASE_URL"], autocommit=True) as db:
        while db.execute("select count(*) from job_runs where outcome = 'done'").fetchone() == (0,):
            assert time.monotonic() < deadline, (served / "jobs.log").read_text()
            time.sleep(0.2)


def test_it_leaves_the_jobs_to_a_scheduler_if_told(data: Path) -> None:
    with serving(data, "0", "--no-jobs"):
        assert not (data / "jobs.pid").exists()
