"""A client by its slug wherever by its id: in paths, queries and bodies."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import GOOD_MOVE, Api, refusal


@pytest.fixture
def slug(api: Api, client: int) -> str:
    """The slug of `client`."""
    return str(api.done("client", client_id=client)["client"]["slug"])


def test_a_path_that_reads_takes_a_slug(api: Api, client: int, slug: str) -> None:
    for path in ("", "/stage_history", "/stage_history?limit=5"):
        by_slug = api.send("GET", f"/api/clients/{slug}{path}")
        assert by_slug.status_code == 200, by_slug.text
        assert by_slug.json() == api.send("GET", f"/api/clients/{client}{path}").json()


def test_a_path_that_writes_takes_a_slug(api: Api, client: int, slug: str) -> None:
    path = f"/api/clients/{slug}"
    assert api.send("PATCH", f"{path}/stage", json=GOOD_MOVE).is_success
    assert api.send("POST", f"{path}/flags/advisory_due", json={}).is_success
    assert api.send("DELETE", f"{path}/flags/advisory_due").is_success
    row = api.done("client", client_id=client)["history"]["id"]
    undone = api.send("POST", f"{path}/stage_history/{row}/rollback", json={"reason": "x"})
    assert undone.json()["client"]["version"] == api.version(client) == 4
    assert api.send("PATCH", path, json={"owner": "user:ada"}).json()["client"]["id"] == client


@pytest.mark.parametrize(
    "query",
    ["client?client_id={slug}", "check_stage?client_id={slug}&to_stage=cleanup",
     "check_stages?client_ids=%7B{slug}%7D", "changes?client_id={slug}"],
)  # fmt: skip
def test_a_query_takes_a_slug(api: Api, client: int, slug: str, query: str) -> None:
    by_slug, by_id = (api.send("GET", f"/rpc/{query.format(slug=each)}") for each in (slug, client))
    assert (by_slug.status_code, by_slug.json()) == (200, by_id.json())


def test_a_body_that_reads_takes_a_slug(api: Api, client: int, slug: str) -> None:
    other = api.make_client()
    for function, by_slug, by_id in (
        ("client", {"client_id": slug}, {"client_id": client}),
        ("verify", {"client_id": slug}, {"client_id": client}),
        ("check_stages", {"client_ids": [slug, other]}, {"client_ids": [client, other]}),
        ("clients", {"client_ids": [slug, other]}, {"client_ids": [client, other]}),
    ):
        assert api.done(function, **by_slug) == api.done(function, **by_id)


def test_a_body_that_writes_takes_a_slug_and_is_done_once(api: Api, client: int, slug: str) -> None:
    done = api.done("set_stage", client_id=slug, **GOOD_MOVE)
    assert (done["client"]["id"], done["client"]["stage"]) == (client, "cleanup")
    assert api.version(client) == 1


def test_a_key_stands_for_the_same_request_by_id_and_by_slug(
    api: Api, client: int, slug: str
) -> None:
    key = api.actor("key")
    first = api.done("set_stage", client_id=slug, external_id=key, **GOOD_MOVE)
    again = api.done("set_stage", client_id=client, external_id=key, **GOOD_MOVE)
    in_a_header = api.send(
        "POST",
        "/rpc/set_flag",
        json={"client_id": slug, "flag": "advisory_due"},
        headers={"Idempotency-Key": f"{key}-flag"},
    )
    assert again == first | {"replayed": True}
    assert in_a_header.json()["history"]["external_id"] == f"{key}-flag"


def test_items_take_slugs_and_an_unknown_one_stops_no_other(
    api: Api, client: int, slug: str
) -> None:
    flagged = {"flag": "advisory_due", "set": True}
    for function, item in (
        ("set_flags", flagged),
        ("set_stages", GOOD_MOVE | {"expected_version": 1}),
    ):
        done = api.done(
            function, items=[{"client_id": "no-such-slug"} | item, {"client_id": slug} | item]
        )
        missing, made = done["items"]
        assert (missing["status"], made["status"]) == (404, 200), done
        assert missing["details"]["rule"] == "client_not_found"
        assert missing["details"]["client_id"] == "no-such-slug"
        assert made["client"]["id"] == client


def test_what_reads_as_a_number_is_an_id_and_never_a_slug(api: Api, client: int) -> None:
    api.make_client(slug=str(client))
    api.make_client(slug="900000000")
    for name in (client, str(client)):
        assert api.done("client", client_id=name)["client"]["id"] == client
    assert api.send("GET", f"/api/clients/{client}").json()["client"]["id"] == client
    refusal(api.send("GET", "/api/clients/900000000"), 404, "client_not_found")
    refusal(api.call("client", client_id="900000000"), 404, "client_not_found")


UNKNOWN: list[tuple[str, str, Any]] = [
    ("GET", "/api/clients/no-such-slug", None),
    ("GET", "/api/clients/no-such-slug/stage_history", None),
    ("PATCH", "/api/clients/no-such-slug/stage", GOOD_MOVE),
    ("POST", "/api/clients/no-such-slug/flags/advisory_due", {}),
    ("GET", "/rpc/client?client_id=no-such-slug", None),
    ("POST", "/rpc/client", {"client_id": "no-such-slug"}),
    ("POST", "/rpc/set_stage", GOOD_MOVE | {"client_id": "no-such-slug"}),
    ("POST", "/rpc/check_stages", {"client_ids": ["no-such-slug"]}),
]


@pytest.mark.parametrize(("method", "path", "body"), UNKNOWN, ids=str)
def test_an_unknown_slug_is_404_and_stands_in_the_details_alone(
    api: Api, method: str, path: str, body: Any
) -> None:
    answer = api.send(method, path) if body is None else api.send(method, path, json=body)
    assert refusal(answer, 404, "client_not_found")["client_id"] == "no-such-slug"
    assert "no-such-slug" not in answer.json()["message"] + answer.reason_phrase


def test_other_arguments_are_judged_beside_a_slug(api: Api, slug: str) -> None:
    for wrong, rule in (
        ({"bogus": 1}, "unknown_argument"),
        ({"expected_version": "two"}, "argument_not_valid"),
        ({"to_stage": "nowhere"}, "unknown_stage"),
    ):
        answer = api.call("set_stage", **{"client_id": slug} | GOOD_MOVE | wrong)
        refusal(answer, 422 if rule == "unknown_stage" else 400, rule)
    answer = api.send("POST", "/rpc/client", None, json={"client_id": slug})
    refusal(answer, 401, "unauthenticated")
