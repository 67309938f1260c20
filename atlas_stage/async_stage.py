"""`AsyncStage`: the methods of `Stage` as coroutines, over HTTP."""

from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from atlas_stage.calls import Call, Walk, registry, stages
from atlas_stage.connecting import address
from atlas_stage.http import AsyncHttpTransport
from atlas_stage.methods import described

P = ParamSpec("P")
T = TypeVar("T")


def _method(
    make: Callable[P, Call[T]],
) -> Callable[Concatenate["AsyncStage", P], Coroutine[Any, Any, T]]:
    async def method(stage: "AsyncStage", /, *args: P.args, **arguments: P.kwargs) -> T:
        return await stage.ask(make(*args, **arguments))

    return described(method, make)


def _iterator(
    make: Callable[P, Walk[T]],
) -> Callable[Concatenate["AsyncStage", P], AsyncIterator[T]]:
    async def method(
        stage: "AsyncStage", /, *args: P.args, **arguments: P.kwargs
    ) -> AsyncIterator[T]:
        walk = make(*args, **arguments)
        items, place = await stage.ask(walk.page(walk.start))
        for item in items:
            yield item
        while place is not None:
            items, place = await stage.ask(walk.page(place))
            for item in items:
                yield item

    return described(method, make, AsyncIterator)


class AsyncStage:
    """`Stage` for asyncio, over HTTP. Many calls may be under way at a time.

    async with AsyncStage.connect() as stage: client = (await stage.client(7)).client async for each
    in stage.iter_clients("eom_close"): …
    """

    def __init__(self, transport: AsyncHttpTransport) -> None:
        self._transport = transport

    @classmethod
    def connect(cls, url: str | None = None, token: str | None = None) -> Self:
        """A stage over HTTP (default: ATLAS_URL, ATLAS_TOKEN); nothing is opened before the first
        call.
        """
        return cls(AsyncHttpTransport(*address(url, token)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.close()

    async def ask(self, call: Call[T]) -> T:
        """Carry out a call of `atlas_stage.calls`."""
        answer = await self._transport.call(call.function, call.arguments, read=call.read)
        return call.decode(answer)

    clients = _method(stages.clients)
    iter_clients = _iterator(stages.iter_clients)
    client = _method(stages.client)
    stage_history = _method(stages.stage_history)
    iter_history = _iterator(stages.iter_history)
    queue = _method(stages.queue)
    check_stage = _method(stages.check_stage)
    whoami = _method(stages.whoami)

    set_stage = _method(stages.set_stage)
    set_stages = _method(stages.set_stages)
    set_flag = _method(stages.set_flag)
    clear_flag = _method(stages.clear_flag)
    rollback = _method(stages.rollback)

    create_client = _method(registry.create_client)
    update_client = _method(registry.update_client)

    grant_permission = _method(registry.grant_permission)
    revoke_permission = _method(registry.revoke_permission)
    permissions = _method(registry.permissions)
    iter_permissions = _iterator(registry.iter_permissions)

    issue_token = _method(registry.issue_token)
    revoke_token = _method(registry.revoke_token)
    tokens = _method(registry.tokens)
    iter_tokens = _iterator(registry.iter_tokens)
    adopt_legacy_token = _method(registry.adopt_legacy_token)
