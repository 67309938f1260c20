"""The arguments of a method, checked against what its signature says before they are sent."""

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any

import msgspec

from atlas_stage.errors import InvalidInput

Json = Mapping[str, Any]
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


def checked(method: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What to send of the values of a method's parameters; raises InvalidInput.

    None is left to the default of the database, where it is the method's own default.
    """
    sent: dict[str, Any] = {}
    for name, (kind, is_optional) in _parameters(method).items():
        value = values[name]
        if value is not None:
            sent[name] = _converted(name, value, kind)
        elif not is_optional:
            sent[name] = None
    return sent


@cache
def _parameters(method: Callable[..., Any]) -> dict[str, tuple[Any, bool]]:
    """The type of each parameter, and whether its default is None."""
    hints = typing.get_type_hints(method, include_extras=True)
    return {
        name: (hints[name], parameter.default is None)
        for name, parameter in inspect.signature(method).parameters.items()
        if name != "self"
    }


def _converted(name: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        said = f"{name}: {str(error)[:1].lower()}{str(error)[1:]}"
        raise InvalidInput(said, details={"argument": name}) from error


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
