"""Tokens and passwords appear in no log, answer or process list, whatever was done with them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from atlas_stage import PsycopgTransport, Stage
from tests.support.calls import ADMIN
from tests.support.cluster import Cluster

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "atlas_stage"]
LOGINS = {
    "postgres": "PGPASSWORD",
    "atlas_authenticator": "ATLAS_AUTHENTICATOR_PASSWORD",
    "atlas_cron": "ATLAS_CRON_PASSWORD",
}

pytestmark = pytest.mark.skipif("ATLAS_TEST_URL" in os.environ, reason="starts separate servers")


class Seen:
    """Everything visible: output of programs, answers, and the process list meanwhile."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.statuses: set[int] = set()

    def run(self, *command: object, **environment: str) -> None:
        """Run a program to its end; whether it succeeds is not the question."""
        with subprocess.Popen(
            [str(each) for each in command],
            env=surroundings(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            while process.poll() is None:
                self.look_at_processes()
                time.sleep(0.05)
            assert process.stdout is not None
            self.texts[f"{command[-1]} {len(self.texts)}"] = process.stdout.read()

    def look_at_processes(self) -> None:
        """The command lines that `ps` shows to every user."""
        lines = (" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"]))
        self.texts["processes"] = self.texts.get("processes", "") + "\n".join(lines)

    def leaks(self) -> list[tuple[str, str]]:
        return [
            (name, place)
            for name, secret in self.secrets.items()
            for place, text in self.texts.items()
            if secret in text
        ]


def surroundings(**settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ATLAS_", "PG"))}
    return kept | settings


def address(dsn: str, user: str, password: str = "") -> str:
    known = conninfo_to_dict(dsn)
    login = f"{user}:{password}" if password else user
    return f"postgresql://{login}@/{known['dbname']}?host={known['host']}&port={known['port']}"


def traffic(url: str, seen: Seen, good: str, revoked: str) -> set[int]:
    """Good, wrong and malformed tokens, in the header where they belong and in places where they do not."""
    seen.secrets |= {
        "unknown": f"atl_{secrets.token_hex(20)}",
        "nearly": good[:-1] + ("0" if good[-1] != "0" else "1"),
        "as basic": secrets.token_hex(20),
        "too long": "t" * 600 + secrets.token_hex(8),
        "not bearer": secrets.token_hex(20),
    }
    of = seen.secrets
    headers = [
        {"Authorization": f"Bearer {token}"}
        for token in (good, revoked, of["unknown"], of["nearly"], of["too long"], f"{good} {good}")
    ]
    headers += [
        {"Authorization": f"Basic {of['as basic']}"},
        {"Authorization": of["not bearer"]},
        {"X-Atlas-Token": good},
    ]
    requests = [
        ("GET", "/api/clients", None),
        ("POST", "/rpc/whoami", {}),
        ("POST", "/rpc/client", {"client_id": "one"}),
        ("POST", "/rpc/no_such_function", {"x": 1}),
        ("PATCH", "/api/clients/1/stage", {"to_stage": "nowhere", "reason": "x"}),
        ("GET", "/api/clients/%zz", None),
        ("GET", "/api/clients?page_size=0", None),
        ("GET", "/", None),
    ]
    statuses = set()
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        for sent in headers:
            for method, path, body in requests:
                answer = client.request(method, path, json=body, headers=sent)
                statuses.add(answer.status_code)
                seen.texts["answers"] = f"{seen.texts.get('answers', '')}{answer.headers}{answer.text}\n"
    return statuses


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """After a deploy, traffic, the jobs, and the same with a database that does not let them in."""
    folder = tmp_path_factory.mktemp("secrets")
    seen = Seen()
    passwords = {login: secrets.token_hex(16) for login in LOGINS}
    seen.secrets |= {f"password of {login}": passwords[login] for login in LOGINS}
    given = {variable: passwords[login] for login, variable in LOGINS.items()}
    settings = {"log_statement": "all", "log_parameter_max_length": "0", "log_min_messages": "log"}
    with Cluster(settings=settings) as server:
        seen.run(*PROGRAM, "migrate", "--database", address(server.dsn, "postgres"), **given)
        with Stage(PsycopgTransport(server.dsn, ADMIN)) as stage:
            good = stage.issue_token(ADMIN, never_expires=True)
            revoked = stage.issue_token("user:ada", never_expires=True)
            stage.revoke_token(revoked.id)
        seen.secrets |= {"good": good.token, "revoked": revoked.token}
        with serving(server.dsn, folder, seen, given) as url:
            seen.statuses = traffic(url, seen, good.token, revoked.token)
            seen.look_at_processes()
            jobs(server.dsn, folder, seen, passwords)
        seen.texts["server's log"] = server.log.read_text(errors="replace")
    for file in folder.rglob("*"):
        if file.is_file():
            seen.texts[str(file.relative_to(folder))] = file.read_text(errors="replace")
    return seen


@contextlib.contextmanager
def serving(dsn: str, folder: Path, seen: Seen, given: dict[str, str]) -> Iterator[str]:
    command = [*PROGRAM, "serve", "--database", address(dsn, "atlas_authenticator")]
    command += ["--listen", "127.0.0.1:0", "--data", str(folder / "served")]
    said = folder / "what serve says"
    with (
        said.open("w") as output,
        subprocess.Popen(
            command,
            env=surroundings(PYTHONUNBUFFERED="1", **given),
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            while not (found := re.search(r"serving .* at (http://\S+);", said.read_text())):
                assert process.poll() is None, said.read_text()
                seen.look_at_processes()
                time.sleep(0.1)
            yield found[1]
        finally:
            process.terminate()
            process.wait(30)


def jobs(dsn: str, folder: Path, seen: Seen, passwords: dict[str, str]) -> None:
    """The jobs with their password in the address, with and without a server that knows them."""
    secret = passwords["atlas_cron"]
    for database in (
        address(dsn, "atlas_cron", secret),
        address(dsn, "nobody_known", secret),
        f"postgresql://atlas_cron:{secret}@127.0.0.1:1/atlas?connect_timeout=2",
        f"postgresql://atlas_cron:{secret}@[not an address/atlas",
    ):
        seen.run(
            sys.executable, ROOT / "cron" / "hourly.py",
            PYTHONPATH=str(ROOT), ATLAS_DATABASE_URL=database, ATLAS_LOG_DIR=str(folder),
            ATLAS_LOG_STDOUT="1", ATLAS_JOB_TRIES="1",
        )  # fmt: skip
    for command in ("doctor", "migrate", "verify"):
        seen.run(
            *PROGRAM, command,
            ATLAS_DATABASE_URL=f"postgresql://postgres:{passwords['postgres']}@127.0.0.1:1/atlas",
        )  # fmt: skip


def test_every_kind_of_answer_was_provoked(seen: Seen) -> None:
    assert {200, 400, 401, 404, 422} <= seen.statuses


def test_there_was_something_to_look_at(seen: Seen) -> None:
    assert "postgrest" in seen.texts["processes"]
    assert "rules.pre_request" in seen.texts["server's log"]
    assert any("flag_seasonal" in text for text in seen.texts.values())
    assert any(place.endswith("caddy.log") for place in seen.texts)


def test_no_secret_is_in_any_of_it(seen: Seen) -> None:
    assert seen.leaks() == []


def test_a_secret_on_a_command_line_is_seen() -> None:
    seen = Seen()
    seen.secrets["told"] = secrets.token_hex(16)
    seen.run(sys.executable, "-c", "import time; time.sleep(0.5)", seen.secrets["told"])
    assert ("told", "processes") in seen.leaks()
