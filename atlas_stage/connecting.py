"""How a stage is connected, over HTTP or psycopg, and closed."""

import os
import ssl
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from atlas_stage.errors import InvalidInput, Unauthenticated
from atlas_stage.protocol import Transport, Work

if TYPE_CHECKING:
    from atlas_stage.transports.async_http import AsyncHttpTransport

URL, TOKEN, DATABASE = "ATLAS_URL", "ATLAS_TOKEN", "ATLAS_DATABASE_URL"


class Connecting:
    """What `Stage` has besides the methods of the API."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @classmethod
    def connect(
        cls,
        dsn: str | None = None,
        actor: str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        timeout: float | None = None,
        verify: bool | str | ssl.SSLContext = True,
    ) -> Self:
        """A stage over HTTP or psycopg. It connects at the first call.

        HTTP: `url`, `token` (default: ATLAS_URL, ATLAS_TOKEN), `timeout` in seconds for a whole call, `verify` as in
        httpx. psycopg: `dsn` (default: ATLAS_DATABASE_URL), `actor` (default: ATLAS_ACTOR, else the login's; only
        members of atlas_operator can choose it). Arguments win over the environment, and HTTP over psycopg. Raises
        InvalidInput, and Unauthenticated if the token is malformed.
        """
        if (dsn or actor) and (url or token):
            message = "give the API's URL, or a database and an actor, not both"
            raise InvalidInput(message, hint="over HTTP the token says who acts")
        # A script over HTTP doesn't wait for the import of psycopg, and the other way round.
        if url or token or (http_is_named() and not (dsn or actor)):
            from atlas_stage.transports.sync_http import HttpTransport

            return cls(HttpTransport(*address(url, token), timeout=timeout, verify=verify))
        from atlas_stage.transports.psycopg import PsycopgTransport

        return cls(PsycopgTransport(dsn, actor))

    def transaction(self) -> AbstractContextManager[Work]:
        """Commit the calls inside together, or none of them. A nested transaction can fail or be discarded alone.

        `work.discard()` makes it a dry run: all is rolled back at the end. It holds for the thread or asyncio task
        that opened it. Over HTTP it raises InvalidInput.
        """
        return self._transport.transaction()


class AsyncConnecting:
    """What `AsyncStage` has besides the methods of the API."""

    def __init__(self, transport: "AsyncHttpTransport") -> None:
        self._transport = transport

    @classmethod
    def connect(
        cls,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float | None = None,
        verify: bool | str | ssl.SSLContext = True,
    ) -> Self:
        """A stage over HTTP, with the arguments and errors of `Stage.connect`."""
        from atlas_stage.transports.async_http import AsyncHttpTransport

        return cls(AsyncHttpTransport(*address(url, token), timeout=timeout, verify=verify))


def http_is_named() -> bool:
    """Whether the environment leads to the HTTP API: it has ATLAS_URL, and ATLAS_TOKEN or no database."""
    return bool(os.environ.get(URL)) and bool(os.environ.get(TOKEN) or not os.environ.get(DATABASE))


def address(url: str | None, token: str | None) -> tuple[str, str]:
    """The API's URL and the token, from the environment if they aren't given."""
    url = url or os.environ.get(URL)
    token = token or os.environ.get(TOKEN)
    if not url:
        raise InvalidInput("No API is given.", hint=f"give its URL, or set {URL}")
    if not token:
        raise Unauthenticated("no token is given", hint=f"set {TOKEN}")
    return url, token
