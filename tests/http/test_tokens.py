"""Bearer tokens from end to end: issued, used, listed, rotated, expired, revoked."""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta

import pytest

from tests.http.api import NGINX, Api, refusal


def test_a_token_is_its_actor(api: Api) -> None:
    actor = api.actor()

    assert api.done("whoami", api.token(actor)["token"])["actor_id"] == actor


def test_is_recorded_as_who_did_it(api: Api, client: int) -> None:
    actor = api.actor()
    api.done("grant_permission", actor_id=actor, permission="can_set_flag")

    done = api.send("POST", f"/api/clients/{client}/flags/client_blocking", api.token(actor)["token"]).json()

    assert (done["history"]["actor_id"], done["history"]["actor_type"]) == (actor, "agent")
    assert done["history"]["channel"] == "api"


def test_is_shown_once(api: Api) -> None:
    actor = api.actor()
    issued = api.token(actor)
    assert issued["token"].startswith("atl_")

    listed = api.call("tokens", actor_id=actor)

    assert issued["token"] not in listed.text
    assert [token["id"] for token in listed.json()["tokens"]] == [issued["id"]]


def test_revocation_takes_effect_on_the_next_request(api: Api) -> None:
    issued = api.token(api.actor())
    for _ in range(20):  # on every connection of the pool
        assert api.call("whoami", issued["token"]).status_code == 200

    api.done("revoke_token", token_id=issued["id"])

    for _ in range(20):
        refusal(api.call("whoami", issued["token"]), 401, "unauthenticated")


def test_expires(api: Api) -> None:
    actor = api.actor()
    issued = api.token(actor, timedelta(seconds=2))
    assert api.call("whoami", issued["token"]).status_code == 200

    time.sleep(2.1)

    refusal(api.call("whoami", issued["token"]), 401, "unauthenticated")
    assert api.done("tokens", actor_id=actor)["tokens"][0]["state"] == "expired"


def test_rotation_has_an_overlap(api: Api) -> None:
    actor = api.actor()
    old, new = api.token(actor), api.token(actor)

    for token in (old, new):
        assert api.done("whoami", token["token"])["actor_id"] == actor
    api.done("revoke_token", token_id=old["id"])

    assert api.call("whoami", old["token"]).status_code == 401
    assert api.call("whoami", new["token"]).status_code == 200


def test_the_shared_token_of_old_may_read_and_not_write(api: Api, client: int) -> None:
    secret = f"shared {api.actor()}".replace(" ", "!")  # it has no form that we know of
    digest = hashlib.sha256(secret.encode()).hexdigest()
    refusal(api.call("whoami", secret), 401, "unauthenticated")

    api.done("adopt_legacy_token", token_hash=digest)
    try:
        assert api.done("whoami", secret)["actor_id"] == "system:legacy"
        assert api.send("GET", "/api/clients", secret).status_code == 200
        written = api.send("POST", f"/api/clients/{client}/flags/client_blocking", secret)
        refusal(written, 403, "permission_missing")
    finally:
        api.done("revoke_token", token_id=digest[:12])
    assert api.call("whoami", secret).status_code == 401


def test_use_is_noted_by_writes_and_not_by_reads(api: Api) -> None:
    actor = api.actor()
    issued = api.token(actor)

    def last_used_at() -> str | None:
        tokens = api.done("tokens", actor_id=actor)["tokens"]
        return str(tokens[0]["last_used_at"]) if tokens[0]["last_used_at"] else None

    client = api.make_client()
    api.done("grant_permission", actor_id=actor, permission="can_set_flag")
    api.done("clients", issued["token"])
    assert last_used_at() is None
    api.done("set_flag", issued["token"], client_id=client, flag="client_blocking")
    first = last_used_at()
    assert first is not None
    api.done("clear_flag", issued["token"], client_id=client, flag="client_blocking")
    assert last_used_at() == first  # to within 15 minutes


