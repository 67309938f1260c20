"""An `AsyncStage` is shared: by tasks, event loops, threads and processes; and pages are read across all of these."""

from __future__ import annotations

import asyncio
import gc
import pickle
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from atlas_stage import AsyncStage, Stage
from tests.support.stack import ADMIN, stack
from tests.wrapper.test_sharing import _exit_code, _forked, _interrupted_after

CLIENTS = 8


@pytest.fixture
def shared(fresh_dsn: str) -> Iterator[AsyncStage]:
    """A stage that no event loop has used yet."""
    with stack(fresh_dsn) as running:
        yield running.async_stage()


@pytest.fixture
def clients(shared: AsyncStage) -> list[int]:
    async def create() -> list[int]:
        async with shared:
            made = [await shared.create_client(f"C{n}", f"c{n}") for n in range(CLIENTS)]
            return [each.client.id for each in made]

    return asyncio.run(create())


async def _whoami(stage: AsyncStage) -> str:
    async with stage:
        return (await stage.whoami()).actor_id


def _read_forever(stage: Stage) -> None:
    while True:
        for _ in stage.iter_clients(page_size=1):
            pass


def _whoami_in_a_process(stage: AsyncStage) -> str:
    return asyncio.run(_whoami(stage))


def test_every_change_that_tasks_report_is_in_the_history(shared: AsyncStage, clients: list[int]) -> None:
    async def toggle(client_id: int) -> int:
        reported = 0
        for _ in range(4):
            reported += (await shared.set_flag(client_id, "advisory_due")).changed
            assert (await shared.client(client_id)).client.id == client_id
            reported += (await shared.clear_flag(client_id, "advisory_due")).changed
        return reported

    async def run() -> tuple[list[int], list[int]]:
        async with shared:
            reported = await asyncio.gather(*map(toggle, clients))
            views = [(await shared.client(each)).client for each in clients]
            return list(reported), [each.version for each in views]

    assert asyncio.run(run()) == ([8] * CLIENTS, [8] * CLIENTS)


def test_event_loops_in_several_threads_use_it_at_once(shared: AsyncStage, clients: list[int]) -> None:
    begin = threading.Barrier(4)

    async def read() -> list[int]:
        begin.wait(10)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(shared.client(each)) for each in clients]
        await shared.close()
        return [each.result().client.id for each in tasks]

    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(asyncio.run, read()) for _ in range(4)]
        assert [each.result() for each in found] == [clients] * 4


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # asyncio's own: the loop is gone
def test_a_loop_that_ended_without_closing_it_leaves_nothing_to_the_next(
    shared: AsyncStage,
) -> None:
    async def ask() -> str:
        return (await shared.whoami()).actor_id

    for _ in range(3):
        assert asyncio.run(ask()) == ADMIN
        gc.collect()
    assert asyncio.run(_whoami(shared)) == ADMIN


def test_what_is_pickled_works_again(shared: AsyncStage) -> None:
    asyncio.run(_whoami(shared))
    assert asyncio.run(_whoami(pickle.loads(pickle.dumps(shared)))) == ADMIN


def test_a_forked_process_and_its_parent_use_it(shared: AsyncStage, clients: list[int]) -> None:
    async def read() -> list[int]:
        async with shared:
            return [(await shared.client(each)).client.id for each in clients]

    def in_the_child() -> None:
        assert asyncio.run(read()) == clients

    assert asyncio.run(read()) == clients
    child = _forked(in_the_child)
    assert asyncio.run(read()) == clients
    assert _exit_code(child) == 0


@pytest.mark.parametrize("how", ["fork", "spawn", pytest.param("forkserver", marks=pytest.mark.slow)])
def test_a_pool_of_processes_can_be_given_it(shared: AsyncStage, how: str) -> None:
    with get_context(how).Pool(2) as pool:
        assert pool.map(_whoami_in_a_process, [shared] * 4) == [ADMIN] * 4
        # Not ended by SIGTERM: a forked process has inherited the handler of this run.
        pool.close()
        pool.join()


