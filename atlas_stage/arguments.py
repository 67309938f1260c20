"""The arguments of a method, checked against what its signature says before they are sent."""

import inspect
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypedDict

import msgspec

from atlas_stage.errors import InvalidInput

Json = Mapping[str, Any]
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
ClientName = Whole | str  # an id, or a slug
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Context(TypedDict, total=False):
    """How a change came about; `external_id` is a key that makes it repeatable."""

    triggered_by: str | None
    on_behalf_of: str | None
    channel: str | None
    external_id: str | None
    payload: Json | None


class Fields(Context, total=False):
    """What a client has beside its stage and flags, and how it came about."""

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
    client_ids: Sequence[Whole] | None
    sort: str | None
    cursor: str | None


def checked(method: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What to send of the values of a method's parameters; raises InvalidInput.

    None is left to the default of the database, where it is the method's own default.
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
            sent[name] = _converted(name, value, kind)
        elif not is_optional:
            sent[name] = None
    return sent


@cache
def _parameters(method: Callable[..., Any]) -> tuple[dict[str, tuple[Any, bool]], str]:
    """The type of each parameter, and whether its default is None; then the name of those that stand in a TypedDict."""
    hints = typing.get_type_hints(method, include_extras=True)
    known: dict[str, tuple[Any, bool]] = {}
    variadic = ""
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            (variadic, (unpacked,)) = name, typing.get_args(hints[name])
            more = typing.get_type_hints(unpacked, include_extras=True)
            known |= {each: (kind, True) for each, kind in more.items()}
        elif name != "self":
            known[name] = hints[name], parameter.default is None
    return known, variadic


def _converted(name: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        said = f"{name}: {str(error)[:1].lower()}{str(error)[1:]}"
        raise InvalidInput(said, details={"argument": name}) from error


def as_id(client: str) -> int | None:
    """The id that a text is; None for a slug, and for more digits than an id has: the database knows neither."""
    digits = client.isascii() and client.isdigit() and len(client) <= 18
    return int(client) if digits else None


def as_json(value: Any, name: str) -> str:
    """The value as JSON text, instants in ISO 8601; raises InvalidInput, which says that `name` is none."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False, default=_written)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} must be JSON", details={"argument": name}) from error


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError
