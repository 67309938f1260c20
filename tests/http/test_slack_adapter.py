"""examples/slack_adapter.py before the real stack, through Bolt's own verification of signed requests.

Slack delivers an event again if it saw no acknowledgment. Whatever the order, and whatever crashed in between, the
person's intention is carried out once, and the person is told what happened.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from slack_sdk.signature import SignatureVerifier

from atlas_stage import Stage
from atlas_stage.errors import IdempotencyKeyReused
from tests.support.stack import Stack

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "the signing secret of the app"
ANA = "U0ANA"
_numbers = itertools.count(1)


@dataclass
class Slack:
    """Slack's side: what it was told, and whether it answers."""

    url: str = ""
    said: list[dict[str, Any]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, messages: int) -> list[str]:
        """The texts, as soon as there are this many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.said) >= messages, 30), self.said
            return [each["text"] for each in self.said]


@pytest.fixture
def slack() -> Iterator[Slack]:
    """A server in place of slack.com: it takes messages, and answers unless it is held."""
    made = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
            is_json = "json" in self.headers["Content-Type"]
            said = json.loads(raw) if is_json else dict(parse_qsl(raw))
            if self.path != "/auth.test":
                with made.arrived:
                    made.said.append(said)
                    made.arrived.notify_all()
                made.hold.wait()
            with contextlib.suppress(ConnectionError):
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                known = {"ok": True, "team_id": "T1", "user_id": "U1", "bot_id": "B1"}
                self.wfile.write(json.dumps(known).encode())

        def log_message(self, *_: object) -> None:
            pass

    made.hold.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    made.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


# As Bolt's own tests start an app: with an address of Slack's API, and without a look at the token.
START = """
import sys
from slack_sdk import WebClient
from atlas_stage import Stage
from slack_adapter import Adapter

