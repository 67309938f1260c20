"""The wrapper mirrors the functions of schema `api`."""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable, Sequence
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import psycopg
import pytest

from atlas_stage import (
    AsyncStage,
    Stage,
)
from atlas_stage.arguments import ClientName, Json
from atlas_stage.models import Client


def _api_functions(dsn: str) -> dict[str, list[tuple[str, str, bool]]]:
    """Function -> its arguments as (name, type, has a default)."""
    query = """
        select
          p.proname,
          a.name,
          format_type(a.type, null),
          a.place > p.pronargs - p.pronargdefaults
        from pg_proc p
        left join lateral unnest(p.proargnames, p.proargtypes::oid[])
          with ordinality as a (name, type, place) on p.pronargs > 0
        where p.pronamespace = 'api'::regnamespace
          -- not the gateway's own, health and the OpenAPI document; nor what turns a slug into an id, which every
          -- method does
          and (p.pronargs = 0) = (p.proargnames is null)
          and p.proname not in ('health', 'client_id', 'openapi')
        order by p.proname, a.place
    """
    functions: dict[str, list[tuple[str, str, bool]]] = {}
    with psycopg.connect(dsn) as connection:
        for function, name, kind, optional in connection.execute(query):
            functions.setdefault(function, [])
            if name is not None:
                functions[function].append((name, kind, optional))
    return functions


class TestMirror:
    @pytest.mark.parametrize("kind", [Stage, AsyncStage])
    def test_every_api_function_is_a_method_with_the_same_arguments(self, dsn: str, kind: type) -> None:
        for function, arguments in _api_functions(dsn).items():
            parameters = _parameters(getattr(kind, function))
            assert {*parameters} == {name for name, _, _ in arguments}, function
            for place, (name, _, optional) in enumerate(arguments):
                parameter = parameters[name]
                assert (parameter.default is not inspect.Parameter.empty) == optional, name
                assert (parameter.kind is parameter.KEYWORD_ONLY) == (optional and place > 0), name

    @pytest.mark.parametrize("kind", [Stage, AsyncStage])
    def test_every_argument_is_typed_as_the_database_has_it(self, dsn: str, kind: type) -> None:
        for function, arguments in _api_functions(dsn).items():
            parameters = _parameters(getattr(kind, function))
            for name, sql_type, _ in arguments:
                known = CLIENTS[name] if name in CLIENTS else TYPES[sql_type]
                assert _without_none(parameters[name].annotation) in known, (
                    function,
                    name,
                )


# Where the database takes the id of a client, a method takes its slug too; a list takes ids only.
CLIENTS: dict[str, list[Any]] = {
    "client_id": [ClientName],
    "client_ids": [Sequence[int | Client]],
}
TYPES: dict[str, list[Any]] = {
    "bigint": [int],
    "bigint[]": [Sequence[int]],
    "integer": [int],
    "text": [str],
    "text[]": [Sequence[str]],
    "boolean": [bool],
    "timestamp with time zone": [datetime],
    "uuid": [str],
    "date": [str],
    "jsonb": [Json, Sequence[Json]],
}


def _parameters(method: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The arguments of a method, those of a TypedDict (`**context: Unpack[Context]`) too."""
    return {name: each for name, each in inspect.signature(method).parameters.items() if name != "self"}


def _without_none(hint: Any) -> Any:
    """The type of an argument that may be left out."""
    return (
        functools.reduce(operator.or_, (each for each in get_args(hint) if each is not NoneType))
        if get_origin(hint) in (UnionType, Union)
        else hint
    )
