"""How a writer reaches the product, and what it is answered: over HTTP, or by the package's own client."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from atlas_stage import Stage
from atlas_stage.errors import StageError, Unavailable
from atlas_stage.protocol import Transport
from atlas_stage.transports.http import NOT_THE_API
from atlas_stage.transports.psycopg import PsycopgTransport
from atlas_stage.transports.sync_http import HttpTransport

Json = dict[str, Any]
_SECONDS = 20.0
ADMIN = "user:jimmie"


@dataclass(frozen=True)
class Answer:
    """The answer. Status 0: none came, so the change may or may not have been made."""

    status: int
    body: Json = field(default_factory=dict)
    rule: str = ""
    fault: str = ""
    """Problems of the answer itself, such as a 503 without Retry-After."""

    @property
    def is_final(self) -> bool:
        """Whether a caller has its answer, and would not send the request again."""
        return self.status not in (0, 429, 502, 503, 504)


class Http:
    """The plan's paths where there is one for the call, else /rpc/<function>."""

    name = "http"

    def __init__(self, url: str, token: str) -> None:
        self._client = httpx.Client(
            base_url=url,
            timeout=httpx.Timeout(_SECONDS, connect=5),
            trust_env=False,
            headers={"Authorization": f"Bearer {token}"},
        )

    def send(self, function: str, arguments: Json, key: str | None) -> Answer:
        """One request; its key goes as the header Idempotency-Key."""
        method, path, body = _request(function, dict(arguments), key)
        try:
            response = self._client.request(method, path, json=body, headers={"Idempotency-Key": key} if key else {})
        except httpx.TransportError:
            return Answer(0)
        return _read(response)

    def close(self) -> None:
        self._client.close()


def _request(function: str, body: Json, key: str | None) -> tuple[str, str, Json | None]:
    # A retry is the same request, so the path is chosen by the key and not by chance.
    by_path = sum((key or "").encode()) % 2 == 0
    if function == "client" and by_path:
        return "GET", f"/api/clients/{body['client_id']}", None
    if function == "set_stage" and by_path:
        return "PATCH", f"/api/clients/{body.pop('client_id')}/stage", body
    if function in ("set_flag", "clear_flag") and by_path:
        path = f"/api/clients/{body.pop('client_id')}/flags/{body.pop('flag')}"
        return ("POST" if function == "set_flag" else "DELETE"), path, body
    return "POST", f"/rpc/{function}", body


def _read(response: httpx.Response) -> Answer:
    try:
        body = response.json()
    except ValueError:
        return Answer(response.status_code, fault="the answer is not JSON")
    if response.is_success:
        return Answer(response.status_code, body)
    detail = body.get("details")
    rule = detail.split('"rule"')[1].split('"')[1] if detail and '"rule"' in detail else ""
    fault = ""
    if not rule:
        fault = f"no rule: {response.text[:200]}"
    elif response.status_code == 503 and not response.headers.get("Retry-After"):
        fault = "503 without Retry-After"
    return Answer(response.status_code, body, rule, fault)


class Package:
    """The package's own calls, over a database connection or over HTTP, where it retries."""

    def __init__(self, name: str, transport: Transport) -> None:
        self.name = name
        self._transport = transport

    def send(self, function: str, arguments: Json, key: str | None) -> Answer:
        """One call; its key goes as the argument external_id."""
        arguments = arguments | ({"external_id": key} if key else {})
        try:
            body = self._transport.call(function, arguments, read=key is None, keyed=key is not None)
        except Unavailable as error:
            said = error.rule if error.rule != Unavailable.default_rule else ""
            fault = str(error)[:200] if said == NOT_THE_API else ""
            return Answer(503 if said else 0, rule=said, fault=fault)
        except StageError as error:
            fault = "" if error.status != StageError.default_status else str(error)[:200]
            return Answer(error.status, rule=error.rule, fault=fault)
        return Answer(200, body)

    def close(self) -> None:
        self._transport.close()


Way = Http | Package
"""Sends one call, once. A read has no key."""


def with_psycopg(dsn: str) -> Package:
    return Package("psycopg", PsycopgTransport(dsn, ADMIN))


def with_client(url: str, token: str) -> Package:
    return Package("client", HttpTransport(url, token))


class Reachable:
    """A running stack, and the ways to it."""

    token: str
    dsn: str
    """Of the server itself."""

    @property
    def http_url(self) -> str:
        raise NotImplementedError

    @property
    def writers_dsn(self) -> str:
        return self.dsn

    def ways(self, writers: int) -> list[Callable[[], Way]]:
        """How this many writers connect: half with psycopg, the others over HTTP, with and without the package."""
        http, client, direct = self._kinds()
        return [(http, direct, client, direct)[number % 4] for number in range(writers)]

    def readers(self) -> dict[str, Callable[[], Way]]:
        http, _, direct = self._kinds()
        return {"reader-http": http, "reader-psycopg": direct}

    def _kinds(self) -> tuple[Callable[[], Way], Callable[[], Way], Callable[[], Way]]:
        return (
            lambda: Http(self.http_url, self.token),
            lambda: with_client(self.http_url, self.token),
            lambda: with_psycopg(self.writers_dsn),
        )

    def make_clients(self, count: int) -> list[int]:
        with Stage(PsycopgTransport(self.dsn, ADMIN)) as stage:
            made = [stage.create_client(f"Shared {n}", slug=f"shared-{n}") for n in range(count)]
        return [each.client.id for each in made]