def test_a_task_that_is_cancelled_between_two_pages_disturbs_no_other(shared: AsyncStage, clients: list[int]) -> None:
    async def read_slowly() -> None:
        async for _ in shared.iter_clients(page_size=1):
            await asyncio.sleep(0.05)

    async def read() -> list[int]:
        return [each.id async for each in shared.iter_clients(page_size=1)]

    async def run() -> list[list[int]]:
        async with shared:
            slow = [asyncio.create_task(read_slowly()) for _ in range(5)]
            readers = [asyncio.create_task(read()) for _ in range(3)]
            await asyncio.sleep(0.1)
            for each in slow:
                each.cancel()
            await asyncio.gather(*slow, return_exceptions=True)
            return list(await asyncio.gather(*readers))

    assert asyncio.run(run()) == [clients] * 3


def test_closed_while_tasks_call_it_lets_their_calls_end(shared: AsyncStage, clients: list[int]) -> None:
    async def run() -> list[int]:
        granted = [asyncio.create_task(shared.grant_permission(f"agent:a{n}", "can_set_flag")) for n in range(CLIENTS)]
        while not all(each.done() for each in granted):
            await shared.close()
            await asyncio.sleep(0)
        await shared.close()
        return [each.result().permission.id for each in granted]

    assert len(set(asyncio.run(run()))) == CLIENTS


def test_an_iteration_that_is_left_early_can_be_closed(shared: AsyncStage, clients: list[int]) -> None:
    async def first(pages: AsyncIterator[object]) -> object:
        async for each in pages:
            return each
        return None

    async def run() -> int:
        async with shared:
            await first(shared.iter_clients(page_size=2))
            return len([each async for each in shared.iter_clients(page_size=3)])

    assert asyncio.run(run()) == len(clients)


class TestPagesOfAStage:
    @pytest.fixture
    def clients(self, stage: Stage) -> list[int]:
        return [stage.create_client(f"C{n}", f"c{n}").client.id for n in range(CLIENTS)]

    # Other threads may be using the connections of the interrupted call, so garbage collection closes them.
    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    # Hypothesis listens to garbage collection, and Python ignores an interrupt that arrives there.
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_after_ctrl_c_between_and_inside_pages_the_next_iteration_is_whole(
        self, stage: Stage, clients: list[int]
    ) -> None:
        for milliseconds in range(1, 40):
            with pytest.raises(KeyboardInterrupt), _interrupted_after(milliseconds / 1000):
                _read_forever(stage)
            assert [each.id for each in stage.iter_clients(page_size=3)] == clients
        gc.collect()

    def test_an_iteration_continues_after_ctrl_c_in_its_body(self, stage: Stage, clients: list[int]) -> None:
        pages = stage.iter_clients(page_size=2)
        seen = [next(pages).id]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert seen + [each.id for each in pages] == clients

    def test_both_sides_of_a_fork_read_the_remaining_pages(self, stage: Stage, clients: list[int]) -> None:
        pages = stage.iter_clients(page_size=2)
        seen = [next(pages).id]

        def the_rest() -> None:
            assert seen + [each.id for each in pages] == clients

        child = _forked(the_rest)
        the_rest()
        assert _exit_code(child) == 0

    def test_threads_may_each_read_all_pages(self, stage: Stage, clients: list[int]) -> None:
        with ThreadPoolExecutor(4) as threads:
            found = threads.map(
                lambda size: [each.id for each in stage.iter_clients(page_size=size)],
                [1, 2, 3, 4] * 4,
            )
            assert list(found) == [clients] * 16


def test_a_process_forked_while_other_threads_call_has_its_own_connections(
    stage: Stage,
) -> None:
    """The child gets locks as they are at that moment: it must wait for none of the parent's threads."""
    made = stage.create_client("Blue Heron", "blue-heron").client.id
    stop = threading.Event()

    def read_until_told() -> int:
        count = 0
        while not stop.is_set():
            count += stage.client(made).client.id == made
        return count

    def read() -> None:
        signal.alarm(20)  # a child that hangs ends
        for _ in range(5):
            assert stage.client(made).client.id == made

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read_until_told) for _ in range(3)]
        children = [_forked(read) for _ in range(4)]
        assert [_exit_code(each) for each in children] == [0] * 4
        stop.set()
        assert all(each.result() > 0 for each in readers)
