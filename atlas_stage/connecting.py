"""Which way a stage goes, HTTP or psycopg, and how it begins and ends."""

import os
from contextlib import AbstractContextManager
from typing import Self

from atlas_stage.errors import InvalidInput, Unauthenticated
from atlas_stage.protocol import AsyncTransport, Transport, Work

URL, TOKEN, DATABASE = "ATLAS_URL", "ATLAS_TOKEN", "ATLAS_DATABASE_URL"


class Connecting:
    """What `Stage` has beside its methods."""

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
    ) -> Self:
        """A stage over HTTP or over psycopg; nothing is opened before the first call.

            with Stage.connect() as stage:
                client = stage.client(7).client
                stage.set_stage(7, to_stage="eom_close", reason="May is over", expected_version=client.version)

        `url` and `token` (default: ATLAS_URL, ATLAS_TOKEN) lead to the HTTP API, and the token says who acts. `dsn`
        (default: ATLAS_DATABASE_URL) is a PostgreSQL URL or connection string; `actor` is who acts there (default:
        ATLAS_ACTOR, else what the login role stands for), and only members of atlas_operator may name someone. What is
        given wins over the environment; where the environment names both, it is HTTP. Raises InvalidInput, and
        Unauthenticated for a token that cannot be one.
        """
        return cls(transport_for(dsn, actor, url, token))

    def transaction(self) -> AbstractContextManager[Work]:
        """Do the calls inside together or not at all. Nested, it can fail or be discarded by itself.

            with stage.transaction() as work:
                …
                work.discard()  # a dry run: the calls answered under the real rules, and nothing stays

        Over psycopg only: over HTTP it raises InvalidInput.
        """
        return self._transport.transaction()

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncConnecting:
    """What `AsyncStage` has beside its methods."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    @classmethod
    def connect(cls, url: str | None = None, token: str | None = None) -> Self:
        """A stage over HTTP (default: ATLAS_URL, ATLAS_TOKEN); nothing is opened before the first call.

            async with AsyncStage.connect() as stage:
                client = (await stage.client(7)).client
                async for each in stage.iter_clients("eom_close"):
                    …

        Raises InvalidInput, and Unauthenticated for a token that cannot be one.
        """
        from atlas_stage.http import AsyncHttpTransport

        return cls(AsyncHttpTransport(*address(url, token)))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def transport_for(
    dsn: str | None, actor: str | None, url: str | None, token: str | None
) -> Transport:
    """The transport for what is given, which wins over the environment; where the environment names both ways, HTTP."""
    over_database, over_http = dsn or actor, url or token
    if over_database and over_http:
        raise InvalidInput(
            "give the API's URL, or a database and an actor, not both",
            hint="over HTTP the token says who acts",
        )
    # Imported where it is needed: a script over HTTP waits for no psycopg, and the other way round.
    if over_http or (http_is_named() and not over_database):
        from atlas_stage.http import HttpTransport

        return HttpTransport(*address(url, token))
    from atlas_stage.transport import PsycopgTransport

    return PsycopgTransport(dsn, actor)


def http_is_named() -> bool:
    """Whether the environment leads to the HTTP API: it names it, and a token or nothing else."""
    return bool(os.environ.get(URL)) and bool(os.environ.get(TOKEN) or not os.environ.get(DATABASE))


def address(url: str | None, token: str | None) -> tuple[str, str]:
    """The API's URL and the token, from the environment where they are not given."""
    url = url or os.environ.get(URL)
    token = token or os.environ.get(TOKEN)
    if not url:
        raise InvalidInput("no API is named", hint=f"give its URL, or set {URL}")
    if not token:
        raise Unauthenticated("no token is given", hint=f"set {TOKEN}")
    return url, token
