"""A firewall drops every packet from a moment on: each call gives up within half a minute, in plain words."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from atlas_stage import AsyncStage, Stage, Unavailable
from atlas_stage.ops.jobs import Jobs
from tests.support.firewall import firewall
from tests.support.stack import ADMIN, stack

SECONDS = 30


@pytest.mark.slow  # waits for the timeouts, 25 s
@pytest.mark.timeout(120)
def test_reads_writes_and_jobs_give_up_on_a_dead_connection(fresh_dsn: str) -> None:
    with ExitStack() as opened:
        running = opened.enter_context(stack(fresh_dsn))
        api = urlsplit(running.url)
        database = opened.enter_context(firewall(_server(fresh_dsn)))
        web = opened.enter_context(firewall((api.hostname or "", api.port or 80)))
        dsn = make_conninfo(fresh_dsn, host="127.0.0.1", port=database.port, sslmode="disable")
        url, token = f"http://127.0.0.1:{web.port}", running.token()

        over_psycopg = opened.enter_context(Stage.connect(dsn, ADMIN))
        over_http = opened.enter_context(Stage.connect(url=url, token=token))
        client = over_psycopg.create_client("Blue Heron", "blue-heron").client
        jobs = opened.enter_context(Jobs(dsn))
        waiting = opened.enter_context(Jobs(dsn))
        calls: dict[str, Callable[[], object]] = {
            "psycopg, read": lambda: over_psycopg.client(client),
            "psycopg, write": lambda: over_psycopg.set_flag(client, "advisory_due"),
            "psycopg, a new stage": Stage.connect(dsn, ADMIN).whoami,
            "http, read": lambda: over_http.client(client),
            "http, write": lambda: over_http.set_flag(client, "advisory_due"),
            "http, without a key": lambda: over_http.grant_permission("agent:tally", "can_set_flag"),
            "http, a new stage": Stage.connect(url=url, token=token).whoami,
            "a job, idle": jobs.due,
        }
        dropped = threading.Event()

        def in_a_transaction() -> None:
            with over_psycopg.transaction():
                over_psycopg.set_flag(client, "advisory_due")
                dropped.wait()
                over_psycopg.client(client)

        def while_reading_pages() -> None:
            for _ in over_psycopg.iter_clients(page_size=1):
                dropped.wait()

        async def with_coroutines() -> None:
            async with AsyncStage.connect(url, token) as stage:
                await stage.whoami()
                dropped.wait()
                await asyncio.gather(*(stage.client(client) for _ in range(3)))

        # The packets vanish while these are under way.
        at_work: dict[str, Callable[[], object]] = {
            "a job, at work": lambda: waiting._rows("select pg_sleep(60)"),
            "psycopg, in a transaction": in_a_transaction,
            "psycopg, between two pages": while_reading_pages,
            "coroutines": lambda: asyncio.run(with_coroutines()),
        }
        over_psycopg.create_client("Second page", "second-page")
        over_http.whoami()
        with ThreadPoolExecutor(len(calls) + len(at_work)) as threads:
            begun = threads.map(_seconds_until_unavailable, at_work.values())
            time.sleep(1)
            for each in (database, web):
                each.drop()
            dropped.set()
            then = threads.map(_seconds_until_unavailable, calls.values())
            taken = dict(zip([*at_work, *calls], [*begun, *then], strict=True))
    assert {name: seconds for name, seconds in taken.items() if seconds > SECONDS} == {}


def test_what_is_slow_is_not_given_up(fresh_dsn: str) -> None:
    """The timeouts above are of silence, not of work."""
    with Stage.connect(fresh_dsn, ADMIN) as stage, stage.transaction() as work:
        work.connection.execute("select pg_sleep(2)")
        assert stage.whoami().actor_id == ADMIN


def _server(dsn: str) -> tuple[str, int] | str:
    options = conninfo_to_dict(dsn)
    host, port = str(options.get("host") or "127.0.0.1"), int(options.get("port") or 5432)
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def _seconds_until_unavailable(call: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        call()
    assert "\n" not in str(caught.value)
    return time.monotonic() - began
