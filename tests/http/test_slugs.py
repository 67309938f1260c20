"""A client's slug works in a path; bodies, queries and arrays take ids, which are ASCII digits."""

from __future__ import annotations

from typing import Any

import psycopg
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


IN_BODIES = [
    ("client", {}),
    ("verify", {}),
    ("check_stage", {"to_stage": "cleanup"}),
    ("set_stage", GOOD_MOVE),
    ("set_flag", {"flag": "advisory_due"}),
    ("update_client", {"notes": "n"}),
]


@pytest.mark.parametrize(("function", "others"), IN_BODIES, ids=str)
def test_a_body_takes_an_id_and_no_slug(
    api: Api, client: int, slug: str, function: str, others: dict[str, Any]
) -> None:
    for name in (slug, str(client)):
        answer = api.call(function, client_id=name, **others)
        assert refusal(answer, 400, "argument_not_valid")["argument"] == "client_id"
    assert api.version(client) == 0
    assert api.call(function, client_id=client, **others).status_code == 200


@pytest.mark.parametrize(
    "query",
    ["client?client_id={}", "check_stage?client_id={}&to_stage=cleanup",
     "check_stages?client_ids=%7B{}%7D", "clients?client_ids=%7B{}%7D", "changes?client_id={}"],
)  # fmt: skip
def test_a_query_takes_an_id_and_no_slug(api: Api, client: int, slug: str, query: str) -> None:
    refusal(api.send("GET", f"/rpc/{query.format(slug)}"), 400, "argument_not_valid")
    assert api.send("GET", f"/rpc/{query.format(client)}").status_code == 200


def test_an_array_takes_ids_and_no_slug(api: Api, client: int, slug: str) -> None:
    for function in ("check_stages", "clients"):
        for wrong in ([slug], [client, slug], [str(client)], [1.5], [None], [[client]], "{1}"):
            answer = api.call(function, client_ids=wrong)
            assert refusal(answer, 400, "argument_not_valid")["argument"] == "client_ids"
        assert api.call(function, client_ids=[client]).status_code == 200


def test_an_item_takes_an_id_and_no_slug(api: Api, client: int, slug: str) -> None:
    for function, item in (
        ("set_flags", {"flag": "advisory_due", "set": True}),
        ("set_stages", GOOD_MOVE | {"expected_version": 1}),
        ("update_clients", {"owner": "user:ana"}),
    ):
        done = api.done(function, items=[{"client_id": slug} | item, {"client_id": client} | item])
        by_slug, by_id = done["items"]
        assert by_slug["status"] in (400, 422), done
        assert (by_id["status"], by_id["client"]["id"]) == (200, client)


# PostgreSQL 16 and later read each of these as a number.
NUMBER_LIKE = ["{}_0", "0x{:x}", "0o{:o}", "0b{:b}", " {} ", "+{}", "{}.0", "{}e0", "00x{:x}"]


@pytest.mark.parametrize("spelling", NUMBER_LIKE)
def test_only_digits_are_an_id(api: Api, client: int, spelling: str) -> None:
    """No spelling of an id moves its client, wherever it is."""
    text = spelling.format(client // 10 if spelling == "{}_0" else client)
    path = f"/api/clients/{text.replace(' ', '%20')}"

    assert api.send("GET", path).status_code == 404
    assert api.send("PATCH", f"{path}/stage", json=GOOD_MOVE).status_code == 404
    assert api.send("POST", f"{path}/flags/advisory_due").status_code == 404
    refusal(api.call("set_stage", client_id=text, **GOOD_MOVE), 400, "argument_not_valid")
    refusal(api.call("check_stages", client_ids=[text]), 400, "argument_not_valid")
    query = api.http.build_request("GET", "/", params={"client_id": text}).url.query.decode()
    refusal(api.send("GET", f"/rpc/client?{query}"), 400, "argument_not_valid")
    listed = f"/rpc/check_stages?client_ids=%7B{query.removeprefix('client_id=')}%7D"
    refusal(api.send("GET", listed), 400, "argument_not_valid")
    for function, item in (
        ("set_stages", GOOD_MOVE),
        ("set_flags", {"flag": "advisory_due", "set": True}),
        ("update_clients", {"owner": "user:ana"}),
    ):
        done = api.done(function, items=[{"client_id": text} | item])
        assert done["items"][0]["status"] in (400, 422), done
    assert api.version(client) == 0


def test_digits_of_another_script_are_no_id(api: Api, client: int) -> None:
    text = "".join(chr(ord("\u0660") + int(digit)) for digit in str(client))
    assert api.send("GET", f"/api/clients/{text}").status_code == 404
    refusal(api.call("client_id", client=text), 404, "client_not_found")
    refusal(api.send("GET", f"/rpc/client?client_id={text}"), 400, "argument_not_valid")


def test_the_slug_of_another_client_is_never_read_as_an_id(api: Api) -> None:
    low, high = sorted(api.make_client() for _ in range(2))
    slug = f"{high // 10}_{high % 10}"
    with psycopg.connect(api.dsn or "") as host:  # through the API it can't be created
        row = host.execute("insert into clients (name, slug) values (%s, %s) returning id", [slug, slug]).fetchone()
    assert row is not None
    (named,) = row

    found = api.send("PATCH", f"/api/clients/{slug}/stage", json=GOOD_MOVE).json()

    assert found["client"]["id"] == named == api.done("client_id", client=slug)
    assert (api.version(low), api.version(high)) == (0, 0)


UNKNOWN: list[tuple[str, str, Any]] = [
    ("GET", "/api/clients/no-such-slug", None),
    ("GET", "/api/clients/no-such-slug/stage_history", None),
    ("PATCH", "/api/clients/no-such-slug/stage", GOOD_MOVE),
    ("POST", "/api/clients/no-such-slug/flags/advisory_due", {}),
    ("GET", "/rpc/client_id?client=no-such-slug", None),
]


@pytest.mark.parametrize(("method", "path", "body"), UNKNOWN, ids=str)
def test_an_unknown_slug_is_404_and_stands_in_the_details_alone(api: Api, method: str, path: str, body: Any) -> None:
    answer = api.send(method, path) if body is None else api.send(method, path, json=body)
    assert refusal(answer, 404, "client_not_found")["client_id"] == "no-such-slug"
    assert "no-such-slug" not in answer.json()["message"] + answer.reason_phrase


def test_other_arguments_are_judged_beside_a_slug(api: Api, slug: str) -> None:
    for wrong, rule in (
        ({"bogus": 1}, "unknown_argument"),
        ({"expected_version": "two"}, "argument_not_valid"),
        ({"to_stage": "nowhere"}, "unknown_stage"),
    ):
        answer = api.send("PATCH", f"/api/clients/{slug}/stage", json=GOOD_MOVE | wrong)
        refusal(answer, 422 if rule == "unknown_stage" else 400, rule)
    refusal(api.send("GET", f"/api/clients/{slug}", None), 401, "unauthenticated")
