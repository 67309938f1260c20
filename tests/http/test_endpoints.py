"""The plan's eight endpoints, as the plan words them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import NGINX, Api, refusal
from tests.support.words import STAGES


def test_lists_clients(api: Api, client: int) -> None:
    answer = api.send("GET", "/api/clients")

    assert answer.status_code == 200
    assert answer.json()["clients"]


def test_filters_compose(api: Api) -> None:
    owner = api.actor("user:owner")
    mine = api.make_client(owner=owner, tier="full_service")
    api.make_client(owner=owner)
    api.send("POST", f"/api/clients/{mine}/flags/client_blocking")

    answer = api.send(
        "GET",
        f"/api/clients?stage=weekly&flag=client_blocking&owner={owner}"
        "&age_days_gt=-1&stuck=false&service_tier=full_service",
    )

    assert [each["id"] for each in answer.json()["clients"]] == [mine]


def test_pages_by_key(api: Api) -> None:
    owner = api.actor("user:owner")
    ids = [api.make_client(owner=owner) for _ in range(3)]

    first = api.send("GET", f"/api/clients?owner={owner}&page_size=2").json()
    second = api.send("GET", f"/api/clients?owner={owner}&page_size=2&after={first['next_after']}").json()

    assert [each["id"] for each in first["clients"] + second["clients"]] == ids
    assert second["next_after"] is None


def test_shows_one_client_with_its_newest_history_row(api: Api, client: int) -> None:
    answer = api.send("GET", f"/api/clients/{client}").json()

    assert answer["client"]["id"] == client
    assert answer["history"]["version"] == 0


def test_moves_a_client(api: Api, client: int) -> None:
    answer = api.send(
        "PATCH",
        f"/api/clients/{client}/stage",
        json={
            "to_stage": "eom_close",
            "reason": "May is over",
            "triggered_by": "calendar",
            "on_behalf_of": "user:larry",
            "expected_version": 0,
        },
    )

    assert answer.status_code == 200
    body = answer.json()
    assert (body["client"]["stage"], body["client"]["version"]) == ("eom_close", 1)
    assert body["history"]["triggered_by"] == "calendar"
    assert body["history"]["on_behalf_of"] == "user:larry"
    assert (body["changed"], body["replayed"]) == (True, False)


def test_sets_and_clears_a_flag(api: Api, client: int) -> None:
    path = f"/api/clients/{client}/flags/client_blocking"
    body = {"reason": "no statements", "triggered_by": "inbox", "on_behalf_of": "user:larry"}

    done = api.send("POST", path, json=body).json()
    assert done["client"]["flags"] == ["client_blocking"]
    assert (done["history"]["reason"], done["history"]["triggered_by"]) == (
        "no statements",
        "inbox",
    )

    done = api.send("DELETE", path, json={"reason": "statements came"}).json()
    assert done["client"]["flags"] == []
    assert done["history"]["flag_removed"] == "client_blocking"


@pytest.mark.parametrize("body", [b"", b"  \n", b"{}"])
def test_a_flag_needs_no_body(api: Api, client: int, body: bytes) -> None:
    path = f"/api/clients/{client}/flags/client_blocking"

    assert api.send("POST", path, content=body).status_code == 200
    assert api.send("DELETE", path, content=body).json()["client"]["flags"] == []


def test_shows_a_page_of_history_oldest_first(api: Api, client: int) -> None:
    for method in ("POST", "DELETE", "POST"):
        api.send(method, f"/api/clients/{client}/flags/client_blocking")
    path = f"/api/clients/{client}/stage_history"

    whole = api.send("GET", path).json()
    newest = api.send("GET", f"{path}?limit=2").json()
    older = api.send("GET", f"{path}?limit=2&before_version={newest['next_before_version']}").json()

    assert [row["version"] for row in whole["history"]] == [0, 1, 2, 3]
    assert [row["version"] for row in newest["history"]] == [2, 3]
    assert [row["version"] for row in older["history"]] == [0, 1]
    assert api.send("GET", f"{path}?page_size=1").json()["history"] == newest["history"][1:]


def test_rolls_a_change_back(api: Api, client: int) -> None:
    moved = api.send(
        "PATCH",
        f"/api/clients/{client}/stage",
        json={"to_stage": "cleanup", "reason": "oops", "expected_version": 0},
    ).json()

    answer = api.send(
        "POST",
        f"/api/clients/{client}/stage_history/{moved['history']['id']}/rollback",
        json={"reason": "it was a slip"},
    )

    assert answer.status_code == 200
    assert answer.json()["client"]["stage"] == "weekly"
    assert answer.json()["history"]["payload"]["rolls_back"] == moved["history"]["id"]


@pytest.mark.parametrize("quoted", [":", "%3A"])
def test_shows_an_actors_queue(api: Api, quoted: str) -> None:
    owner = api.actor("user:owner")
    mine = api.make_client(owner=owner)

    answer = api.send("GET", f"/api/agents/{owner.replace(':', quoted)}/queue?page_size=5").json()

    assert answer["actor_id"] == owner
    assert [item["client"]["id"] for item in answer["queue"]] == [mine]


def test_a_key_in_the_header_makes_a_write_repeatable(api: Api, client: int) -> None:
    path = f"/api/clients/{client}/stage"
    body = {"to_stage": "cleanup", "reason": "old books", "expected_version": 0}
    key = {"Idempotency-Key": api.actor("key")}

    first = api.send("PATCH", path, json=body, headers=key).json()
    again = api.send("PATCH", path, json=body, headers=key).json()
    other = api.send("PATCH", path, json=body | {"reason": "new"}, headers=key)

    assert again == first | {"replayed": True}
    refusal(other, 409, "idempotency_key_reused")
    assert api.version(client) == 1


def test_conflicts_and_forbidden_moves_say_what_to_do(api: Api, client: int) -> None:
    path = f"/api/clients/{client}/stage"
    body = {"to_stage": "cleanup", "reason": "old books", "expected_version": 7}

    assert refusal(api.send("PATCH", path, json=body), 409, "version_conflict")["current_version"] == 0
    body |= {"to_stage": "eom_review", "expected_version": 0}
    details = refusal(api.send("PATCH", path, json=body), 422, "transition_not_allowed")
    assert "eom_close" in details["allowed_stages"]


def test_a_missing_permission_is_named(api: Api, client: int) -> None:
    token = api.token(api.actor())["token"]
    body = {"to_stage": "cleanup", "reason": "old books", "expected_version": 0}

    moved = api.send("PATCH", f"/api/clients/{client}/stage", token, json=body)
    flagged = api.send("POST", f"/api/clients/{client}/flags/client_blocking", token)
    rolled = api.send("POST", f"/api/clients/{client}/stage_history/1/rollback", token, json={"reason": "x"})

    assert refusal(moved, 403, "permission_missing")["permission"] == "can_set_stage"
    assert refusal(flagged, 403, "permission_missing")["permission"] == "can_set_flag"
    assert refusal(rolled, 403, "permission_missing")["permission"] == "can_admin"
    assert api.version(client) == 0


def test_patch_changes_the_fields_of_a_client_once_for_a_key(api: Api, client: int) -> None:
    body = {"owner": "user:ada", "collaborators": ["agent:tally"], "active": True, "reason": "r"}
    key = {"Idempotency-Key": api.actor("key")}
    first, again = (api.send("PATCH", f"/api/clients/{client}", json=body, headers=key).json() for _ in range(2))
    assert first["client"]["stage_owner"] == "user:ada"
    assert first["client"]["stage_collaborators"] == ["agent:tally"]
    assert (first["replayed"], again["replayed"], api.version(client)) == (False, True, 1)

    emptied = api.send("PATCH", f"/api/clients/{client}", json={"clear": ["owner"], "payload": None})
    assert emptied.json()["client"]["stage_owner"] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"collaborators": "agent:tally"},
        {"clear": [1]},
        {"clear": [["owner"]]},
        {"active": "yes"},
        {"expected_version": "0"},
    ],
    ids=str,
)
def test_patch_takes_fields_of_their_types_only(api: Api, client: int, wrong: dict[str, Any]) -> None:
    details = refusal(api.send("PATCH", f"/api/clients/{client}", json=wrong), 400, "argument_not_valid")
    assert details["argument"] == next(iter(wrong))
    assert api.version(client) == 0


MISSING = [
    ("GET", "/api/clients/{}", "client_not_found"),
    ("PATCH", "/api/clients/{}", "client_not_found"),
    ("PATCH", "/api/clients/{}/stage", "client_not_found"),
    ("POST", "/api/clients/{}/flags/client_blocking", "client_not_found"),
    ("DELETE", "/api/clients/{}/flags/client_blocking", "client_not_found"),
    ("GET", "/api/clients/{}/stage_history", "client_not_found"),
    ("POST", "/api/clients/{}/stage_history/1/rollback", "client_not_found"),
]


@pytest.mark.parametrize(("method", "path", "rule"), MISSING)
def test_no_such_client_is_404(api: Api, method: str, path: str, rule: str) -> None:
    body = {"to_stage": "cleanup", "reason": "x", "expected_version": 0}
    if not path.endswith("/stage"):
        body = {"reason": "x"}
    arguments = {} if method == "GET" else {"json": body}

    refusal(api.send(method, path.format(9223372036854775807), **arguments), 404, rule)


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"]
if not NGINX:  # which refuses it itself
    METHODS.append("TRACE")
PATHS = {
    "/api/clients": ["GET"],
    "/api/clients/1": ["GET", "PATCH"],
    "/api/clients/1/stage": ["PATCH"],
    "/api/clients/1/flags/stuck": ["POST", "DELETE"],
    "/api/clients/1/stage_history": ["GET"],
    "/api/clients/1/stage_history/1/rollback": ["POST"],
    "/api/agents/user:x/queue": ["GET"],
    "/healthz": ["GET"],
    "/": ["GET"],
}


@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_405_and_say_which_is_right(api: Api, path: str) -> None:
    for method in METHODS:
        answer = api.send(method, path)
        if method in PATHS[path]:
            assert answer.status_code != 405
        else:
            refusal(answer, 405, "method_not_allowed")
            assert set(answer.headers["allow"].split(", ")) - {"HEAD"} == set(PATHS[path])


def test_head_is_get_without_a_body(api: Api) -> None:
    answer = api.send("HEAD", "/api/clients")

    assert (answer.status_code, answer.content) == (200, b"")


def test_a_read_only_function_answers_get_and_a_writing_one_does_not(api: Api, client: int) -> None:
    assert api.send("GET", f"/rpc/client?client_id={client}").json()["client"]["id"] == client

    answer = api.send("GET", f"/rpc/set_flag?client_id={client}&flag=client_blocking")
    assert answer.status_code == 405
    assert api.version(client) == 0


def test_health_needs_no_token_and_tells_nothing(api: Api) -> None:
    answer = api.send("GET", "/healthz", None)

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert api.send("GET", "/healthz", "wrong").status_code == 200


def test_the_document_describes_a_call_without_a_token(api: Api) -> None:
    document = api.send("GET", "/", None).json()

    assert document == api.send("GET", "/").json()
    assert document["info"]["title"] == "Atlas client stage"
    post = document["paths"]["/rpc/set_stage"]["post"]
    assert post["summary"] == "Move a client to another stage."
    assert "expected_version: the version of the client" in post["description"]
    body = post["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["required"]) == {"client_id", "to_stage", "reason", "expected_version"}
    assert body["properties"]["to_stage"]["enum"] == list(STAGES)
    assert "version_conflict" in post["responses"]["409"]["description"]


def test_every_function_is_documented(api: Api) -> None:
    document = api.send("GET", "/").json()

    for path, methods in document["paths"].items():
        if path.startswith("/rpc/"):
            for method in methods.values():
                assert method["summary"], path
                assert "Returns" in method["description"], path
                assert method["operationId"] == path.removeprefix("/rpc/")
