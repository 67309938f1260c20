"""The functions of schema `api` as methods, with the same names and the same argument names.

Every method is one transaction (or part of `Stage.transaction()`), returns a record of `models` and raises a
`StageError` of `errors`. Arguments that are omitted or None have the defaults of the database. `client_id` is
a client's id, its slug (which takes one more read), or a client that was read; text made of ASCII digits is an id.

At build time tools/generate.py generates `async_api.py`, with a method for each function, from `sql/api/` and the
records that they return; and from this file `stage.py`.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, Unpack

from atlas_stage import models
from atlas_stage.arguments import ClientName, Later, Move, sent
from atlas_stage.async_api import AsyncApi

T = TypeVar("T")
P = ParamSpec("P")


def _each(
    read: Callable[Concatenate[Any, P], Later[models.Page[T]]], *, reverse: bool = False
) -> Callable[Concatenate["AsyncStage", P], AsyncIterator[T]]:
    """The method that yields the items of all pages of a list."""

    @wraps(read)
    async def each(stage: "AsyncStage", /, *args: P.args, **arguments: P.kwargs) -> AsyncIterator[T]:
        async for page in stage.pages(partial(read, stage), *args, **arguments):
            for item in reversed(page) if reverse else page:
                yield item

    each.__doc__ = f"All items of `{read.__name__}`, {'newest first' if reverse else 'page by page'}."
    return each


class AsyncStage(AsyncApi):
    """Clients in their stages. Begin with `connect()`; use it as a context manager, or call `close()` at the end.

    `Stage` uses psycopg or HTTP and can be shared by threads. `AsyncStage` has the same methods as coroutines, over
    HTTP, and can be shared by tasks.
    """

    iter_clients = _each(AsyncApi.clients)
    iter_history = _each(AsyncApi.stage_history, reverse=True)
    iter_permissions = _each(AsyncApi.permissions)
    iter_tokens = _each(AsyncApi.tokens)

    async def move(self, client_id: ClientName, to_stage: str, reason: str, **how: Unpack[Move]) -> models.Change:
        """Read a client's version and move it. Raises VersionConflict if the client changes in between."""
        version = (await self.client(client_id)).client.version
        return await self.set_stage(client_id, to_stage, reason, version, **how)

    async def pages(self, read: Callable[..., Later[T]], *args: Any, **arguments: Any) -> AsyncIterator[T]:
        """All pages of a list: `stage.pages(stage.closes, "2026-11", page_size=1000)`."""
        following: Any = {}
        while following is not None:
            page: Any = await read(*args, **{**arguments, **following})
            yield page
            following = page.next or None

    async def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _call(self, function: str, given: Mapping[str, Any], answer: Any, part: str | None, **how: bool) -> Any:
        """`read`: it changes nothing. `keyed`: it takes an idempotency key. `part`: the key of the record."""
        arguments, send = sent(getattr(AsyncApi, function), given), self._transport.call
        if isinstance(name := arguments.get("client_id"), str):
            arguments["client_id"] = await send("client_id", {"client": name}, read=True)
        found = await send(function, arguments, **how)
        return models.read(answer, found[part] if part else found)
