"""Paths that lead nowhere: a 4xx in the contract's shape, and no client is moved by another path than its own."""

from __future__ import annotations

import json

import pytest

from tests.http.api import GOOD_MOVE, Api
from tests.http.wire import raw

PATHS = [
    "/api/clients/99999999999999999999",
    "/api/clients/" + "9" * 100,
    "/api/clients/-1",
    "/api/clients/1e3",
    "/api/clients/1.0",
    "/api/clients/abc",
    "/api/clients/1%20",
    "/api/clients/%31",
    "/api/clients/1%2Fstage",
    "/api/clients/1%00",
    "/api/clients/1%0d%0aX-Atlas-Token:%20x",
    "/api/clients/1;x=1",
    "/api/clients/{id}",
    "/api/clients/{http.request.header.Authorization}",
    "/api/clients/é",
    "/api/clients/1/",
    "/api/clients//1",
    "/api//clients",
    "/api/clients/../clients",
    "/api/clients/./1",
    "/api/clients/..%2f..%2frpc/whoami",
    "/api/clients/../../rpc/whoami",
    "//rpc/whoami",
    "/rpc/../rpc/whoami",
    "/rpc/%77hoami",
    "/rpc/whoami/",
    "/rpc/whoami/x",
    "/rpc/WHOAMI",
    "/rpc/",
    "/rpc",
    "/rpc/rules.refuse",
    "/rpc/no_such_function",
    "/clients",
    "/stage_history",
    "/api/agents//queue",
    "/api/agents/user:x",
    "/api/agents/user:x/queue/",
    "/api/agents/" + "a" * 500 + "/queue",
    "/api/agents/%00/queue",
    "/api/agents/a%0d%0ab/queue",
    "/api/agents/nobody/queue",
    "/live",
    "/ready",
    "/config/",
    "/metrics",
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:40])
def test_paths_that_lead_nowhere_are_4xx(api: Api, path: str) -> None:
    status, headers, body = raw(api, f"GET {path} HTTP/1.1")

    assert status in (400, 404, 422), (status, body)
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert set(json.loads(body)) == {"code", "message", "details", "hint"}


@pytest.mark.parametrize(
    "path",
    [
        "/api/clients/{id}%2Fstage",
        "/api/clients/{id}/./stage",
        "/api/clients/x/../{id}/stage",
        "/api/clients/{id}/stage/",
        "/api/clients/0{id}x/stage",
        "/api/clients/{id}/stage%00",
        "/api/clients/{id} /stage",
        "/api/clients/99999999999999999999/stage",
    ],
)
def test_no_other_path_moves_a_client(api: Api, client: int, path: str) -> None:
    body = json.dumps(GOOD_MOVE)
    path = path.replace("{id}", str(client))

    status, _, said = raw(api, f"PATCH {path} HTTP/1.1", f"Content-Length: {len(body)}", body=body)

    assert status in (400, 404), said
    assert api.version(client) == 0
