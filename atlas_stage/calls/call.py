"""What a call is, and a walk over the pages of a list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call of a function of schema `api`, and what its parsed JSON becomes."""

    function: str
    arguments: Json
    read: bool
    decode: Callable[[Any], T]

    def then(self, made_of: Callable[[T], U]) -> "Call[U]":
        """The same call, its answer made into something else."""
        return Call(
            self.function, self.arguments, self.read, lambda answer: made_of(self.decode(answer))
        )


@dataclass(frozen=True)
class Walk(Generic[T]):
    """A list page after page: `page` gives the call for a place in it, which answers with items and
    the next place, None at the end.
    """

    page: Callable[[Any], Call[tuple[Sequence[T], Any]]]
    start: Any = None


def read(function: str, decode: Callable[[Any], T], required: Json, **optional: Any) -> Call[T]:
    """A call that changes nothing."""
    return Call(function, _given(required, optional), True, decode)


def write(function: str, decode: Callable[[Any], T], required: Json, **optional: Any) -> Call[T]:
    """A call that changes something."""
    return Call(function, _given(required, optional), False, decode)


def _given(required: Json, optional: Json) -> dict[str, Any]:
    """The arguments to send: what is required, even when it is None, and what was given beyond it."""
    return {**required, **{name: each for name, each in optional.items() if each is not None}}