def test_whoami_marks_the_use_of_a_token_that_only_reads(api: Api) -> None:
    actor = api.actor()
    issued = api.token(actor)

    api.done("whoami", issued["token"])

    (token,) = api.done("tokens", actor_id=actor)["tokens"]
    assert token["last_used_at"] is not None


WRONG = [
    "",
    "Bearer",
    "bearer nothing",
    "Basic dXNlcjpwYXNz",
    "Bearer a b",
    "Bearer 'or 1=1--",
    'Bearer "quoted"',
    "Bearer \\",
    "Bearer {}",
    "Bearer {http.request.header.Authorization}",
    "Bearer null",
    "Bearer " + "a" * 512,
    "Bearer " + "a" * 20_000,
    "Digest x",
    "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYXRsYXNfYXBpIn0.",
]


@pytest.mark.parametrize("header", WRONG, ids=lambda header: header[:30])
def test_anything_else_is_401(api: Api, header: str) -> None:
    answer = api.send("GET", "/rpc/whoami", None, headers={"Authorization": header})

    refusal(answer, 401, "unauthenticated")
    assert "authorization" not in answer.text or "Authorization: Bearer" in answer.text


def test_no_token_is_401(api: Api) -> None:
    for path in ("/rpc/whoami", "/api/clients", "/api/clients/1"):
        refusal(api.send("GET", path, None), 401, "unauthenticated")
    refusal(api.send("POST", "/api/clients/1/flags/stuck", None), 401, "unauthenticated")


def test_bytes_that_are_no_text_are_401(api: Api) -> None:
    for value in (b"Bearer \xff\xfe", b"Bearer \xc3\xa9", b"Bearer a\tb"):
        answer = api.http.get("/rpc/whoami", headers=[(b"Authorization", value)])
        refusal(answer, 401, "unauthenticated")


def test_a_token_of_100_kb_is_refused(api: Api) -> None:
    refusal(api.send("GET", "/rpc/whoami", "a" * 100_000), 401, "unauthenticated")


def test_a_token_is_believed_in_its_header_alone(api: Api) -> None:
    for headers in (
        {"X-Atlas-Token": api.admin},
        {"x-atlas-token": api.admin},
        {"X_Atlas_Token": api.admin},
        {"Cookie": f"token={api.admin}"},
        {"Proxy-Authorization": f"Bearer {api.admin}"},
        {"X-Atlas-Token": api.admin, "Authorization": "Bearer wrong"},
        {"X-Atlas-Token": api.admin, "Connection": "X-Atlas-Token"},
    ):
        refusal(api.send("GET", "/rpc/whoami", None, headers=headers), 401, "unauthenticated")
    refusal(
        api.send("GET", "/rpc/whoami", "wrong", headers={"X-Atlas-Token": api.admin}),
        401,
        "unauthenticated",
    )


def test_two_authorization_headers_are_none(api: Api) -> None:
    good = f"Bearer {api.admin}"
    for first, second in ((good, good), (good, "Bearer x"), ("Basic x", good), (good, "")):
        answer = api.http.get("/rpc/whoami", headers=[("Authorization", first), ("Authorization", second)])
        refusal(answer, *((400, "request_not_valid") if NGINX else (401, "unauthenticated")))


def test_a_callers_own_settings_change_nobody(api: Api, client: int) -> None:
    token = api.token(api.actor())["token"]
    headers = {
        "X-Atlas-Actor": "user:jimmie",
        "X-Atlas-Path-Client-Id": "1",
        "atlas.token_actor": "user:jimmie",
        "role": "atlas_owner",
        "Prefer": "tx=rollback, params=single-object",
        "Accept-Profile": "public",
        "Content-Profile": "rules",
    }

    assert api.send("GET", "/rpc/whoami", token, headers=headers).json()["actor_id"] != "user:jimmie"
    flagged = api.send("POST", f"/api/clients/{client}/flags/client_blocking", headers=headers)
    assert flagged.json()["client"]["id"] == client
    assert api.version(client) == 1  # and it was not rolled back
