"""The whole demo: a server, the API before it, the play, and where to look afterwards."""

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from atlas_stage.local.demo import play
from atlas_stage.local.demo.cast import ADMIN
from atlas_stage.local.demo.screen import Screen
from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.local.serving.gateway import gateway
from atlas_stage.ops.deploy import migrate
from atlas_stage.stage import Stage


def run(data: Path, console: Console) -> None:
    """Play on an embedded PostgreSQL in `data`; nothing is left running."""
    screen = Screen(console)
    screen.say(f"Starting PostgreSQL, PostgREST and Caddy on {data} …")
    with ExitStack() as parts:
        # It ends as by Ctrl-C, so that nothing is left running.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        parts.callback(signal.signal, signal.SIGTERM, before)
        server = parts.enter_context(EmbeddedPostgres(data, report=screen.say))
        migrate(server.dsn, report=screen.say)
        folder = server.data / "demo"  # not that of a server that may be running
        folder.mkdir(exist_ok=True)
        url = parts.enter_context(gateway(server.dsn, folder, 0, screen.say)).url
        screen.say(f"The API answers at {url}; each actor calls it with a token of its own.")
        desk = parts.enter_context(Stage.connect(server.dsn, ADMIN))
        play(desk, parts.enter_context(_tokens(desk, url)), screen)
    screen.console.print()
    screen.say("To look around in it: serve it, and in another terminal read its settings:", "bold")
    here = _program()
    screen.command(f"{here} serve --data {shlex.quote(str(data))}")
    screen.say("The board is at the address that it prints; sign in with ATLAS_TOKEN of", "bold")
    screen.command(str(data / "env"))
    screen.command(f"set -a; . {shlex.quote(str(data / 'env'))}; set +a; {here} client list")


@contextmanager
def _tokens(desk: Stage, url: str) -> Iterator[Callable[[str], Stage]]:
    """Gives an actor's stage over HTTP, by a token that is revoked at the end."""
    issued: list[str] = []

    def connect(actor: str) -> Stage:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        token = desk.issue_token(actor, description="the demo", expires_at=tomorrow)
        issued.append(token.id)
        return Stage.connect(url=url, token=token.token)

    try:
        yield connect
    finally:
        for token_id in issued:
            desk.revoke_token(token_id)


def _program() -> str:
    """This program as its user has called it."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "atlas-stage" else "atlas-stage"
