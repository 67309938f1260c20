"""A network between a caller and the real API that loses, delays or spoils what it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx


@dataclass
class Network:
    """Hands requests on to the API behind it. Each fault takes the next request, in their order.

    lose_request   the API never sees it, the caller's connection ends
    lose_answer    the API does it, and the caller's connection ends without an answer
    cut_answer     half of the answer arrives
    delay          the answer comes after two seconds
    a number       an answer with this status, by something in between
    html           a page of something in between
    """

    url: str = ""
    faults: deque[str] = field(default_factory=deque)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def will(self, *faults: str) -> None:
        """Forget the requests so far, and spoil the next ones."""
        self.requests.clear()
        self.faults = deque(faults)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


@contextlib.contextmanager
def network(api: str) -> Iterator[Network]:
    """A network before the API at this URL."""
    made = Network()
    # Without certificates: reading them takes 0.03 s of CPU.
    with httpx.Client(base_url=api, trust_env=False, verify=False) as upstream:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(made, upstream))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            made.url = f"http://127.0.0.1:{server.server_port}"
            yield made
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(made: Network, upstream: httpx.Client) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        network = made
        api = upstream

    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    network: Network
    api: httpx.Client

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name)
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.network.requests.append((self.path, dict(self.headers)))
        fault = self.network.faults.popleft() if self.network.faults else ""
        if fault == "lose_request":
            self._hang_up()
        elif fault.isdigit():
            self._answer(int(fault), b"<h1>something in between</h1>")
        elif fault == "html":
            self._answer(200, b"<h1>Welcome to our guest network</h1>")
        else:
            self._hand_on(body, fault)

    def _hand_on(self, body: bytes, fault: str) -> None:
        kept = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in {"host", "content-length", "connection"}
        }
        answer = self.api.post(self.path, content=body, headers=kept)
        if fault == "lose_answer":
            self._hang_up()
            return
        if fault == "delay":
            time.sleep(2)
        if fault == "cut_answer":
            half = answer.content[: len(answer.content) // 2]
            self._answer(answer.status_code, half, len(answer.content))
            self._hang_up()
        else:
            self._answer(answer.status_code, answer.content)

    def _answer(self, status: int, content: bytes, length: int | None = None) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(length or len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
