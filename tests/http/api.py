"""An API under test, and short functions to call it."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx
import pytest

ADMIN = "user:jimmie"

# Of a client as make_client makes it.
GOOD_MOVE = {"to_stage": "cleanup", "reason": "old books", "expected_version": 0}

# The few differences of nginx are in docs/decisions.md.
NGINX = os.environ.get("ATLAS_SERVE_GATEWAY") == "nginx"
sees_reason_phrases = pytest.mark.skipif(
    NGINX, reason="nginx can't see a reason phrase, so it passes PostgREST's own refusals"
)

_numbers = itertools.count(1)


@dataclass
class Api:
    """A gateway and an admin's token."""

    url: str
    admin: str
    dsn: str | None = None  # of the database, where the test can reach it
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(self, method: str, path: str, token: str | None = "", **arguments: Any) -> httpx.Response:
        """A request with the admin's token, another one, or none."""
        headers = dict(arguments.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.admin}"
        return self.http.request(method, path, headers=headers, **arguments)

    def call(self, function: str, token: str | None = "", **arguments: Any) -> httpx.Response:
        """POST /rpc/<function>."""
        return self.send("POST", f"/rpc/{function}", token, json=arguments)

    def done(self, function: str, token: str | None = "", **arguments: Any) -> Any:
        """The answer of a call that has to succeed."""
        answer = self.call(function, token, **arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def make_client(self, **arguments: Any) -> int:
        """A client in weekly, version 0."""
        slug = f"http-{os.getpid()}-{next(_numbers)}"
        arguments = {"name": slug, "slug": slug, "stage": "weekly"} | arguments
        return int(self.done("create_client", **arguments)["client"]["id"])

    def actor(self, name: str = "agent:tally") -> str:
        """A new actor id, used nowhere else."""
        return f"{name}-{os.getpid()}-{next(_numbers)}"

    def token(self, actor: str, lives: timedelta = timedelta(hours=1)) -> dict[str, Any]:
        """A new token of an actor, as it is shown once."""
        expires_at = (datetime.now(UTC) + lives).isoformat()
        issued: dict[str, Any] = self.done("issue_token", actor_id=actor, expires_at=expires_at)
        return issued

    def version(self, client_id: int) -> int:
        """The client's present version."""
        return int(self.done("client", client_id=client_id)["client"]["version"])


def refusal(answer: httpx.Response, status: int, rule: str) -> dict[str, Any]:
    """The details of an error that has the contract's shape, this status and this rule."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    body = answer.json()
    assert set(body) == {"code", "message", "details", "hint"}, body
    assert body["code"] == f"PT{status}", body
    details: dict[str, Any] = json.loads(body["details"])
    assert details["rule"] == rule, body
    assert "…" not in details.get("text", ""), body  # a fact that the sentence lacks
    assert body["message"]
    assert body["hint"]
    return details


def is_an_error_in_shape(answer: httpx.Response) -> bool:
    """Whether this is a 4xx with the contract's four fields."""
    body = answer.json()
    return 400 <= answer.status_code < 500 and set(body) == {"code", "message", "details", "hint"}