Adapter(
    Stage.connect(), {"U0ANA": "user:ana"}, client=WebClient("xoxb-test", base_url=sys.argv[1]),
    signing_secret=sys.argv[2], token_verification_enabled=False,
).app.start(int(sys.argv[3]), http_server_logger_enabled=False)
"""


@dataclass
class Adapter:
    """The adapter as a separate process. `start` begins a new one, `kill` ends it as a crash does."""

    slack: Slack
    environment: dict[str, str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        line = [sys.executable, "-c", START, self.slack.url, SECRET, str(self.port)]
        self.process = subprocess.Popen(line, env=self.environment, stdout=subprocess.DEVNULL)
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise TimeoutError

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def send(self, body: str, content: str, secret: str = SECRET) -> httpx.Response:
        """A request as Slack signs it; it has to be acknowledged within 3 seconds."""
        stamp = str(int(time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
        headers = {
            "Content-Type": content,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature or "",
        }
        url = f"http://127.0.0.1:{self.port}/slack/events"
        return httpx.post(url, content=body, headers=headers, timeout=3, trust_env=False, verify=False)

    def mention(self, event: str, text: str, user: str = ANA, **more: Any) -> httpx.Response:
        """Deliver an event: `@atlas …`."""
        body = {
            "type": "event_callback",
            "team_id": "T1",
            "api_app_id": "A1",
            "event_id": event,
            "event": {
                "type": "app_mention",
                "user": user,
                "text": f"<@U1> {text}",
                "channel": "C1",
                "ts": "1.0",
            },
        }
        return self.send(json.dumps(body), "application/json", **more)

    def form(self, **fields: str) -> httpx.Response:
        return self.send(urlencode(fields), "application/x-www-form-urlencoded")


@pytest.fixture
def firm(running: Stack) -> Iterator[Stage]:
    with running.stage() as stage:
        yield stage


@pytest.fixture
def adapter(running: Stack, firm: Stage, slack: Slack) -> Iterator[Adapter]:
    """A running adapter whose agent may act for user:ana, who may move clients."""
    firm.grant_permission("user:ana", "can_set_stage")
    firm.grant_permission("agent:slack", "can_act_for", scope={"actors": ["user:ana"]})
    environment = os.environ | {
        "ATLAS_URL": running.url,
        "ATLAS_TOKEN": running.token("agent:slack"),
        "PYTHONPATH": str(EXAMPLES),
    }
    made = Adapter(slack, environment)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def client(firm: Stage) -> tuple[int, str]:
    slug = f"heron-{os.getpid()}-{next(_numbers)}"
    return firm.create_client("Blue Heron", slug, stage="weekly").client.id, slug


def moves(firm: Stage, client: int) -> list[str | None]:
    return [row.to_stage for row in firm.iter_history(client)][::-1][1:]


def event_id() -> str:
    return f"Ev{os.getpid()}{next(_numbers)}"


Deliveries = Callable[[Adapter, str, str, str], None]


@pytest.mark.parametrize(
    "order",
    [
        pytest.param("1122", marks=pytest.mark.slow),
        "1212",
        pytest.param("1221", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("crash_at", [None, 0, 1, 2, 3])
def test_each_event_delivered_twice_is_one_move_and_the_person_is_told_so(
    adapter: Adapter,
    slack: Slack,
    firm: Stage,
    client: tuple[int, str],
    order: str,
    crash_at: int | None,
) -> None:
    number, slug = client
    events = {each: event_id() for each in "12"}
    texts = {
        "1": f"move {slug} to EOM close: May is over",
        "2": f"move {slug} to EOM review: reconciled",
    }
    for nth, each in enumerate(order):
        before = len(slack.said)
        if nth == crash_at:
            slack.hold.clear()  # the move is made; the person's message is under way
        assert adapter.mention(events[each], texts[each]).status_code == 200
        slack.wait_for(before + 1)
        if nth == crash_at:
            adapter.kill()
            slack.hold.set()
            adapter.start()
    assert moves(firm, number) == ["eom_close", "eom_review"]
    told = slack.wait_for(4)
    expected = {
        "1": "Blue Heron is in eom_close, version 1.",
        "2": "Blue Heron is in eom_review, version 2.",
    }
    assert told == [expected[each] for each in order]
    row = firm.client(number).history
    assert row is not None
    assert (row.on_behalf_of, row.channel) == ("user:ana", "slack")


def test_a_crash_before_the_move_leaves_it_to_the_second_delivery(
    adapter: Adapter, slack: Slack, firm: Stage, client: tuple[int, str]
) -> None:
    number, slug = client
    event, text = event_id(), f"move {slug} to EOM close: May is over"
    adapter.mention(event, text)
    adapter.kill()  # perhaps before, perhaps after the move
    adapter.start()
    firm.set_flag(number, "advisory_due")  # a newer version meanwhile
    slack.said.clear()
    adapter.mention(event, text)
    (told,) = slack.wait_for(1)
    assert told.startswith("Blue Heron is in eom_close")
    assert [each for each in moves(firm, number) if each] == ["eom_close"]


def test_a_key_for_another_intention_says_what_it_was_used_for(
    adapter: Adapter, slack: Slack, firm: Stage, client: tuple[int, str]
) -> None:
    number, slug = client
    event = event_id()
    adapter.mention(event, f"move {slug} to EOM close: May is over")
    slack.wait_for(1)
    adapter.mention(event, f"move {slug} to cleanup: old books")
    told = slack.wait_for(2)
    assert "eom_close" in told[0]
    assert moves(firm, number) == ["eom_close"]
    with firm_as(adapter) as stage, pytest.raises(IdempotencyKeyReused) as refused:
        stage.set_flag(number, "advisory_due", external_id=f"slack-{event}")
    assert refused.value.details["first_used_for"]


def firm_as(adapter: Adapter) -> Stage:
    return Stage.connect(url=adapter.environment["ATLAS_URL"], token=adapter.environment["ATLAS_TOKEN"])


def test_a_button_has_the_version_that_the_person_saw(
    adapter: Adapter, slack: Slack, firm: Stage, client: tuple[int, str]
) -> None:
    number, slug = client
    respond = f"{slack.url}respond"
    command = {"command": "/client", "text": f"{slug} May is over", "user_id": ANA}
    shown = adapter.form(**command, team_id="T1", response_url=respond, trigger_id="1")
    assert shown.status_code == 200
    slack.wait_for(1)
    buttons = slack.said[0]["blocks"][1]["elements"]
    (button,) = (each for each in buttons if each["action_id"] == "move-eom_close")
    pressed = {
        "type": "block_actions",
        "user": {"id": ANA},
        "team": {"id": "T1"},
        "response_url": respond,
        "actions": [button | {"block_id": "b", "action_ts": "17.1"}],
    }
    firm.set_flag(number, "advisory_due")
    assert adapter.form(payload=json.dumps(pressed)).status_code == 200
    assert slack.wait_for(2)[1].startswith("Someone changed this client after you opened it.")
    assert "eom_close" not in moves(firm, number)


def test_strangers_and_refusals_are_answered_in_words(adapter: Adapter, slack: Slack, client: tuple[int, str]) -> None:
    _, slug = client
    text = f"move {slug} to EOM review: reconciled"
    assert adapter.mention(event_id(), text, secret="not ours").status_code == 401
    adapter.mention(event_id(), text, user="U0EVE")
    assert "I don't know <@U0EVE> yet" in slack.wait_for(1)[0]
    adapter.mention(event_id(), text)
    assert "Blue Heron is in Weekly. From there it can go to" in slack.wait_for(2)[1]
    adapter.mention(event_id(), "good morning")
    assert slack.wait_for(3)[2].startswith("Write: move blue-heron")
