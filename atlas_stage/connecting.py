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

            with Stage.connect() as stage:
                stage.move(7, "eom_close", "May is over")

        Over HTTP: `url` and `token` (default: ATLAS_URL, ATLAS_TOKEN); the token decides who acts. `timeout` is in
        seconds for a whole call, `verify` as in httpx. Over psycopg: `dsn` (default: ATLAS_DATABASE_URL) is a
        PostgreSQL URL or connection string; `actor` (default: ATLAS_ACTOR, else the login's) is who acts, which only
        members of atlas_operator can choose. Arguments win over the environment; if the environment has both, HTTP is
        used. Raises InvalidInput, and Unauthenticated if the token is malformed.
        """
        if (dsn or actor) and (url or token):
            raise InvalidInput(
                "give the API's URL, or a database and an actor, not both",
                hint="over HTTP the token says who acts",
            )
        # A script over HTTP doesn't wait for the import of psycopg, and the other way round.
        if url or token or (http_is_named() and not (dsn or actor)):
            from atlas_stage.transports.sync_http import HttpTransport

            return cls(HttpTransport(*address(url, token), timeout=timeout, verify=verify))
        from atlas_stage.transports.psycopg import PsycopgTransport

        return cls(PsycopgTransport(dsn, actor))

    def transaction(self) -> AbstractContextManager[Work]:
        """Commit the calls inside together, or none of them. A nested transaction can fail or be discarded alone.

            with stage.transaction() as work:
                …
                work.discard()  # a dry run: the calls answer by the real rules, then all is rolled back

        It holds for the thread or asyncio task that opened it. Over HTTP it raises InvalidInput.
        """
        return self._transport.transaction()

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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
        """A stage over HTTP, with the arguments of `Stage.connect`.

            async with AsyncStage.connect() as stage:
                await stage.move(7, "eom_close", "May is over")

        It connects at the first call. Raises InvalidInput, and Unauthenticated if the token is malformed.
        """
        from atlas_stage.transports.async_http import AsyncHttpTransport

        return cls(AsyncHttpTransport(*address(url, token), timeout=timeout, verify=verify))

    async def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def http_is_named() -> bool:
    """Whether the environment leads to the HTTP API: it has ATLAS_URL, and ATLAS_TOKEN or no database."""
    return bool(os.environ.get(URL)) and bool(os.environ.get(TOKEN) or not os.environ.get(DATABASE))


def address(url: str | None, token: str | None) -> tuple[str, str]:
    """The API's URL and the token, from the environment if they aren't given."""
    url = url or os.environ.get(URL)
    token = token or os.environ.get(TOKEN)
    if not url:
        raise InvalidInput("no API is named", hint=f"give its URL, or set {URL}")
    if not token:
        raise Unauthenticated("no token is given", hint=f"set {TOKEN}")
    return url, token
