"""The HTTP stack before a test's database, and a `Stage` on it over each way there is."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from atlas_stage import AsyncStage, PsycopgTransport, Stage
from atlas_stage.local.serving.gateway import gateway
from atlas_stage.local.serving.programs import Part

ADMIN = "user:jimmie"


@dataclass(frozen=True)
class Stack:
    """A running gateway before the database at `dsn`, and its parts: PostgREST, Caddy."""

    dsn: str
    url: str
    parts: tuple[Part, ...] = ()

    def token(self, actor: str = ADMIN) -> str:
        """A new token of an actor."""
        with Stage(PsycopgTransport(self.dsn, ADMIN)) as stage:
            return stage.issue_token(actor, never_expires=True).token

    def stage(self, actor: str = ADMIN) -> Stage:
        """An actor's stage over HTTP."""
        return Stage.connect(url=self.url, token=self.token(actor))

    def async_stage(self, actor: str = ADMIN) -> AsyncStage:
        """An actor's stage over HTTP, for asyncio."""
        return AsyncStage.connect(url=self.url, token=self.token(actor))


@contextlib.contextmanager
def stack(dsn: str) -> Iterator[Stack]:
    """Put PostgREST and Caddy before the database; half a second each time."""
    with (
        tempfile.TemporaryDirectory(prefix="atlas-http-") as folder,
        gateway(dsn, Path(folder), 0, lambda _: None, pool=4) as running,
    ):
        yield Stack(dsn, running.url, running.parts)


WAYS = ("psycopg", "http", "http-async")

As = Callable[[str], Stage]


@contextlib.contextmanager
def stages(way: str, dsn: str) -> Iterator[As]:
    """Gives an actor's stage over one of WAYS; all are closed at the end."""
    with contextlib.ExitStack() as opened:
        if way == "psycopg":
            yield lambda actor: opened.enter_context(Stage.connect(dsn, actor))
            return
        running = opened.enter_context(stack(dsn))
        if way == "http":
            yield lambda actor: opened.enter_context(running.stage(actor))
            return
        runner = opened.enter_context(asyncio.Runner())
        yield lambda actor: opened.enter_context(_blocking(running.async_stage(actor), runner))


@contextlib.contextmanager
def _blocking(stage: AsyncStage, runner: asyncio.Runner) -> Iterator[Stage]:
    """An `AsyncStage` that can be used like a `Stage`."""
    try:
        yield cast(Stage, _Blocking(stage, runner))
    finally:
        runner.run(stage.close())


class _Blocking:
    def __init__(self, stage: AsyncStage, runner: asyncio.Runner) -> None:
        self._stage = stage
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stage, name)

        def call(*args: Any, **arguments: Any) -> Any:
            made = method(*args, **arguments)
            if inspect.isasyncgen(made):
                return iter(self._runner.run(_listed(made)))
            return self._runner.run(made)

        return call


async def _listed(items: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in items]
