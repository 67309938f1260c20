"""The arguments of the methods of `Stage`, checked against their signatures."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypedDict, TypeVar, get_args, get_origin

from atlas_stage.errors import InvalidInput
from atlas_stage.models import Client, Json as Json

ClientName = int | str | Client  # an id, a slug, or a client that was read

# What a method returns: a coroutine's result comes later, and tools/generate.py turns Later into Now.
T = TypeVar("T")
Later = Awaitable
Now = Annotated[T, "at once"]

_WORDS: dict[Any, str] = {
    int: "a whole number",
    str: "text",
    bool: "true or false",
    datetime: "a datetime with a time zone",
    Mapping: "a mapping",
    Sequence: "a list",
    Client: "a client",
}


class Move(TypedDict, total=False):
    """How a client is moved and how that came about."""

    triggered_by: str | None
    on_behalf_of: str | None
    channel: str | None
    payload: Json | None
    override: bool | None
    close_period: str | None


def sent(method: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call, from the local variables of the method. Raises InvalidInput if a type is wrong.

    An optional argument that is None isn't sent: the database has the default.
    """
    return {
        each.name: _checked(each, given[each.name])
        for each in _parameters(method)
        if each.default is not None or given[each.name] is not None
    }


@cache
def _parameters(method: Callable[..., Any]) -> list[inspect.Parameter]:
    _, *parameters = inspect.signature(method).parameters.values()
    return parameters


def _checked(parameter: inspect.Parameter, value: Any) -> Any:
    """The value as it is sent: a client that was read goes by its id, and digits are an id. Raises InvalidInput."""
    name, kind = parameter.name, parameter.annotation
    if value is not None and not _fits(value, kind):
        parts = get_args(kind) if get_origin(kind) is UnionType else [kind]
        words = [_WORDS[get_origin(part) or part] for part in parts if part is not type(None)]
        raise InvalidInput(f"{name} must be {' or '.join(words)}", details={"argument": name})
    if isinstance(value, list | tuple):
        return [each.id if isinstance(each, Client) else each for each in value]
    if name == "client_id" and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value) if len(value) <= 18 else value  # no id has more digits
    return value.id if isinstance(value, Client) else value


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value has an argument's type: integers have 64 bits, and True isn't one; instants have a time zone."""
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin is UnionType:
        return any(_fits(value, part) for part in parts)
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(_fits(each, *parts) for each in value)
    if origin is int:
        return type(value) is not bool and isinstance(value, int) and -(2**63) <= value < 2**63
    return isinstance(value, origin) and (origin is not datetime or value.tzinfo is not None)


def as_json(value: Any, name: str) -> str:
    """The value as JSON text, instants in ISO 8601. Raises InvalidInput, with the argument's name."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, default=datetime.isoformat)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} must be JSON", details={"argument": name}) from error
