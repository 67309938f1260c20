"""A receiver of notices: a small HTTP server that verifies each with the library of Standard Webhooks."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ....").decode()


@dataclass
class Receiver:
    """What was posted. `answer` decides the status of each request; None: it never answers."""

    url: str = ""
    answer: Callable[[int], int | None] = lambda _nth: 204
    requests: int = 0
    accepted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # id and body
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, requests: int, seconds: float = 60) -> None:
        """Until this many requests have come in."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: self.requests >= requests, seconds)

    @property
    def notices(self) -> list[dict[str, Any]]:
        """The bodies, each id once, in the order of their first arrival."""
        return list(dict(self.accepted).values())

    def kinds(self) -> list[str]:
        return [each["type"] for each in self.notices]


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    made, webhook = Receiver(), Webhook(SECRET)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            webhook.verify(body, dict(self.headers))
            with made.arrived:
                status = made.answer(made.requests)
                made.requests += 1
                if status is not None and status < 300:
                    made.accepted.append((self.headers["webhook-id"], json.loads(body)))
                made.arrived.notify_all()
            if status is None:
                time.sleep(2)
                return
            with contextlib.suppress(ConnectionError):  # the sender was killed
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
