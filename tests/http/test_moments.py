"""Outages of the service are 503 with Retry-After, in the contract's shape, and never a 4xx."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from atlas_stage.local.serving.gateway import Gateway, gateway
from tests.http.api import Api, refusal, sees_reason_phrases
from tests.support.cluster import Cluster
from tests.support.databases import Databases
from tests.support.stack import Stack

pytestmark = pytest.mark.skipif("ATLAS_TEST_URL" in os.environ, reason="needs the server")


def away(answer: httpx.Response, rule: str = "service_away") -> None:
    refusal(answer, 503, rule)
    assert int(answer.headers["retry-after"]) > 0


@contextlib.contextmanager
def served(dsn: str, folder: Path, pool: int | None = None) -> Iterator[tuple[Gateway, Api]]:
    with (
        gateway(dsn, folder, 0, lambda _: None, pool=pool) as running,
        Api(running.url, Stack(dsn, "").token(), dsn) as api,
    ):
        yield running, api


def test_postgrest_that_is_not_there(fresh_dsn: str, tmp_path: Path) -> None:
    with served(fresh_dsn, tmp_path) as (running, api):
        os.kill(int((tmp_path / "postgrest.pid").read_text().split()[0]), signal.SIGKILL)
        time.sleep(0.2)
        assert not all(part.is_running() for part in running.parts)
        for method, path in (
            ("GET", "/healthz"),
            ("GET", "/"),
            ("GET", "/api/clients"),
            ("PATCH", "/api/clients/1/stage"),
            ("POST", "/rpc/set_flag"),
        ):
            away(api.send(method, path))


@pytest.mark.slow  # kills it for 10 s
def test_a_database_that_dies_under_requests_is_never_the_callers_mistake(tmp_path: Path) -> None:
    answers: Counter[str] = Counter()
    wrong: list[tuple[int, str]] = []
    stop = threading.Event()

    def work(api: Api, number: int, client: int) -> None:
        with Api(api.url, api.admin) as mine:
            while not stop.is_set():
                with contextlib.suppress(httpx.TransportError):
                    number += 1
                    sent = [
                        lambda: mine.send("GET", "/api/clients?stage=weekly"),
                        lambda: mine.send("GET", f"/api/clients/{client}"),
                        lambda: mine.call("set_flag", client_id=client, flag="client_blocking"),
                        lambda: mine.send("DELETE", f"/api/clients/{client}/flags/client_blocking"),
                        lambda: mine.send("GET", "/healthz"),
                    ][number % 5]()
                    answers[str(sent.status_code)] += 1
                    if sent.status_code == 503:
                        away(sent)
                    elif sent.status_code != 200:
                        wrong.append((sent.status_code, sent.text[:300]))

    with (
        Cluster(18) as cluster,
        contextlib.closing(Databases(cluster.dsn)) as databases,
        databases.clone() as dsn,
        served(dsn, tmp_path) as (_, api),
    ):
        clients = [api.make_client() for _ in range(3)]
        threads = [threading.Thread(target=work, args=(api, n, clients[n % 3])) for n in range(12)]
        try:
            for thread in threads:
                thread.start()
            for _ in range(4):
                time.sleep(1.5)
                with contextlib.suppress(psycopg.Error, ProcessLookupError), psycopg.connect(cluster.dsn) as db:
                    row = db.execute(
                        "select pid from pg_stat_activity where usename = 'atlas_authenticator'"
                    ).fetchone()
                    if row is not None:
                        os.kill(row[0], signal.SIGKILL)  # PostgreSQL then ends all others and restarts
            time.sleep(4)
        finally:
            stop.set()  # or the threads go on, and slow down every later test
            for thread in threads:
                thread.join()
        assert api.send("GET", "/healthz").status_code == 200
        for _ in range(60):
            with contextlib.suppress(psycopg.Error), psycopg.connect(dsn):
                break
            time.sleep(0.5)

    assert wrong == []
    assert answers["200"] > 100
    assert answers["503"] > 0


def test_a_forgotten_lock_holds_up_its_client_for_a_moment_and_nobody_else(fresh_dsn: str, tmp_path: Path) -> None:
    answers: list[httpx.Response] = []
    with served(fresh_dsn, tmp_path) as (_, api):
        held, other = api.make_client(), api.make_client()

        def write() -> None:
            with Api(api.url, api.admin) as mine:
                answers.append(mine.call("set_flag", client_id=held, flag="client_blocking"))

        with psycopg.connect(fresh_dsn) as forgotten:
            forgotten.execute("update clients set notes = 'held' where id = %s", (held,))
            threads = [threading.Thread(target=write) for _ in range(12)]
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            for _ in range(5):
                began = time.monotonic()
                assert api.send("GET", "/healthz").status_code == 200
                assert api.done("set_flag", client_id=other, flag="client_blocking")
                assert time.monotonic() - began < 2
            for thread in threads:
                thread.join(20)
            forgotten.rollback()

        assert len(answers) == 12
        for answer in answers:
            away(answer, "client_locked")
        assert api.done("set_flag", client_id=held, flag="client_blocking")["changed"]


def test_health_waits_for_no_connection_of_the_pool(fresh_dsn: str, tmp_path: Path) -> None:
    with served(fresh_dsn, tmp_path, pool=1) as (_, api):
        held = api.make_client()
        with psycopg.connect(fresh_dsn) as forgotten:
            forgotten.execute("update clients set notes = 'held' where id = %s", (held,))
            writing = threading.Thread(target=api.call, args=("set_flag",), kwargs={"client_id": held, "flag": "stuck"})
            writing.start()
            time.sleep(0.3)
            began = time.monotonic()
            with httpx.Client(trust_env=False) as http:
                assert http.get(f"{api.url}/healthz").json() == {"status": "ok"}
            assert time.monotonic() - began < 1
            writing.join()
            forgotten.rollback()


@sees_reason_phrases
@pytest.mark.parametrize("told", [False, True], ids=["postgrest unaware", "postgrest told"])
@pytest.mark.parametrize("schema", ["api", "rules"])
def test_a_database_without_our_functions_is_never_the_callers_mistake(
    fresh_dsn: str, tmp_path: Path, schema: str, told: bool
) -> None:
    with (
        served(fresh_dsn, tmp_path) as (_, api),
        psycopg.connect(fresh_dsn, autocommit=True) as db,
    ):
        db.execute(f"alter schema {schema} rename to gone")
        if told:
            db.execute("notify pgrst, 'reload schema'")
            time.sleep(1)
        for method, path in (
            ("GET", "/api/clients"),
            ("GET", "/api/clients/1"),
            ("GET", "/rpc/clients?stage="),
            ("PATCH", "/api/clients/1/stage"),
            ("POST", "/rpc/set_flag"),
            ("POST", "/rpc/nothing"),
            ("DELETE", "/api/clients/1/flags/client_blocking"),
        ):
            away(api.send(method, path))


@pytest.mark.slow  # waits for the 30 s of the gateway's login
def test_a_statement_that_runs_out_of_time_is_503(fresh_dsn: str, tmp_path: Path) -> None:
    with psycopg.connect(fresh_dsn) as db:
        db.execute(
            "create function api.slow() returns jsonb language plpgsql security definer as"
            " $$ begin perform pg_sleep(31); return '{}'; end $$;"
            " grant execute on function api.slow() to atlas_api"
        )
    with served(fresh_dsn, tmp_path) as (_, api):
        api.http.timeout = httpx.Timeout(40)
        away(api.call("slow"))
