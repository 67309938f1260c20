"""What bad requests get: a 4xx in the contract's shape, and nothing changed."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.http.api import Api, is_an_error_in_shape, refusal

GOOD = {"to_stage": "cleanup", "reason": "old books", "expected_version": 0}
JSON = {"Content-Type": "application/json"}

NOT_AN_OBJECT = [
    b"[]",
    b'[{"reason": "x"}]',
    b" \n [1]",
    b"5",
    b'"text"',
    b"true",
    b"null",
    b"{",
    b'{"reason": "x"',
    b'{"reason": "x"} {}',
    b"{'reason': 'x'}",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"reason": "\xff"}',
    b'{"reason": "\\u0000"}',
    b'{"reason": "\\ud800"}',
    b"reason=x&to_stage=cleanup",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"payload": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
]


@pytest.mark.parametrize("body", NOT_AN_OBJECT, ids=lambda body: ascii(body[:20]))
def test_a_body_that_is_no_object_changes_nothing(api: Api, client: int, body: bytes) -> None:
    requests = [
        ("PATCH", f"/api/clients/{client}/stage"),
        ("POST", f"/api/clients/{client}/flags/client_blocking"),
        ("POST", f"/api/clients/{client}/stage_history/1/rollback"),
        ("POST", "/rpc/set_stage"),
        ("POST", "/rpc/set_stages"),
        ("POST", "/rpc/create_client"),
    ]
    for method, path in requests:
        answer = api.send(method, path, content=body, headers=JSON)
        assert is_an_error_in_shape(answer), (path, answer.status_code, answer.text[:300])
    assert api.version(client) == 0


def test_a_rest_body_that_is_no_object_says_so(api: Api, client: int) -> None:
    for body in (b"[]", b"{", b"5", b'{"reason": "\\u0000"}'):
        answer = api.send("PATCH", f"/api/clients/{client}/stage", content=body, headers=JSON)
        refusal(answer, 400, "body_not_valid")
    answer = api.send("POST", "/rpc/set_stage", content=b" [{}]", headers=JSON)
    refusal(answer, 400, "body_not_valid")


def test_an_array_of_arguments_is_not_half_done(api: Api, client: int) -> None:
    items = [{"client_id": client, "flag": "client_blocking"}] * 2

    answer = api.send("POST", "/rpc/set_flag", json=items)

    refusal(answer, 400, "body_not_valid")
    assert api.version(client) == 0


@pytest.mark.parametrize(
    "padding", [{}, {"Transfer-Encoding": "chunked"}], ids=["length", "chunked"]
)
def test_a_body_of_10_mb_is_refused(api: Api, client: int, padding: dict[str, str]) -> None:
    body = json.dumps(GOOD | {"client_id": client, "reason": "x" * 10_000_000}).encode()
    content: Any = iter([body]) if padding else body

    answer = api.send("PATCH", f"/api/clients/{client}/stage", content=content, headers=JSON)

    refusal(answer, 413, "body_too_large")
    content = iter([body]) if padding else body
    answer = api.send("POST", "/rpc/set_stage", content=content, headers=JSON)
    assert is_an_error_in_shape(answer)
    assert api.version(client) == 0


CONTENT_TYPES = [
    "text/plain",
    "text/csv",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/octet-stream",
    "application/json; charset=latin-1",
    "application/json; charset=utf-16",
    "application/jsonp",
    "application/vnd.pgrst.object+json",
    "nonsense",
    "application/json, text/csv",
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_another_content_type_is_415(api: Api, client: int, content_type: str) -> None:
    for method, path in (("PATCH", f"/api/clients/{client}/stage"), ("POST", "/rpc/set_stage")):
        answer = api.send(
            method, path, content=json.dumps(GOOD), headers={"Content-Type": content_type}
        )
        refusal(answer, 415, "content_type_not_supported")
    assert api.version(client) == 0


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "application/json;charset=UTF-8",
        'Application/JSON; charset="utf-8"',
    ],
)
def test_json_in_utf_8_needs_no_more_words(api: Api, client: int, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    body = json.dumps(GOOD | {"reason": "fée 😀"}, ensure_ascii=False).encode()

    answer = api.send("PATCH", f"/api/clients/{client}/stage", content=body, headers=headers)

    assert answer.json()["history"]["reason"] == "fée 😀"


WRONG_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"bogus": 1}, "unknown_argument"),
    ({"client_id": 1}, "unknown_argument"),
    ({"": 1}, "unknown_argument"),
    ({"Reason": "x"}, "unknown_argument"),
    ({"to_stage": 5}, "argument_not_valid"),
    ({"to_stage": ["cleanup"]}, "argument_not_valid"),
    ({"reason": {"a": 1}}, "argument_not_valid"),
    ({"reason": True}, "argument_not_valid"),
    ({"expected_version": "0"}, "argument_not_valid"),
    ({"expected_version": 0.5}, "argument_not_valid"),
    ({"expected_version": 1e300}, "argument_not_valid"),
    ({"expected_version": 2**63}, "argument_not_valid"),
    ({"expected_version": [0]}, "argument_not_valid"),
    ({"override": "yes"}, "argument_not_valid"),
    ({"override": 1}, "argument_not_valid"),
]


@pytest.mark.parametrize(("wrong", "rule"), WRONG_ARGUMENTS, ids=str)
def test_wrong_arguments_are_400_and_named(
    api: Api, client: int, wrong: dict[str, Any], rule: str
) -> None:
    answer = api.send("PATCH", f"/api/clients/{client}/stage", json=GOOD | wrong)

    assert refusal(answer, 400, rule)["argument"] == next(iter(wrong))
    assert api.version(client) == 0


def test_what_is_missing_is_named_by_the_rules(api: Api, client: int) -> None:
    path = f"/api/clients/{client}/stage"

    refusal(api.send("PATCH", path, json={"to_stage": "cleanup"}), 422, "reason_required")
    refusal(
        api.send("PATCH", path, json={"to_stage": "cleanup", "reason": "x"}),
        422,
        "expected_version_required",
    )
    refusal(api.send("PATCH", path, json=GOOD | {"payload": [1]}), 422, "payload_not_valid")
    assert api.send("PATCH", path, json=GOOD | {"payload": None, "override": None}).is_success


def test_of_a_key_that_stands_twice_the_last_counts(api: Api, client: int) -> None:
    body = b'{"to_stage": "eom_close", "to_stage": "cleanup", "reason": "x", "expected_version": 0}'

    answer = api.send("PATCH", f"/api/clients/{client}/stage", content=body, headers=JSON)

    assert answer.json()["client"]["stage"] == "cleanup"


@pytest.mark.parametrize(
    "call",
    [
        ("POST", "/rpc/client", {"client_id": 1, "bogus": 1}),
        ("POST", "/rpc/client", {}),
        ("POST", "/rpc/client", {"client_id": "x"}),
        ("POST", "/rpc/client", {"client_id": [1]}),
        ("POST", "/rpc/client", {"client_id": 10**30}),
        ("POST", "/rpc/whoami", {"bogus": 1}),
        ("GET", "/rpc/client?client_id=1&bogus=1", None),
        ("GET", "/rpc/client?client_id=x", None),
        ("GET", "/rpc/client?client_id=", None),
        ("GET", "/rpc/client?client_id=1&select=client", None),
        ("GET", "/rpc/clients?limit=1", None),
        ("GET", "/rpc/clients?offset=1", None),
        ("GET", "/rpc/clients?order=id", None),
        ("GET", "/rpc/clients?and=(id.eq.1)", None),
        ("GET", "/rpc/clients?%73elect=x", None),
        ("GET", "/rpc/clients?owner=eq.x", None),
        ("GET", "/rpc/clients?page_size=%00", None),
        ("GET", "/rpc/clients?active=maybe", None),
        ("GET", "/api/clients?bogus=1", None),
        ("GET", "/api/clients?age_days_gt=old", None),
        ("GET", "/api/clients?limit=5", None),
        ("GET", "/api/clients/1?bogus=1", None),
        ("GET", "/api/clients/1/stage_history?limit=x", None),
        ("GET", "/api/clients/1/stage_history?bogus=1", None),
        ("GET", "/api/agents/user:x/queue?bogus=1", None),
        ("POST", "/rpc/set_flag?client_id=1", {"flag": "stuck"}),
        ("PATCH", "/api/clients/1/stage?to_stage=weekly", {}),
    ],
    ids=str,
)
def test_unknown_and_wrong_arguments_of_any_call_are_400(
    api: Api, call: tuple[str, str, dict[str, Any] | None]
) -> None:
    method, path, body = call

    answer = api.send(method, path, json=body) if body is not None else api.send(method, path)

    assert answer.status_code == 400, answer.text
    assert is_an_error_in_shape(answer)


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
    body = json.dumps(GOOD)
    path = path.replace("{id}", str(client))

    status, _, said = raw(api, f"PATCH {path} HTTP/1.1", f"Content-Length: {len(body)}", body=body)

    assert status in (400, 404), said
    assert api.version(client) == 0


@pytest.mark.parametrize("text", ["a\r\nX-Injected: 1", "a\nb", "a\rb", "\r\n\r\n<html>", "\x00"])
def test_line_breaks_in_texts_reach_no_header(api: Api, client: int, text: str) -> None:
    version = api.version(client)
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("set_flag", {"client_id": client, "flag": text}),
        ("clear_flag", {"client_id": client, "flag": text}),
        ("set_stage", GOOD | {"client_id": client, "to_stage": text}),
        ("set_stage", GOOD | {"client_id": client, "channel": text}),
        ("set_stage", GOOD | {"client_id": client, "triggered_by": text}),
        ("set_stage", GOOD | {"client_id": client, "on_behalf_of": text}),
        ("set_stage", GOOD | {"client_id": client, "external_id": text}),
        ("create_client", {"name": text, "slug": text}),
        ("queue", {"actor_id": text}),
        ("grant_permission", {"actor_id": text, "permission": text}),
        ("issue_token", {"actor_id": text, "never_expires": True}),
        ("revoke_token", {"token_id": text}),
        ("adopt_legacy_token", {"token_hash": text}),
    ]
    for function, arguments in bodies:
        answer = api.call(function, **arguments)
        assert is_an_error_in_shape(answer), (function, answer.text)
        assert "x-injected" not in answer.headers
        assert "\r" not in answer.reason_phrase
        assert "\n" not in answer.reason_phrase
    assert api.version(client) == version


def test_a_reason_keeps_its_lines_and_reaches_no_header(api: Api, client: int) -> None:
    reason = "first\r\nX-Injected: 1\r\n\r\nsecond"

    answer = api.send("PATCH", f"/api/clients/{client}/stage", json=GOOD | {"reason": reason})

    assert answer.json()["history"]["reason"] == reason
    assert "x-injected" not in answer.headers


@pytest.mark.parametrize("key", ["x" * 201, "é", "a\tb", ""], ids=ascii)
def test_odd_keys_are_refused_or_no_key(api: Api, client: int, key: str) -> None:
    answer = api.http.request(
        "POST",
        f"/api/clients/{client}/flags/client_blocking",
        headers=[
            (b"Authorization", f"Bearer {api.admin}".encode()),
            (b"Idempotency-Key", key.encode()),
        ],
    )

    assert answer.status_code in (200, 422), answer.text


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: x"],
        ["Content-Length: -1"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Transfer-Encoding: gzip"],
        ["Header without colon"],
        ["Bad\x00Header: x"],
        ["Expect: 100-something"],
        [f"X-Long: {'a' * 100_000}"],
        [f"X-{number}: {'a' * 100}" for number in range(400)],
    ],
    ids=lambda lines: ascii(lines[0][:30]),
)
def test_requests_that_http_does_not_know_are_no_server_error(api: Api, lines: list[str]) -> None:
    status, _, _ = raw(api, "POST /rpc/set_flag HTTP/1.1", *lines, body="{}\r\n\r\n")

    assert 400 <= status <= 501
    assert status != 500


@pytest.mark.parametrize("size", [1_000, 300_000, 10_000_000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize(
    "request_line",
    ["PATCH /api/clients/1/stage", "POST /rpc/set_flag", "POST /nothing", "GET /rpc/whoami"],
)
def test_the_rest_of_a_body_is_never_the_next_request(
    api: Api, request_line: str, chunked: bool, size: int
) -> None:
    smuggled = "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    body = '{"reason": "' + "x" * size + '"}' + smuggled * 100
    line, body = (
        ("Transfer-Encoding: chunked", f"{len(body):x}\r\n{body}\r\n0\r\n\r\n")
        if chunked
        else (f"Content-Length: {len(body)}", body)
    )

    answers = exchange(api, f"{request_line} HTTP/1.1", line, "Content-Type: application/json",
                       body=body)  # fmt: skip

    assert answers.count("HTTP/1.1 ") <= 1


def test_every_answer_has_the_security_headers(api: Api) -> None:
    for path in ("/", "/healthz", "/api/clients", "/nothing", "/api/clients/x"):
        headers = api.send("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_a_page_of_another_origin_may_not_call(api: Api) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}

    for method in ("OPTIONS", "GET"):
        answer = api.send(method, "/rpc/whoami", None, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


def raw(api: Api, request: str, *lines: str, body: str = "") -> tuple[int, dict[str, str], str]:
    """Send a request that no HTTP library would; status, headers and body of the answer."""
    received = exchange(api, request, *lines, "Connection: close", body=body)
    head, _, rest = received.partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
    if headers.get("transfer-encoding") == "chunked":
        rest = rest.partition("\r\n")[2].rpartition("\r\n0")[0]
    return int(status.split()[1]), headers, rest


def exchange(api: Api, request: str, *lines: str, body: str = "") -> str:
    """Everything that comes back on a connection of its own until it is quiet or closed."""
    where = urlsplit(api.url)
    text = "\r\n".join(
        [request, f"Host: {where.netloc}", f"Authorization: Bearer {api.admin}", *lines, "", body]
    )
    received = b""
    with socket.create_connection((where.hostname or "", where.port or 80)) as caller:
        caller.settimeout(20 if "Connection: close" in lines else 1)
        with contextlib.suppress(OSError):
            caller.sendall(text.encode())
        with contextlib.suppress(OSError):
            while some := caller.recv(65536):
                received += some
    return received.decode(errors="replace")
