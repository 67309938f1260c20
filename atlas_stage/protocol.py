"""How `Stage` reaches the database: it knows only these protocols."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(eq=False)
class Work:
    """A transaction in progress, on the psycopg connection `connection`."""

    connection: Any
    discarded: bool = False

    def discard(self) -> None:
        """Roll everything back at the end of the transaction; until then its calls answer as usual."""
        self.discarded = True


class Transport(Protocol):
    """Carries one call of a function of schema `api` and returns its parsed JSON."""

    def call(self, function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool = False) -> Any:
        """Call a function. `read`: it changes nothing; `keyed`: it takes an idempotency key. Raises StageError."""

    def transaction(self) -> AbstractContextManager[Work]:
        """Commit the calls inside together, or none of them."""

    def close(self) -> None:
        """Close the connections."""
