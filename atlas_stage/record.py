"""JSON objects as frozen dataclasses, and back."""

import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

from atlas_stage.errors import StageError


class Record:
    """Base of the answers: made from the JSON of the database, and turned back into JSON for
    programs.
    """

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Make the record from a JSON object; a missing key without a default raises TypeError."""
        hints = _types(cls)
        return cls(**{name: _read(hints[name], data[name]) for name in hints if name in data})

    def as_json(self) -> dict[str, Any]:
        """The record as JSON values: instants in ISO 8601, tuples as lists."""
        return {name: _write(getattr(self, name)) for name in _types(type(self))}


_TYPES: dict[type[Record], dict[str, Any]] = {}


def _types(record: type[Record]) -> dict[str, Any]:
    """The types of a record's fields, worked out once."""
    if record not in _TYPES:
        _TYPES[record] = typing.get_type_hints(record)
    return _TYPES[record]


def _read(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        (hint,) = (each for each in hint.__args__ if each is not types.NoneType)
    if hint is datetime:
        return _instant(value)
    if typing.get_origin(hint) is tuple:
        return tuple(_read(typing.get_args(hint)[0], each) for each in value)
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint.from_json(value)
    return value


def _write(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_write(each) for each in value]
    if isinstance(value, Record | StageError):
        return value.as_json()
    return value


def _instant(text: str) -> datetime:
    """An instant of the database; one beyond the calendar of Python (`infinity`) becomes its last."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)
