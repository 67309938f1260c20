"""How a call reaches the database: `Stage` knows only this protocol."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Work:
    """A transaction in progress. After `discard()` its end undoes everything done in it."""

    discarded = False

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        """The connection that carries it, for what has no API function."""

    def discard(self) -> None:
        """Undo everything at the end of the transaction (its calls still answer as if they were done)."""
        self.discarded = True


class Transport(Protocol):
    """Carries one call of a function of schema `api` and brings back its parsed JSON."""

    def call(
        self, function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool = False
    ) -> Any:
        """Call `function` with named arguments. Raises StageError.

        `read` says that it changes nothing, `keyed` that a key makes it repeatable.
        """

    def transaction(self) -> AbstractContextManager[Work]:
        """Calls inside are done together or not at all; nested, they can be undone by themselves."""

    def close(self) -> None:
        """Let go of the connection."""


class AsyncTransport(Protocol):
    """`Transport` for asyncio."""

    async def call(
        self, function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool = False
    ) -> Any:
        """Call `function` with named arguments. Raises StageError."""

    async def close(self) -> None:
        """Let go of the connections."""
