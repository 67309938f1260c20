"""A query has only arguments of the function, each once: PostgREST's operators and parameters are refused."""

from __future__ import annotations

import pytest

from tests.http.api import Api, refusal
from tests.http.wire import raw


@pytest.mark.parametrize(
    "query",
    [
        "%6cimit=0",
        "l%69mit=0",
        "LIMIT=0",
        "limit%3d0=1",
        "page_size=5;limit=0",
        "page_size=5%26limit=0&offset=1",
        "offset=1",
        "order=id",
        "o%72der=id",
        "select=clients",
        "%73elect=clients",
        "columns=x",
        "on_conflict=x",
        "and=(id.eq.1)",
        "%61nd=(id.eq.1)",
        "or=(id.eq.1)",
        "not.and=(id.eq.1)",
        "not.or=(id.eq.1)",
        "clients.order=id",
        "pgrst_scalar=eq.1",
        "clients=eq.1",
        "id=eq.1",
        "stage.x=1",
        "+stage=weekly",
        "stage",
        "=weekly",
    ],
)
@pytest.mark.parametrize(
    "path",
    ["/api/clients", "/rpc/clients", "/api/clients/1/stage_history", "/api/agents/user:x/queue"],
)
def test_what_is_no_argument_of_the_function_is_400(api: Api, path: str, query: str) -> None:
    refusal(api.send("GET", f"{path}?{query}"), 400, "unknown_argument")


def test_a_limit_is_the_plans_name_for_a_page_of_history_and_nothing_else(api: Api) -> None:
    refusal(api.send("GET", "/api/clients?limit=0"), 400, "unknown_argument")


@pytest.mark.parametrize(
    "path",
    [
        "/api/clients?stage=weekly&stage=cleanup",
        "/api/clients?stage=weekly&flag=stuck&stage=weekly",
        "/api/clients?stage=&stage=weekly",
        "/rpc/client?client_id=1&client_id=2",
        "/api/clients/1/stage_history?limit=1&page_size=2",
        "/api/clients/1/stage_history?client_id=2",
        "/api/agents/user:x/queue?actor_id=user:y",
    ],
)
def test_an_argument_twice_is_400(api: Api, path: str) -> None:
    refusal(api.send("GET", path), 400, "argument_twice")


@pytest.mark.parametrize(
    "query",
    [
        "stage=&flag=",
        "stage=&owner={owner}",
        "stuck=&age_days_gt=&after=&owner={owner}",
        "active=&owner={owner}&",
        "owner={owner}&search=",
    ],
)
def test_an_empty_filter_is_no_filter(api: Api, query: str) -> None:
    owner = api.actor("user:owner")
    mine = api.make_client(owner=owner)

    answer = api.send("GET", f"/api/clients?{query.replace('{owner}', owner)}&page_size=1000".replace("&&", "&"))

    assert answer.status_code == 200, answer.text
    assert mine in [each["id"] for each in answer.json()["clients"]]


@pytest.mark.parametrize("value", ["is.null", "not.is.null", "eq.x", "in.(1,2)", "a=b", "a%26b", "caf%C3%A9"])
def test_a_value_is_a_value_whatever_it_reads_like(api: Api, value: str) -> None:
    answer = api.send("GET", f"/api/clients?search={value}&owner=eq.nobody")

    assert (answer.status_code, answer.json()["clients"]) == (200, [])


def test_a_word_that_reads_like_a_filter_is_judged_as_it_stands(api: Api) -> None:
    refusal(api.send("GET", "/api/clients?stage=eq.weekly"), 422, "unknown_stage")


def test_an_argument_of_the_wrong_type_is_named(api: Api) -> None:
    for path, argument, expected in (
        ("/api/clients?age_days_gt=old", "age_days_gt", "integer"),
        ("/rpc/clients?active=maybe", "active", "boolean"),
        ("/rpc/stage_history?client_id=1&before_version=x", "before_version", "bigint"),
        ("/api/clients/1/stage_history?limit=x", "page_size", "integer"),
    ):
        details = refusal(api.send("GET", path), 400, "argument_not_valid")
        assert (details["argument"], details["expected"]) == (argument, expected)


def test_a_missing_argument_is_named(api: Api) -> None:
    assert refusal(api.send("GET", "/rpc/client"), 400, "argument_missing")["argument"] == "client_id"
    missing = refusal(api.call("set_stage", client_id=1, to_stage="weekly"), 400, "argument_missing")
    assert missing["required"] == ["client_id", "to_stage", "reason", "expected_version"]


def test_a_function_that_is_not_there_is_404(api: Api) -> None:
    for function in ("no_such_function", "read", "write", "call_by_name", "patch_client_stage"):
        refusal(api.call(function), 404, "function_not_found")
        refusal(api.send("GET", f"/rpc/{function}?x=1"), 404, "function_not_found")


def test_a_read_changes_nothing_also_where_the_rules_read_its_query(api: Api, client: int) -> None:
    answer = api.send("GET", f"/rpc/set_flag?client_id={client}&flag=client_blocking&reason=")

    refusal(answer, 405, "method_not_allowed")
    assert api.version(client) == 0


@pytest.mark.parametrize(
    "address",
    [
        "/api/clients?search=caf%e9",
        "/api/clients?search=%00",
        "/api/clients?search=%c0%80",
        "/api/clients?search=%ed%a0%80",
        "/api/clients?search=%f5%80%80%80",
        "/api/clients?search=%e2%82",
        "/api/clients?search=%zz",
        "/api/clients?search=100%",
        "/api/agents/%ff/queue",
        "/?x=%ff",
        "/rpc/whoami?%ff=1",
        "/board/%ff",
        "/%ff",
    ],
)
@pytest.mark.parametrize("token", ["", None], ids=["token", "nobody"])
def test_an_address_that_is_no_text_is_400(api: Api, address: str, token: str | None) -> None:
    status, _, body = raw(api, f"GET {address} HTTP/1.1", token=token)

    assert (status, "address_not_valid" in body or "request_not_valid" in body) == (400, True), body


@pytest.mark.parametrize("size", [17_000, 60_000, 900_000])
def test_a_long_address_is_431_in_the_contracts_shape(api: Api, size: int) -> None:
    status, headers, body = raw(api, f"GET /api/clients?search={'a' * size} HTTP/1.1")

    assert (status, headers["content-type"]) == (431, "application/json; charset=utf-8")
    assert "headers_too_large" in body


@pytest.mark.parametrize("size", [17_000, 60_000, 900_000])
def test_a_long_header_is_no_matter_and_a_long_key_is_431(api: Api, size: int) -> None:
    assert api.send("GET", "/rpc/whoami", headers={"X-Long": "a" * size}).status_code == 200
    answer = api.send("GET", "/rpc/whoami", headers={"Idempotency-Key": "a" * size})
    refusal(answer, 431, "headers_too_large")
