"""A receiver of notices: a small HTTP server that verifies each with the library of Standard Webhooks."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ....").decode()


# Forks a watch for each line of its input: the imports of a new process would take most of the test.
LAUNCHER = """
import os, sys
from pathlib import Path
import atlas_stage.transports.sync_http
from atlas_stage import Stage
from atlas_stage.ops.notices import Watch

for _ in sys.stdin:
    pid = os.fork()
    if pid == 0:
        with Stage.connect() as stage:
            Watch(stage, sys.argv[1], sys.argv[2], Path(sys.argv[3])).run(every=0.02)
    print(pid, flush=True)
    os.waitpid(pid, 0)
"""


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

    def versions(self) -> dict[int, list[int]]:
        """The versions of each client, in the order of their first arrival."""
        found: dict[int, list[int]] = {}
        for notice in self.notices:
            if (change := notice["data"].get("change")) is not None:
                found.setdefault(change["client_id"], []).append(change["version"])
        return found

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


@contextlib.contextmanager
def launched(url: str, token: str, hook: Receiver, file: Path) -> Iterator[Callable[[], int]]:
    """Starts a watch with each call; returns its pid, for killing it."""
    line = [sys.executable, "-c", LAUNCHER, hook.url, SECRET, str(file)]
    environment = os.environ | {"ATLAS_URL": url, "ATLAS_TOKEN": token}
    with subprocess.Popen(line, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        commands, pids = process.stdin, process.stdout
        assert commands is not None
        assert pids is not None

        def start() -> int:
            print("go", file=commands, flush=True)
            return int(pids.readline())

        yield start
        commands.close()
