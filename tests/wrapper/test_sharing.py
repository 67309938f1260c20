"""A stage is shared: by threads, tasks, forked and spawned processes, and it survives what interrupts a call."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import psycopg
import pytest

from atlas_stage import AsyncStage, Stage, StageError, Unavailable, UnknownFlag
from atlas_stage.models import Client
from tests.support.stack import ADMIN, stack
from tests.wrapper.conftest import over_psycopg

CLIENTS = 8


@pytest.fixture
def clients(stage: Stage) -> list[int]:
    return [stage.create_client(f"C{n}", f"c{n}").client.id for n in range(CLIENTS)]


@pytest.fixture
def blocked(fresh_dsn: str, client: Client) -> Iterator[psycopg.Connection]:
    """A session that holds the client, so that a write waits for it up to 3 s."""
    with psycopg.connect(fresh_dsn) as db:
        db.execute("select from public.clients where id = %s for update", [client.id])
        yield db


class TestThreads:
    def test_every_change_that_is_reported_is_in_the_history(self, stage: Stage, clients: list[int]) -> None:
        def toggle(client_id: int) -> int:
            reported = 0
            for _ in range(12):
                reported += stage.set_flag(client_id, "advisory_due").changed
                assert stage.client(client_id).client.id == client_id
                reported += stage.clear_flag(client_id, "advisory_due").changed
            return reported

        with ThreadPoolExecutor(4) as threads:
            reported = sum(threads.map(toggle, clients))
        written = [len(list(stage.iter_history(each))) - 1 for each in clients]
        assert (reported, written) == (24 * CLIENTS, [24] * CLIENTS)

    @over_psycopg
    def test_a_transaction_belongs_to_its_thread(self, stage: Stage, clients: list[int]) -> None:
        def flag_and_discard(client_id: int) -> None:
            with stage.transaction() as work:
                stage.set_flag(client_id, "advisory_due")
                work.discard()

        def flag(client_id: int) -> bool:
            return stage.set_flag(client_id, "client_blocking").changed

        with ThreadPoolExecutor(4) as threads:
            undone = [threads.submit(flag_and_discard, each) for each in clients]
            done = [threads.submit(flag, each) for each in clients]
            assert all(each.result() for each in done)
            assert [each.result() for each in undone] == [None] * CLIENTS
        assert [each.flags for each in stage.iter_clients()] == [("client_blocking",)] * CLIENTS

    @over_psycopg
    def test_a_thread_started_inside_a_transaction_is_not_part_of_it(self, stage: Stage, clients: list[int]) -> None:
        with stage.transaction() as work, ThreadPoolExecutor(1) as threads:
            stage.set_flag(clients[0], "advisory_due")
            threads.submit(stage.set_flag, clients[1], "advisory_due").result()
            work.discard()
        assert [each.flags for each in stage.iter_clients()][:2] == [(), ("advisory_due",)]

    @over_psycopg
    def test_tasks_that_share_a_thread_do_not_share_a_transaction(self, stage: Stage, clients: list[int]) -> None:
        async def flag(client_id: int, discard: bool) -> None:
            with stage.transaction() as work:
                stage.set_flag(client_id, "advisory_due")
                await asyncio.sleep(0.01)
                if discard:
                    work.discard()

        async def both() -> None:
            await asyncio.gather(flag(clients[0], True), flag(clients[1], False))

        asyncio.run(both())
        assert [each.flags for each in stage.iter_clients()][:2] == [(), ("advisory_due",)]

    def test_closed_while_others_call_it_leaves_no_connection(
        self, stage: Stage, clients: list[int], fresh_dsn: str
    ) -> None:
        with ThreadPoolExecutor(4) as threads:
            calls = [threads.submit(stage.client, each) for each in clients * 10]
            stage.close()
            assert [each.result().client.id for each in calls] == clients * 10
        stage.close()
        assert _sessions(fresh_dsn, 0) == 0

    def test_a_call_whose_connections_another_thread_has_closed_gets_new_ones(
        self, fresh_dsn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with stack(fresh_dsn) as running, running.stage() as stage:
            transport = vars(stage)["_transport"]
            client_of, closes = transport._client_of, iter([True, False, True])

            def closed_meanwhile(*where: object) -> object:
                found = client_of(*where)
                if next(closes, False):
                    stage.close()
                return found

            monkeypatch.setattr(transport, "_client_of", closed_meanwhile)
            assert stage.whoami().actor_id == ADMIN
            assert stage.issue_token("agent:tally", never_expires=True).actor_id == "agent:tally"


class TestProcesses:
    def test_a_forked_process_opens_its_own_connections(self, stage: Stage, clients: list[int]) -> None:
        def read_many(client_id: int) -> None:
            for _ in range(30):
                assert stage.client(client_id).client.id == client_id
            stage.close()

        stage.whoami()
        children = [_forked(lambda each=each: read_many(each)) for each in clients[:3]]
        read_many(clients[3])
        assert [_exit_code(each) for each in children] == [0, 0, 0]
        assert stage.whoami().actor_id == ADMIN

    @over_psycopg
    def test_a_child_forked_inside_a_transaction_leaves_it_alone(self, stage: Stage, clients: list[int]) -> None:
        def leave_the_block() -> None:
            with stage.transaction() as work:
                child = os.fork()
                if child == 0:
                    stage.set_flag(clients[1], "advisory_due")
                    raise KeyError
                stage.set_flag(clients[0], "advisory_due")
                assert _exit_code(child) == 0
                assert stage.client(clients[0]).client.flags == ("advisory_due",)
                work.discard()

        parent = os.getpid()
        try:
            leave_the_block()
        finally:
            if os.getpid() != parent:
                os._exit(0 if isinstance(sys.exc_info()[1], KeyError) else 1)
        assert [each.flags for each in stage.iter_clients()][:2] == [(), ("advisory_due",)]

    @pytest.mark.parametrize("how", ["fork", "spawn"])
    def test_a_pool_of_processes_can_be_given_its_methods(self, stage: Stage, clients: list[int], how: str) -> None:
        context = multiprocessing.get_context(how)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            found = list(pool.map(stage.client, clients))
            refused = pool.submit(stage.set_flag, clients[0], "purple")
            with pytest.raises(UnknownFlag):
                refused.result()
        assert [each.client.id for each in found] == clients

    def test_what_is_pickled_works_again(self, stage: Stage, client: Client) -> None:
        again: Stage = pickle.loads(pickle.dumps(stage))
        with again:
            assert again.client(client.id).client == pickle.loads(pickle.dumps(client)) == client


class TestInterruptions:
    def test_after_ctrl_c_in_the_middle_of_a_call_the_next_ones_work(
        self, stage: Stage, client: Client, blocked: psycopg.Connection
    ) -> None:
        for _ in range(3):
            with _interrupted_after(0.3), pytest.raises(KeyboardInterrupt):
                stage.set_flag(client.id, "advisory_due")
            assert stage.client(client.id).client == client
        blocked.rollback()
        assert _settled(lambda: stage.set_flag(client.id, "advisory_due").client.flags)

    @pytest.mark.parametrize("what", ["KeyboardInterrupt", pytest.param("TimeLimit", marks=pytest.mark.slow)])
    def test_after_ctrl_c_or_a_time_limit_at_any_moment_the_next_ones_work(
        self, stage: Stage, client: Client, what: str
    ) -> None:
        done = subprocess.run(
            [sys.executable, "-c", ANY_MOMENT, what, MOMENTS],
            input=pickle.dumps((stage, client.id)),
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        history = [row.flag_added or row.flag_removed for row in stage.iter_history(client.id)]
        assert history[:-2] == ["advisory_due"] * int(done.stdout)

    @over_psycopg
    def test_ctrl_c_inside_a_transaction_undoes_it(self, stage: Stage, client: Client, fresh_dsn: str) -> None:
        def flag_and_wait() -> None:
            with stage.transaction():
                stage.set_flag(client.id, "advisory_due")
                with _interrupted_after(0.2):
                    time.sleep(5)

        with pytest.raises(KeyboardInterrupt):
            flag_and_wait()
        assert stage.client(client.id).client == client
        assert _sessions(fresh_dsn, 1) == 1

    @over_psycopg
    def test_an_error_inside_a_transaction_undoes_it_and_keeps_the_connection(
        self, stage: Stage, client: Client, fresh_dsn: str
    ) -> None:
        def flag_and_fail() -> None:
            with stage.transaction():
                stage.set_flag(client.id, "advisory_due")
                raise ValueError

        before = _backends(fresh_dsn)
        with pytest.raises(ValueError):  # noqa: PT011 (this one)
            flag_and_fail()
        assert stage.client(client.id).client == client
        assert _backends(fresh_dsn) == before

    @pytest.mark.usefixtures("blocked")
    def test_after_a_task_is_cancelled_the_stage_works(self, fresh_dsn: str, client: Client) -> None:
        async def cancel(stage: AsyncStage) -> None:
            for _ in range(20):
                waiting = [
                    asyncio.create_task(stage.set_flag(client.id, "advisory_due", external_id="k")) for _ in range(3)
                ]
                reading = [asyncio.create_task(stage.client(client.id)) for _ in range(5)]
                await asyncio.sleep(0.02)
                for each in [*waiting, *reading]:
                    each.cancel()
                await asyncio.gather(*waiting, *reading, return_exceptions=True)
            assert (await stage.client(client.id)).client == client

        with stack(fresh_dsn) as running:
            stage = running.async_stage()

            async def run() -> None:
                async with stage:
                    await cancel(stage)

            asyncio.run(run())


class TestClosing:
    def test_a_closed_stage_opens_again(self, stage: Stage, client: Client) -> None:
        for _ in range(3):
            stage.close()
            assert stage.client(client.id).client == client
        stage.close()
        stage.close()

    def test_one_async_stage_serves_one_event_loop_after_another(self, fresh_dsn: str) -> None:
        with stack(fresh_dsn) as running:
            stage = running.async_stage()

            async def ask() -> str:
                async with stage:
                    return (await stage.whoami()).actor_id

            assert [asyncio.run(ask()) for _ in range(3)] == [ADMIN] * 3


class TestServers:
    @over_psycopg
    def test_a_restart_between_two_calls_is_not_noticed(self, stage: Stage, client: Client, fresh_dsn: str) -> None:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(stage.client, [client.id] * 20))
        for _ in range(2):
            _end_sessions(fresh_dsn)
            assert stage.client(client.id).client.id == client.id
            _end_sessions(fresh_dsn)
            assert stage.set_flag(client.id, "advisory_due").changed
            _end_sessions(fresh_dsn)
            with stage.transaction():
                assert stage.clear_flag(client.id, "advisory_due").changed

    @over_psycopg
    def test_a_write_that_is_cut_off_is_repeated_only_with_a_key(
        self, stage: Stage, client: Client, fresh_dsn: str, blocked: psycopg.Connection
    ) -> None:
        def cut_off() -> None:
            time.sleep(0.3)
            _end_sessions(fresh_dsn, "state = 'active' and query like '%_flag%'")
            blocked.rollback()

        with ThreadPoolExecutor(1) as threads:
            cutting = threads.submit(cut_off)
            assert stage.set_flag(client.id, "advisory_due", external_id="k").changed
            cutting.result()
            blocked.execute("select from public.clients where id = %s for update", [client.id])
            cutting = threads.submit(cut_off)
            with pytest.raises(Unavailable):
                stage.clear_flag(client.id, "advisory_due")
            cutting.result()
        assert len(list(stage.iter_history(client.id))) == client.version + 2

    @over_psycopg
    def test_a_transaction_that_is_cut_off_is_unavailable_and_leaves_nothing(
        self, stage: Stage, client: Client, fresh_dsn: str
    ) -> None:
        def cut_off() -> None:
            with stage.transaction():
                stage.set_flag(client.id, "advisory_due")
                _end_sessions(fresh_dsn)
                stage.client(client.id)

        with pytest.raises(Unavailable):
            cut_off()
        assert stage.client(client.id).client == client


# `make test-all` sets it.
MOMENTS = "80" if os.environ.get("ATLAS_TEST_FUZZ") else "25"
# In a separate process: pytest can't handle an interrupt at every moment.
ANY_MOMENT = """
import contextlib, pickle, signal, sys

