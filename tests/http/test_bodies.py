"""What a body that is no object, too large, or of another type gets: a 4xx, and nothing changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.http.api import GOOD_MOVE, Api, is_an_error_in_shape, refusal

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
    body = json.dumps(GOOD_MOVE | {"client_id": client, "reason": "x" * 10_000_000}).encode()
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
            method, path, content=json.dumps(GOOD_MOVE), headers={"Content-Type": content_type}
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
    body = json.dumps(GOOD_MOVE | {"reason": "fée 😀"}, ensure_ascii=False).encode()

    answer = api.send("PATCH", f"/api/clients/{client}/stage", content=body, headers=headers)

    assert answer.json()["history"]["reason"] == "fée 😀"


def test_of_a_key_that_stands_twice_the_last_counts(api: Api, client: int) -> None:
    body = b'{"to_stage": "eom_close", "to_stage": "cleanup", "reason": "x", "expected_version": 0}'

    answer = api.send("PATCH", f"/api/clients/{client}/stage", content=body, headers=JSON)

    assert answer.json()["client"]["stage"] == "cleanup"
