"""What a body that is no object, too large, or of another type gets: a 4xx, and nothing changed."""

from __future__ import annotations

import json

import pytest

from tests.http.api import GOOD_MOVE, Api, is_an_error_in_shape, refusal
from tests.http.wire import exchange

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


def test_a_body_of_10_mb_is_refused(api: Api, client: int) -> None:
    body = json.dumps(GOOD_MOVE | {"client_id": client, "reason": "x" * 10_000_000}).encode()

    answer = api.send("PATCH", f"/api/clients/{client}/stage", content=body, headers=JSON)
    refusal(answer, 413, "body_too_large")
    answer = api.send("POST", "/rpc/set_stage", content=body, headers=JSON)
    assert is_an_error_in_shape(answer)

    assert api.version(client) == 0


CHUNKED = "Transfer-Encoding: chunked"


def chunk(text: str) -> str:
    return f"{len(text):x}\r\n{text}\r\n"


@pytest.mark.parametrize(
    ("lines", "end"),
    [
        ([CHUNKED], "0\r\n\r\n"),
        ([CHUNKED], "zz\r\n"),
        ([CHUNKED], "5\r\n{"),
        ([CHUNKED], ""),
        ([CHUNKED, "Trailer: X-A"], "0\r\nX-A: 1\r\n\r\n"),
        ([CHUNKED, "Trailer: GET"], "0\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
        ([CHUNKED, "Content-Length: 5"], "0\r\n\r\n"),
    ],
    ids=["whole", "broken", "cut short", "without end", "trailer", "smuggling", "two lengths"],
)
@pytest.mark.parametrize("by_path", [True, False], ids=["path", "rpc"])
def test_a_body_without_its_length_is_never_acted_upon(
    api: Api, client: int, by_path: bool, lines: list[str], end: str
) -> None:
    """PostgREST would take one that breaks off for a whole one, and trailers for another request."""
    request = f"PATCH /api/clients/{client}/stage" if by_path else "POST /rpc/set_stage"
    said = json.dumps(GOOD_MOVE if by_path else GOOD_MOVE | {"client_id": client})

    answers = exchange(api, f"{request} HTTP/1.1", "Content-Type: application/json", *lines, body=chunk(said) + end)

    assert api.version(client) == 0
    assert answers.count("HTTP/1.1 ") <= 1
    assert answers == "" or '"rule\\":\\"length_required' in answers


@pytest.mark.parametrize("by_path", [True, False], ids=["path", "rpc"])
def test_a_body_shorter_than_its_length_is_never_acted_upon(api: Api, client: int, by_path: bool) -> None:
    request = f"PATCH /api/clients/{client}/stage" if by_path else "POST /rpc/set_stage"
    said = json.dumps(GOOD_MOVE if by_path else GOOD_MOVE | {"client_id": client})

    exchange(
        api,
        f"{request} HTTP/1.1",
        "Content-Type: application/json",
        f"Content-Length: {len(said) + 9}",
        body=said,
    )

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
        answer = api.send(method, path, content=json.dumps(GOOD_MOVE), headers={"Content-Type": content_type})
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


@pytest.mark.parametrize("body", [b"\r\n", b" ", b"\t\n "])
def test_blanks_are_no_arguments(api: Api, body: bytes) -> None:
    answer = api.send("POST", "/rpc/whoami", content=body, headers=JSON)

    assert (answer.status_code, answer.json()["actor_id"]) == (200, "user:jimmie")


@pytest.mark.parametrize("number", ["1e2", "1.0", "1.5", "1E400", "-0.1"])
def test_a_number_that_is_no_whole_one_is_the_callers_mistake(api: Api, number: str) -> None:
    body = f'{{"client_id": {number}}}'.encode()

    answer = api.send("POST", "/rpc/client", content=body, headers=JSON)

    refusal(answer, 400, "argument_not_valid")
