"""The arguments of the functions of schema `api`: their SQL types, and what a Python value of one is."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from atlas_stage.errors import InvalidInput


def _whole_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_text, value))


def _instant(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _anything(_value: Any) -> bool:
    return True


# SQL type -> what a Python value of it is, as a test and in words.
_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "bigint": (_whole_number, "a whole number of at most 64 bits"),
    "integer": (_whole_number, "a whole number"),
    "text": (_text, "text without NUL characters"),
    "text[]": (_texts, "a list of texts without NUL characters"),
    "boolean": (_truth, "True or False"),
    "timestamptz": (_instant, "a datetime with a time zone"),
    "jsonb": (_anything, "JSON"),
}

# The SQL type of every argument that is not text. Where one name has two types, the function
# stands before it.
_ARGUMENTS: dict[str, str] = {
    "client_id": "bigint",
    "expected_version": "bigint",
    "before_version": "bigint",
    "history_id": "bigint",
    "permission_id": "bigint",
    "after": "bigint",
    "tokens.after": "text",
    "page_size": "integer",
    "age_days_gt": "integer",
    "stuck": "boolean",
    "active": "boolean",
    "override": "boolean",
    "atomic": "boolean",
    "include_revoked": "boolean",
    "never_expires": "boolean",
    "expires_at": "timestamptz",
    "collaborators": "text[]",
    "reviewers": "text[]",
    "clear": "text[]",
    "payload": "jsonb",
    "scope": "jsonb",
    "items": "jsonb",
}


def argument_type(function: str, name: str) -> str:
    """The SQL type of an argument of a function of schema `api`."""
    return _ARGUMENTS.get(f"{function}.{name}") or _ARGUMENTS.get(name, "text")


def checked(function: str, name: str, value: Any) -> Any:
    """The value, if it is one of the argument's type: lists as lists, instants and JSON as they are.

    Raises InvalidInput.
    """
    kind = argument_type(function, name)
    if value is None:
        return None
    fits, words = _TYPES[kind]
    if not fits(value):
        raise InvalidInput(f"{name} must be {words}", details={"argument": name})
    return list(value) if kind == "text[]" else value


def as_json(value: Any, name: str) -> str:
    """The value as JSON text. Raises InvalidInput, which says that `name` is not JSON."""
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{name} must be JSON", details={"argument": name}) from error


def for_json(value: Any, name: str) -> Any:
    """The value as it stands in a JSON body: an instant in ISO 8601, JSON only if it is some."""
    if isinstance(value, datetime):
        return value.isoformat()
    as_json(value, name)
    return value
