"""How a call reaches the HTTP API: a POST to `/rpc/<function>`, again where that is safe.

`async_transport.py` is written by hand; tools/make_sync.py makes `transport.py` from it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
from tenacity import Retrying

from atlas_stage.errors import Unavailable
from atlas_stage.http.exchange import (
    TIMEOUT_SECONDS,
    TRIES,
    OverHttp,
    Sending,
    client_options,
    retrying_options,
    sending,
    translated,
)


class HttpTransport(OverHttp):
    """Calls over HTTP. Connections are kept and used again; many calls may be under way at a time.

    What is lost on the way is sent again, after waits that double, up to `tries` times within `timeout`: reads, and
    writes that carry a key (they get one where the caller gives none). Anything else only if it certainly never left.
    It begins with `whoami`, which marks the token's use.
    """

    def __init__(
        self, url: str, token: str, *, timeout: float = TIMEOUT_SECONDS, tries: int = TRIES
    ) -> None:
        self._client = httpx.Client(**client_options(url, token, timeout))
        self._timeout, self._tries = timeout, tries
        self._begun = False

    def call(
        self, function: str, arguments: Mapping[str, Any], *, read: bool, keyed: bool = False
    ) -> Any:
        """POST the arguments to `/rpc/<function>`. Raises StageError."""
        ready = sending(function, arguments, read=read, keyed=keyed)
        if not self._begun and function != "whoami":
            with suppress(Unavailable):  # a standby, say, marks nothing and answers all the same
                self._send(sending("whoami", {}, read=True))
        answer = self._repeated(ready)
        self._begun = True
        return answer

    def _repeated(self, ready: Sending) -> Any:
        again = Retrying(**retrying_options(ready, self._tries, self._timeout))
        return again(self._send, ready)

    def _send(self, ready: Sending) -> Any:
        with translated():
            response = self._client.post(ready.path, content=ready.body, headers=ready.headers)
        return ready.read(response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
