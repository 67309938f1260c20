"""The wrapper mirrors the functions of schema `api`."""

from __future__ import annotations

import inspect

import psycopg
import pytest

from atlas_stage import (
    AsyncStage,
    Stage,
)
from atlas_stage.values import argument_type


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
          -- not those that stand behind a path of the gateway, nor what asks after its health
          and (p.pronargs = 0) = (p.proargnames is null)
          and p.proname <> 'health'
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
    def test_every_api_function_is_a_method_with_the_same_arguments(
        self, dsn: str, kind: type
    ) -> None:
        for function, arguments in _api_functions(dsn).items():
            signature = inspect.signature(getattr(kind, function))
            parameters = list(signature.parameters.values())[1:]
            assert [each.name for each in parameters] == [name for name, _, _ in arguments], (
                function
            )
            for place, (parameter, argument) in enumerate(zip(parameters, arguments, strict=True)):
                assert (parameter.default is not inspect.Parameter.empty) == argument[2], argument
                assert (parameter.kind is inspect.Parameter.KEYWORD_ONLY) == (place > 0), argument

    def test_every_argument_is_cast_to_its_type(self, dsn: str) -> None:
        for function, arguments in _api_functions(dsn).items():
            for name, kind, _ in arguments:
                expected = kind.replace("timestamp with time zone", "timestamptz")
                assert argument_type(function, name) == expected, (function, name)
