"""How a call becomes a method of `Stage` or `AsyncStage`: its name, its documentation, its signature."""

import inspect
import typing
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


def described(method: Method, make: Callable[..., Any], answer: Any = None) -> Method:
    """`method` with the name, words and arguments of `make`, which it carries out.

    `answer` is a generic type around what the call becomes: None, Iterator, Coroutine …
    """
    signature = inspect.signature(make)
    (becomes,) = typing.get_args(typing.get_type_hints(make)["return"])
    self = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    described: Any = method
    described.__name__ = described.__qualname__ = make.__name__
    described.__doc__ = make.__doc__
    described.__signature__ = signature.replace(
        parameters=[self, *signature.parameters.values()],
        return_annotation=becomes if answer is None else answer[becomes],
    )
    return method
