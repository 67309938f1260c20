"""No text of a caller reaches a header, no request smuggles a second one, and each answer is safe for a browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import GOOD_MOVE, NGINX, Api, is_an_error_in_shape
from tests.http.wire import exchange, raw


@pytest.mark.parametrize("text", ["a\r\nX-Injected: 1", "a\nb", "a\rb", "\r\n\r\n<html>", "\x00"])
def test_line_breaks_in_texts_reach_no_header(api: Api, client: int, text: str) -> None:
    version = api.version(client)
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("set_flag", {"client_id": client, "flag": text}),
        ("clear_flag", {"client_id": client, "flag": text}),
        ("set_stage", GOOD_MOVE | {"client_id": client, "to_stage": text}),
        ("set_stage", GOOD_MOVE | {"client_id": client, "channel": text}),
        ("set_stage", GOOD_MOVE | {"client_id": client, "triggered_by": text}),
        ("set_stage", GOOD_MOVE | {"client_id": client, "on_behalf_of": text}),
        ("set_stage", GOOD_MOVE | {"client_id": client, "external_id": text}),
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

    answer = api.send("PATCH", f"/api/clients/{client}/stage", json=GOOD_MOVE | {"reason": reason})

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
        [f"X-Long: {'a' * 2_000_000}"],
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
def test_the_rest_of_a_body_is_never_the_next_request(api: Api, request_line: str, chunked: bool, size: int) -> None:
    smuggled = "\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    body = '{"reason": "' + "x" * size + '"}' + smuggled * 100
    line, body = (
        ("Transfer-Encoding: chunked", f"{len(body):x}\r\n{body}\r\n0\r\n\r\n")
        if chunked
        else (f"Content-Length: {len(body)}", body)
    )

    answers = exchange(api, f"{request_line} HTTP/1.1", line, "Content-Type: application/json", body=body)

    assert answers.count("HTTP/1.1 ") <= 1


def test_every_answer_has_the_security_headers(api: Api) -> None:
    for path in ("/", "/healthz", "/api/clients", "/nothing", "/api/clients/x"):
        headers = api.send("GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
        assert headers.get("server") == ("nginx" if NGINX else None)


def test_a_page_of_another_origin_may_not_call(api: Api) -> None:
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}

    for method in ("OPTIONS", "GET"):
        answer = api.send(method, "/rpc/whoami", None, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