class TimeLimit(Exception):
    "What a worker's time limit raises in the middle of anything."

def interrupt(*_):
    raise {"KeyboardInterrupt": KeyboardInterrupt, "TimeLimit": TimeLimit}[sys.argv[1]]

stage, client_id = pickle.load(sys.stdin.buffer)
signal.signal(signal.SIGALRM, interrupt)
changes = 0
moments = int(sys.argv[2])
for number in range(moments):
    try:
        # again twice a second: a library may keep one to itself while it cleans up
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + number * 0.032 / moments, 0.5)
        for _ in range(1000):
            stage.client(client_id)
    except (KeyboardInterrupt, TimeLimit):
        pass
    except Exception as error:
        print(number, repr(error), repr(error.__context__), file=sys.stderr)
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    flags = stage.client(client_id).client.flags
    change = stage.clear_flag if flags else stage.set_flag
    changes += change(client_id, "advisory_due").changed
print(changes)
"""


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def _exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextlib.contextmanager
def _interrupted_after(seconds: float) -> Iterator[None]:
    """Ctrl-C, some time after the block begins, and each second until it ends: Python loses one in a destructor."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.0001), 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _settled(call: Callable[[], object], seconds: float = 8) -> object:
    """What the call answers once nothing of before holds the client."""
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except StageError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _backends(dsn: str) -> set[int]:
    with psycopg.connect(dsn, autocommit=True) as db:
        return {
            pid
            for (pid,) in db.execute(
                "select pid from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
                " and application_name = 'atlas-stage'"
            )
        }


def _sessions(dsn: str, expected: int) -> int:
    """How many sessions there are, once it is as many as expected, or after 5 s."""
    until = time.monotonic() + 5
    while (count := len(_backends(dsn))) != expected and time.monotonic() < until:
        time.sleep(0.05)
    return count


def _end_sessions(dsn: str, which: str = "true") -> None:
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where datname = current_database() and application_name = 'atlas-stage'"
            f" and {which}"
        )
