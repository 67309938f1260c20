"""Caddy and nginx answer alike: the same status, body and headers, whether the request gets to PostgREST or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from atlas_stage.local.serving.gateway import gateway
from atlas_stage.ops import resources
from tests.http.api import GOOD_MOVE, Api
from tests.http.wire import exchange
from tests.support.databases import Databases
from tests.support.stack import Stack

ORIGIN = "https://board.example.com"
BROWSER = "Accept: text/html,*/*;q=0.8"
ASKS = "Access-Control-Request-Method: PATCH"
# Of the program or of the connection.
OTHERS = {
    "accept-ranges",
    "connection",
    "content-length",
    "date",
    "etag",
    "keep-alive",
    "last-modified",
    "server",
    "transfer-encoding",
}
LONG = "x" * 16_000

REQUESTS: list[tuple[str, tuple[str, ...], str]] = [
    ("GET /", (BROWSER,), ""),
    ("HEAD /", (BROWSER,), ""),
    ("POST /", (BROWSER, "Content-Length: 0"), ""),
    ("GET /?view=report", (BROWSER,), ""),
    ("GET /board", (), ""),
    ("GET /board/board.js", (), ""),
    ("DELETE /board/board.js", (), ""),
    ("GET /healthz", (), ""),
    ("GET /healthz?x=1", (f"Origin: {ORIGIN}",), ""),
    ("POST /healthz", ("Content-Length: 0",), ""),
    ("GET /rpc/whoami", (), ""),
    ("HEAD /rpc/whoami", (), ""),
    ("GET /rpc/whoami", (f"Origin: {ORIGIN}",), ""),
    ("GET /rpc/whoami", ("Origin: https://other.example.com",), ""),
    ("POST /rpc/whoami", ("Content-Length: 2",), "{}"),
    ("GET /rpc/whoami", ("Content-Length: 2",), "{}"),
    ("POST /rpc/whoami", ("Content-Length: 2", "Content-Type: text/csv"), "{}"),
    ("POST /rpc/whoami", ("Content-Length: 1",), "{"),
    ("POST /rpc/whoami", (), ""),
    ("PUT /rpc/whoami", ("Content-Length: 0",), ""),
    ("OPTIONS /rpc/whoami", (), ""),
    ("OPTIONS /rpc/whoami", (f"Origin: {ORIGIN}", ASKS), ""),
    ("OPTIONS /healthz", (f"Origin: {ORIGIN}", ASKS), ""),
    ("OPTIONS /rpc/whoami", ("Origin: https://other.example.com", ASKS), ""),
    ("OPTIONS /rpc/whoami", (ASKS,), ""),
    ("PATCH /api/clients/1/stage", ("Content-Length: 2",), "{}"),
    ("PUT /api/clients/1/stage", ("Content-Length: 2",), "{}"),
    ("GET /api/clients?search=f%C3%A9e&page_size=1", (), ""),
    ("GET /api/clients?search=fée", (), ""),
    ("GET /api/clients?search=%C3", (), ""),
    ("GET /api/clients?search=%00", (), ""),
    ("GET /api/clients?search=%ed%a0%80", (), ""),
    ("GET /api/clients?search=%f0%9f%98%80", (), ""),
    ("GET /api/clients?search=%F4%90%80%80", (), ""),
    ("GET /api/clients/1%2Fstage", (), ""),
    ("GET /api/clients/../clients", (), ""),
    ("GET /api//clients", (), ""),
    ("GET //rpc/whoami", (), ""),
    ("GET /%72pc/whoami", (), ""),
    ("GET /api", (), ""),
    ("GET /nothing", (), ""),
    ("GET /ready", (), ""),
    ("GET /-/ready", (), ""),
    ("GET /-/service_away", (), ""),
    (f"GET /api/clients?search={LONG}", (), ""),
    ("GET /rpc/whoami", (f"Idempotency-Key: {'k' * 201}",), ""),
    ("POST /rpc/whoami", (f"Idempotency-Key: {'k' * 3000}", "Content-Length: 0"), ""),
    ("POST /rpc/whoami", ("Transfer-Encoding: chunked",), "2\r\n{}\r\n0\r\n\r\n"),
    ("POST /nothing", ("Transfer-Encoding: chunked",), "2\r\n{}\r\n0\r\n\r\n"),
    ("POST /rpc/whoami", ("Content-Length: 5000000",), json.dumps({"x": "x" * 4_999_991})),
    ("POST /rpc/whoami", ("Content-Length: 5000001",), json.dumps({"x": "x" * 4_999_992})),
]


@pytest.fixture(scope="module")
def both(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Api]]:
    """The two before one database."""
    with ExitStack() as stack:
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("ATLAS_CORS_ORIGIN", ORIGIN)
        dsn = stack.enter_context(databases.clone())
        token = Stack(dsn, "").token()
        folders = {name: tmp_path_factory.mktemp(name) for name in ("caddy", "nginx")}
        yield [
            stack.enter_context(Api(running.url, token, dsn))
            for running in [
                stack.enter_context(gateway(dsn, folder, 0, lambda _: None, program=name))
                for name, folder in folders.items()
            ]
        ]


@pytest.mark.parametrize(("request_line", "lines", "body"), REQUESTS, ids=lambda x: ascii(x)[:50])
def test_a_request_gets_the_same_answer(both: list[Api], request_line: str, lines: tuple[str, ...], body: str) -> None:
    caddy, nginx = (answer(api, f"{request_line} HTTP/1.1", *lines, body=body) for api in both)

    assert nginx == caddy


def answer(api: Api, request: str, *lines: str, body: str) -> tuple[int, set[tuple[str, str]], str]:
    """Status, headers and body."""
    received = exchange(api, request, *lines, "Connection: close", body=body)
    head, _, rest = received.partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    headers = {(name.lower(), value) for name, _, value in (f.partition(": ") for f in fields)}
    if ("transfer-encoding", "chunked") in headers:
        rest = rest.partition("\r\n")[2].rpartition("\r\n0")[0]
    return int(status.split()[1]), {each for each in headers if each[0] not in OTHERS}, rest


def test_a_move_through_one_is_seen_through_the_other(both: list[Api]) -> None:
    for first, second in (both, both[::-1]):
        client = first.make_client()
        moved = first.send("PATCH", f"/api/clients/{client}/stage", json=GOOD_MOVE)
        assert moved.json()["client"]["version"] == second.version(client) == 1


def test_nginx_says_its_name_without_its_version(both: list[Api]) -> None:
    """Only a module that its image lacks can drop this header."""
    for path in ("/", "/board/", "/nothing", "/rpc/whoami"):
        caddy, nginx = (api.send("GET", path).headers.get("server") for api in both)
        assert (caddy, nginx) == (None, "nginx")


def test_python_and_envsubst_fill_in_the_same() -> None:
    """string.Template makes one dollar of two, envsubst leaves both."""
    assert "$$" not in (resources.root() / "gateway" / "nginx.conf").read_text()
