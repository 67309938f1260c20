"""`atlas-stage serve --database`: the API before a database that is deployed already, or words that say why not."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.deploy.shared_token import adopt_shared_token
from tests.support.cases import rare_except
from tests.support.stack import Stack

PROGRAM = [sys.executable, "-m", "atlas_stage"]


def place(dsn: str) -> str:
    """The database's URL without a login."""
    known = conninfo_to_dict(dsn)
    return f"postgresql:///{known['dbname']}?host={known.get('host', '')}&port={known.get('port', '')}"


def environment(**settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ATLAS_", "PG"))}
    return kept | settings


@contextlib.contextmanager
def serving(dsn: str, data: Path, *, database: str | None = None, **settings: str) -> Iterator[str]:
    """The URL that it says it serves at."""
    command = [
        *PROGRAM,
        "serve",
        "--database",
        database or place(dsn),
        "--listen",
        "127.0.0.1:0",
        "--data",
        str(data),
    ]
    with subprocess.Popen(
        command,
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = ""
        try:
            for line in process.stdout:
                told += line
                if line.startswith("serving "):
                    break
            else:
                raise AssertionError(told + process.communicate()[1])
            yield told
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert process.returncode == 0


def url_of(told: str) -> str:
    return next(word for word in told.split() if word.startswith("http://")).rstrip(";")


def refused(data: Path, database: str, *more: str, **settings: str) -> str:
    done = subprocess.run(
        [*PROGRAM, "serve", "--database", database, "--data", str(data), *more],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert not (data / "gateway" / "caddy.log").exists()
    return done.stderr


def test_serves_it_and_leaves_nothing_running(fresh_dsn: str, tmp_path: Path) -> None:
    token = Stack(fresh_dsn, "").token()
    with serving(fresh_dsn, tmp_path) as told:
        answer = httpx.get(f"{url_of(told)}/rpc/whoami", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["actor_id"] == "user:jimmie"
    assert list((tmp_path / "gateway").glob("*.pid")) in ([], [tmp_path / "gateway" / "serve.pid"])
    with pytest.raises(httpx.ConnectError):
        httpx.get(url_of(told))


@pytest.mark.parametrize("way", rare_except(["PGSERVICE"], ["--database", "PGSERVICE", "PGHOST"]))
def test_it_serves_the_connection_that_it_checked_as_its_own_login(fresh_dsn: str, tmp_path: Path, way: str) -> None:
    known = conninfo_to_dict(fresh_dsn)
    host = {key: str(known[key]) for key in ("host", "port") if known.get(key)}
    services = tmp_path / "services.conf"
    services.write_text(
        "[firm]\nuser=postgres\noptions=-c statement_timeout=7s\n"
        + "".join(f"{key}={value}\n" for key, value in host.items())
        + f"dbname={known['dbname']}\n"
    )
    settings = {"PGUSER": "postgres", "PGSERVICEFILE": str(services)}
    database = "service=firm"
    if way == "PGSERVICE":
        settings["PGSERVICE"] = "firm"
        database = "postgresql://"
    elif way == "PGHOST":
        settings |= {f"PG{key.upper()}": value for key, value in host.items()}
        settings["PGOPTIONS"] = "-c statement_timeout=7s"
        database = f"dbname={known['dbname']}"
    token = Stack(fresh_dsn, "").token()
    with (
        serving(fresh_dsn, tmp_path, database=database, **settings) as told,
        psycopg.connect(fresh_dsn, autocommit=True) as db,
    ):
        who = httpx.get(f"{url_of(told)}/rpc/whoami", headers={"Authorization": f"Bearer {token}"})
        anonymous = httpx.get(f"{url_of(told)}/rpc/whoami")
        logins = db.execute(
            "select distinct usename from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchall()
    assert who.json()["actor_id"] == "user:jimmie"
    assert anonymous.status_code == 401
    assert logins == [("atlas_authenticator",)]


def test_pages_of_the_named_origin_may_call(fresh_dsn: str, tmp_path: Path) -> None:
    with serving(fresh_dsn, tmp_path, ATLAS_CORS_ORIGIN="https://board.example.com") as told:
        headers = {"Origin": "https://board.example.com"}
        answer = httpx.get(f"{url_of(told)}/healthz", headers=headers)
        assert answer.headers["access-control-allow-origin"] == "https://board.example.com"


def test_the_database_of_other_commands_is_not_meant(tmp_path: Path) -> None:
    (tmp_path / "pgdata").mkdir()  # so that the port is not looked at before the server
    with socket.socket() as taken:  # so that it cannot go further than to its own server
        taken.bind(("127.0.0.1", 0))
        done = subprocess.run(
            [*PROGRAM, "serve", "--data", str(tmp_path), "--port", str(taken.getsockname()[1])],
            env=environment(ATLAS_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nowhere"),
            capture_output=True,
            text=True,
            check=False,
        )
    assert "nowhere" not in done.stdout + done.stderr
    assert (tmp_path / "pgdata" / "PG_VERSION").exists()


class TestRefuses:
    def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        said = refused(tmp_path, "postgresql://127.0.0.1:1/atlas?connect_timeout=2")
        assert "Can't reach 127.0.0.1/atlas" in said

    def test_one_that_is_not_deployed(self, empty_dsn: str, tmp_path: Path) -> None:
        assert "Run atlas-stage migrate there first" in refused(tmp_path, place(empty_dsn))

    def test_one_whose_logic_is_older(self, fresh_dsn: str, tmp_path: Path) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute("drop function api.write(bytea)")
        assert "Run atlas-stage migrate there first" in refused(tmp_path, place(fresh_dsn))

    def test_one_without_the_rights_of_a_deploy(self, fresh_dsn: str, tmp_path: Path) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute("revoke usage on schema rules from atlas_anon")
        said = refused(tmp_path, place(fresh_dsn))
        assert "atlas_authenticator lacks the rights" in said
        assert "atlas-stage migrate" in said

    def test_a_database_that_does_not_exist(self, fresh_dsn: str, tmp_path: Path) -> None:
        name = conninfo_to_dict(fresh_dsn)["dbname"]
        said = refused(tmp_path, place(fresh_dsn).replace(str(name), "no_such_database"))
        assert "no_such_database" in said

    def test_an_address_that_cannot_be_read(self, tmp_path: Path) -> None:
        assert "Use ADDRESS:PORT" in refused(tmp_path, "postgresql:///x", "--listen", "8080")
        assert "Can't read --database" in refused(tmp_path, "no url at all =")
        assert "sesame" not in refused(tmp_path, "postgresql://u:open@sesame@127.0.0.1:1/x")


class TestTheSharedToken:
    def test_a_changed_one_takes_its_place(self, fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []
        states = {}
        for secret in (first := secrets.token_hex(), second := secrets.token_hex()):
            monkeypatch.setenv("ATLAS_INGEST_TOKEN", secret)
            adopt_shared_token(fresh_dsn, "user:jimmie", told.append)
        with psycopg.connect(fresh_dsn) as db:
            for secret in (first, second):
                states[secret] = db.execute(
                    "select revoked_at is null from actor_tokens where token_hash = encode(sha256(%s::bytea), 'hex')",
                    (secret.encode(),),
                ).fetchone()
        assert states == {first: (False,), second: (True,)}
        assert "works as system:legacy" in told[-1]

    def test_a_revoked_one_stays_so(self, fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
        told: list[str] = []
        monkeypatch.setenv("ATLAS_INGEST_TOKEN", "of-old")
        adopt_shared_token(fresh_dsn, "user:jimmie", told.append)
        with psycopg.connect(fresh_dsn) as db:
            db.execute("update actor_tokens set revoked_at = now() where actor_id = 'system:legacy'")
        adopt_shared_token(fresh_dsn, "user:jimmie", told.append)
        assert "is revoked: remove it" in told[-1]

    def test_one_that_is_not_known_is_told(self, fresh_dsn: str, tmp_path: Path) -> None:
        with serving(fresh_dsn, tmp_path, ATLAS_INGEST_TOKEN="of-old") as told:
            assert "ATLAS_INGEST_TOKEN is not known here" in told

    def test_migrate_adopts_it(self, fresh_dsn: str) -> None:
        done = subprocess.run(
            [*PROGRAM, "migrate", "--database", fresh_dsn],
            env=environment(ATLAS_INGEST_TOKEN="of-old"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "ATLAS_INGEST_TOKEN works as system:legacy" in done.stdout
        migrate(fresh_dsn)
