"""The arguments of a method, checked against its signature before they are sent."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypedDict, TypeVar, Union, get_args, get_origin, get_type_hints

from atlas_stage.errors import InvalidInput
from atlas_stage.models import Client

Json = Mapping[str, Any]
Whole = int
Instant = datetime
ClientName = int | str | Client  # an id, a slug, or a client that was read

# What a method returns: a coroutine's result comes later, and tools/make_sync.py turns Later into Now.
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


class Origin(TypedDict, total=False):
    """How a change came about."""

    triggered_by: str | None
    on_behalf_of: str | None
    channel: str | None
    payload: Json | None


class Context(Origin, total=False):
    """How a change came about; `external_id` is its idempotency key."""

    external_id: str | None


class Fields(Context, total=False):
    """A client's other fields, and how the change came about."""

    owner: str | None
    collaborators: Sequence[str] | None
    notes: str | None
    tier: str | None
    cadence: str | None
    schedule: str | None
    reviewers: Sequence[str] | None
    active: bool | None


class Filters(TypedDict, total=False):
    """Which clients, and which page of them."""

    flag: str | None
    owner: str | None
    age_days_gt: Whole | None
    stuck: bool | None
    service_tier: str | None
    search: str | None
    after: Whole | None
    page_size: Whole | None
    attention: str | None
    unowned: bool | None
    client_ids: Sequence[ClientName] | None
    sort: str | None
    cursor: str | None


def checked(method: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments to send, from a method's `locals()`. Raises InvalidInput.

    An optional argument that is None isn't sent: the database has the default.
    """
    known, variadic = _parameters(method)
    given = {**values, **values.get(variadic, {})}
    for name in values.get(variadic, {}):
        if name not in known:
            raise TypeError(f"{method.__name__}() got an unexpected keyword argument {name!r}")
    sent: dict[str, Any] = {}
    for name, (kind, is_optional) in known.items():
        value = given.get(name)
        if value is not None:
            if not _fits(value, kind):
                raise InvalidInput(f"{name} must be {_in_words(kind)}", details={"argument": name})
            sent[name] = _by_id(value)
        elif not is_optional:
            sent[name] = None
    return sent


@cache
def _parameters(method: Callable[..., Any]) -> tuple[dict[str, tuple[Any, bool]], str]:
    """Each parameter's type and whether it is optional, then the name of the parameter for those of a TypedDict."""
    hints = get_type_hints(method)
    known: dict[str, tuple[Any, bool]] = {}
    variadic = ""
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            variadic = name
            known |= {
                each: (kind, True) for each, kind in get_type_hints(*get_args(hints[name])).items()
            }
        elif name != "self":
            known[name] = hints[name], parameter.default is None
    return known, variadic


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value has an argument's type: integers have 64 bits, and True isn't one; instants have a time zone."""
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(_fits(each, *parts) for each in value)
    if origin is int:
        return type(value) is not bool and isinstance(value, int) and -(2**63) <= value < 2**63
    return isinstance(value, origin) and (origin is not datetime or value.tzinfo is not None)


def _by_id(value: Any) -> Any:
    """A client that was read goes by its id."""
    if isinstance(value, list | tuple):
        return [_by_id(each) for each in value]
    return value.id if isinstance(value, Client) else value


def _in_words(kind: Any) -> str:
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else [kind]
    return " or ".join(_WORDS[get_origin(part) or part] for part in parts if part is not type(None))


def as_json(value: Any, name: str) -> str:
    """The value as JSON text, instants in ISO 8601. Raises InvalidInput, with the argument's name."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, default=_written)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} must be JSON", details={"argument": name}) from error


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError
