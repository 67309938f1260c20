"""An invite over HTTP: exchanged once, and good for nothing else."""

from __future__ import annotations

import pytest

from tests.http.api import Api, refusal


@pytest.fixture
def invite(own_api: Api) -> str:
    made = own_api.done("invite", actor_id="user:ana", role="bookkeeper")
    return str(made["invite"])


def test_a_link_s_secret_becomes_a_token(own_api: Api, invite: str) -> None:
    with Api(own_api.url, invite) as ana:
        token = ana.done("accept_invite")["token"]
        refusal(ana.call("accept_invite"), 401, "invite_not_valid")
    with Api(own_api.url, token) as ana:
        assert ana.done("whoami")["actor_id"] == "user:ana"


def test_an_invite_is_no_token(own_api: Api, invite: str) -> None:
    with Api(own_api.url, invite) as ana:
        for function in ("whoami", "clients", "people", "queue"):
            refusal(ana.call(function), 401, "unauthenticated")


def test_a_token_is_no_invite(own_api: Api) -> None:
    refusal(own_api.call("accept_invite"), 401, "invite_not_valid")
