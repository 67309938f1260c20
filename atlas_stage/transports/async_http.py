"""Calls over HTTP: a POST to `/rpc/<function>`, repeated if that is safe.

tools/generate.py generates `sync_http.py` from this file at build time.
"""

from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import httpx
from anyio import sleep

from atlas_stage.errors import Unavailable
from atlas_stage.transports.http import CONNECT_SECONDS, WHOAMI, OverHttp, Request, place


class AsyncHttpTransport(OverHttp):
    """Calls over HTTP. Threads, or tasks, can share it; connections are kept and reused.

    A call that fails on the way is made up to `tries` times within `timeout` seconds, if that is safe. The first call
    is preceded by `whoami`, which records the use of the token.
    """

    async def call(self, function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool = False) -> Any:
        """POST the arguments to `/rpc/<function>`. Raises StageError."""
        request = Request.of(function, arguments, read=read, keyed=keyed)
        until, tries = monotonic() + self._timeout, 0
        if not self._begun and function != "whoami":
            with suppress(Unavailable):  # a standby records nothing, and answers all the same
                await self._send(WHOAMI, min(CONNECT_SECONDS, self._timeout))
        while True:
            tries += 1
            try:
                answer = await self._send(request, max(until - monotonic(), 0.1))
                self._begun = True
                return answer
            except Unavailable as error:
                pause = request.pause(error, tries)
                if pause is None or tries >= self._tries or monotonic() + pause >= until:
                    raise
            await sleep(pause)

    async def _send(self, request: Request, seconds: float) -> Any:
        here = place(httpx.AsyncClient)
        client = self._client_of(here, httpx.AsyncClient)
        try:
            with self._exchange(here, client):
                response = await client.post(
                    request.path,
                    content=request.body,
                    headers=request.headers,
                    timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
                )
        finally:
            await self._close_unused(client)
        return request.read(response)

    async def close(self) -> None:
        """Close the connections; those in use close when their calls end. A later call opens new ones."""
        client = self._clients.pop(place(httpx.AsyncClient), None)
        if client is not None:
            self._closing.add(client)
            await self._close_unused(client)

    async def _close_unused(self, client: httpx.AsyncClient) -> None:
        if client in self._closing and client not in {each for each, _ in list(self._calls)}:
            self._closing.discard(client)
            await client.aclose()
