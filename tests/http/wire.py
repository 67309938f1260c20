"""Requests as bytes on a connection, for what no HTTP library would send."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

from tests.http.api import Api


def raw(api: Api, request: str, *lines: str, body: str = "", token: str | None = "") -> tuple[int, dict[str, str], str]:
    """Send a request that no HTTP library would; status, headers and body of the answer."""
    received = exchange(api, request, *lines, "Connection: close", body=body, token=token)
    head, _, rest = received.partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    headers = {name.lower(): value for name, _, value in (f.partition(": ") for f in fields)}
    if headers.get("transfer-encoding") == "chunked":
        rest = rest.partition("\r\n")[2].rpartition("\r\n0")[0]
    return int(status.split()[1]), headers, rest


def exchange(api: Api, request: str, *lines: str, body: str = "", token: str | None = "") -> str:
    """Send a request on a separate connection; return all bytes until it is idle or closed."""
    where = urlsplit(api.url)
    bearer = [] if token is None else [f"Authorization: Bearer {token or api.admin}"]
    text = "\r\n".join([request, f"Host: {where.netloc}", *bearer, *lines, "", body])
    received = b""
    with socket.create_connection((where.hostname or "", where.port or 80)) as caller:
        caller.settimeout(20 if "Connection: close" in lines else 1)
        with contextlib.suppress(OSError):
            caller.sendall(text.encode())
        with contextlib.suppress(OSError):
            while some := caller.recv(65536):
                received += some
    return received.decode(errors="replace")
