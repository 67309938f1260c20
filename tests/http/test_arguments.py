"""What wrong, unknown and missing arguments get: a 400 or 422 that names them, and nothing changed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import GOOD_MOVE, Api, is_an_error_in_shape, refusal

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
def test_wrong_arguments_are_400_and_named(api: Api, client: int, wrong: dict[str, Any], rule: str) -> None:
    answer = api.send("PATCH", f"/api/clients/{client}/stage", json=GOOD_MOVE | wrong)

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
    refusal(api.send("PATCH", path, json=GOOD_MOVE | {"payload": [1]}), 422, "payload_not_valid")
    assert api.send("PATCH", path, json=GOOD_MOVE | {"payload": None, "override": None}).is_success


@pytest.mark.parametrize(
    "call",
    [
        ("POST", "/rpc/client", {"client_id": 1, "bogus": 1}),
        ("POST", "/rpc/client", {}),
        ("POST", "/rpc/client", {"client_id": ["x"]}),
        ("POST", "/rpc/client", {"client_id": [1]}),
        ("POST", "/rpc/client", {"client_id": 10**30}),
        ("POST", "/rpc/whoami", {"bogus": 1}),
        ("GET", "/rpc/client?client_id=1&bogus=1", None),
        ("GET", "/rpc/stage_history?client_id=1&page_size=x", None),
        ("GET", "/rpc/client?client_id=", None),
        ("GET", "/rpc/client?client_id=1&select=client", None),
        ("GET", "/rpc/clients?limit=1", None),
        ("GET", "/rpc/clients?offset=1", None),
        ("GET", "/rpc/clients?order=id", None),
        ("GET", "/rpc/clients?and=(id.eq.1)", None),
        ("GET", "/rpc/clients?%73elect=x", None),
        ("GET", "/rpc/clients?page_size=%00", None),
        ("GET", "/rpc/clients?active=maybe", None),
        ("GET", "/rpc/activity?day=tomorrow", None),
        ("GET", "/rpc/activity?day=2026-02-30", None),
        ("POST", "/rpc/set_cover", {"cover_id": 1, "until": "01/02/2027"}),
        ("POST", "/rpc/set_cover", {"cover_id": 1, "until": 20270102}),
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
