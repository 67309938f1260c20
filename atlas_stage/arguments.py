"""How a method of `Stage` becomes a call: its arguments, checked against its signature."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from types import UnionType
from typing import Annotated, Any, TypedDict, TypeVar, cast, get_args, get_origin

from atlas_stage.errors import InvalidInput
from atlas_stage.models import Client, Json as Json

ClientName = int | str | Client  # an id, a slug, or a client that was read

# What a method returns: a coroutine's result comes later, and tools/make_sync.py turns Later into Now.
T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])
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


def call(*, read: bool = False, keyed: bool = False, part: str | None = None) -> Callable[[Method], Method]:
    """Make a method call the function of its name and return the record of its annotation.

    `read`: it changes nothing. `keyed`: it takes an idempotency key. `part`: the key of the record in the answer.
    The method raises InvalidInput if an argument isn't of its type. An optional argument that is None isn't sent: the
    database has the default.
    """

    def made(method: Method) -> Method:
        signature = inspect.signature(method)
        _, *parameters = signature.parameters.values()

        @wraps(method)
        def called(stage: Any, /, *args: Any, **more: Any) -> Any:
            given = signature.bind(stage, *args, **more).arguments
            sent = {}
            for each in parameters:
                value = given.get(each.name, each.default)
                if each.default is not None or value is not None:
                    sent[each.name] = _checked(each, value)
            return stage._call(  # noqa: SLF001 (a method of the stage)
                method.__name__, sent, signature.return_annotation, part, read=read, keyed=keyed
            )

        return cast(Method, called)

    return made


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
