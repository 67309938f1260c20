"""How a call reaches the HTTP API: a POST to `/rpc/<function>`, again where that is safe."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import httpx
from tenacity import (
    AsyncRetrying,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)

from atlas_stage.errors import InvalidInput
from atlas_stage.http.address import Bearer, checked_url, is_this_machine
from atlas_stage.http.exchange import Sending, sending, translated
from atlas_stage.transport import Work

TIMEOUT_SECONDS = 35.0  # a little more than the database takes before it gives up
CONNECT_SECONDS = 5.0
TRIES = 5


class HttpTransport:
    """Calls over HTTP. Connections are kept and used again; several threads may call at a time.

    What is lost on the way is sent again, after waits that double, up to `tries` times within
    `timeout`: reads, and writes that carry a key (they get one where the caller gives none).
    Anything else only if it certainly never left.
    """

    def __init__(
        self, url: str, token: str, *, timeout: float = TIMEOUT_SECONDS, tries: int = TRIES
    ) -> None:
        self._client = httpx.Client(**_options(url, token, timeout))
        self._timeout, self._tries = timeout, tries

    def call(self, function: str, arguments: Mapping[str, Any], *, read: bool) -> Any:
        """POST the arguments to `/rpc/<function>`. Raises StageError."""
        ready = sending(function, arguments, read=read)
        return Retrying(**_policy(ready, self._tries, self._timeout))(self._send, ready)

    def _send(self, ready: Sending) -> Any:
        with translated():
            response = self._client.post(ready.path, content=ready.body, headers=ready.headers)
        return ready.read(response)

    def transaction(self) -> AbstractContextManager[Work]:
        """Not over HTTP: raises InvalidInput."""
        raise InvalidInput(
            "a transaction of several calls needs a database connection, and this is HTTP",
            hint="name the database: --database or ATLAS_DATABASE_URL; or use set_stages, atomic",
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AsyncHttpTransport:
    """`HttpTransport` for asyncio."""

    def __init__(
        self, url: str, token: str, *, timeout: float = TIMEOUT_SECONDS, tries: int = TRIES
    ) -> None:
        self._client = httpx.AsyncClient(**_options(url, token, timeout))
        self._timeout, self._tries = timeout, tries

    async def call(self, function: str, arguments: Mapping[str, Any], *, read: bool) -> Any:
        """POST the arguments to `/rpc/<function>`. Raises StageError."""
        ready = sending(function, arguments, read=read)
        return await AsyncRetrying(**_policy(ready, self._tries, self._timeout))(self._send, ready)

    async def _send(self, ready: Sending) -> Any:
        with translated():
            response = await self._client.post(
                ready.path, content=ready.body, headers=ready.headers
            )
        return ready.read(response)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _options(url: str, token: str, timeout: float) -> dict[str, Any]:
    address = checked_url(url)
    return {
        "base_url": address,
        "auth": Bearer(token),
        "timeout": httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        "trust_env": not is_this_machine(address),
    }


def _policy(ready: Sending, tries: int, seconds: float) -> dict[str, Any]:
    return {
        "retry": retry_if_exception(ready.may_repeat),
        "wait": wait_random_exponential(multiplier=0.2, max=2),
        "stop": stop_after_attempt(tries) | stop_after_delay(seconds),
        "reraise": True,
    }
