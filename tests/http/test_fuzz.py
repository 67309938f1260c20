"""Thousands of requests made from the OpenAPI document: none of them is a server error.

ATLAS_TEST_FUZZ is how many for each function (default 4; continuous integration takes more), and a third of
that for callers without a token that counts.
"""

from __future__ import annotations

import os
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from tests.http.api import Api

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("ATLAS_TEST_FUZZ", "4"))


@pytest.fixture(scope="module")
def revoked(own_api: Api) -> str:
    issued = own_api.token(own_api.actor())
    own_api.done("revoke_token", token_id=issued["id"])
    return str(issued["token"])


def strategies(own_api: Api) -> list[Any]:
    """The requests for each operation of the document, with good and with bad values."""
    # Takes 2 s, and `make test` only collects this file.
    import schemathesis
    from schemathesis.generation import GenerationMode

    document = own_api.send("GET", "/").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.update(modes=[*GenerationMode])
    found = [result.ok() for result in schema.get_all_operations()]
    # What takes rights away comes last: it may hit the caller's own.
    found.sort(key=lambda operation: "/revoke_" in operation.path)
    return [one.as_strategy(generation_mode=mode) for one in found for mode in GenerationMode]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("caller", ["good", "revoked", "nobody"])
def test_nothing_is_a_server_error(own_api: Api, revoked: str, caller: str) -> None:
    token = {"good": "", "revoked": revoked, "nobody": None}[caller]
    # The others are refused before their arguments mean anything.
    examples = EXAMPLES if caller == "good" else -(-EXAMPLES // 3)
    seen: set[int] = set()
    tried = 0

    for cases in strategies(own_api):

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(cases)
        def send(case: Any) -> None:
            nonlocal tried
            answer = _send(own_api, case, token)
            if answer is None:
                return
            tried += 1
            seen.add(answer.status_code)
            assert answer.status_code < 500, (case.method, case.path, case.body, answer.text)
            if caller != "good" and case.path not in ("/", "/rpc/health"):
                assert answer.status_code >= 400

        try:
            send()
        except Unsatisfiable:
            continue

    print(f"{caller}: {tried} requests, answered with {sorted(seen)}")
    assert tried > examples * 10
    assert (200 if caller == "good" else 401) in seen


def _send(own_api: Api, case: Any, token: str | None) -> httpx.Response | None:
    arguments = case.as_transport_kwargs(base_url=own_api.url)
    headers = {
        name: value
        for name, value in dict(arguments.get("headers") or {}).items()
        if name.lower() not in ("authorization", "user-agent")
    }
    if token is not None:
        headers["Authorization"] = f"Bearer {token or own_api.admin}"
    try:
        return own_api.http.request(
            arguments["method"],
            arguments["url"],
            params=arguments.get("params"),
            headers=headers,
            json=arguments.get("json"),
            content=arguments.get("data"),
        )
    except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeEncodeError, TypeError, ValueError):
        return None  # what cannot be sent
