"""`atlas-stage serve`, for which `[local]` must be installed, `mcp`, for which `[mcp]` must, and `watch`."""

import os
from enum import StrEnum
from pathlib import Path

from atlas_stage import connecting
from atlas_stage.cli.base import Session, app, command, option, switch
from atlas_stage.errors import InvalidInput
from atlas_stage.stage import Stage

Program = StrEnum("Program", ["caddy", "nginx"])  # that can be the gateway


@command(app)
def serve(
    run: Session,
    data: Path = option("Folder of the embedded database.", default=Path(".atlas"), envvar="ATLAS_DATA"),
    port: int = option(
        "The API's port on this machine; 0: any.",
        default=8080,
        min=0,
        max=65535,
        envvar="ATLAS_PORT",
    ),
    listen: str | None = option(
        "The API's address, in place of --port; 0.0.0.0:8080: reachable from other machines.",
        "ADDRESS:PORT",
        envvar="ATLAS_LISTEN",
    ),
    gateway: Program = option(
        "The program in front of PostgREST.", default=Program.caddy, envvar="ATLAS_SERVE_GATEWAY"
    ),
    no_jobs: bool = switch("Leave the scheduled jobs to a scheduler."),
) -> None:
    """Start the embedded database, its HTTP API and its jobs; run until Ctrl-C.

    Writes DATA/env: after `set -a; . DATA/env`, other commands and curl find the API and the database.
    With --database URL, or ATLAS_SERVE_DATABASE_URL, starts only the API of that database, which must be migrated.
    It logs in there as atlas_authenticator, with the password in ATLAS_AUTHENTICATOR_PASSWORD.
    --gateway nginx needs pip install 'atlas-stage[nginx]', or an nginx on PATH.
    """
    from atlas_stage.local.serving import serve as serve_embedded, serve_before

    host, port = _address(listen) if listen is not None else ("127.0.0.1", port)
    # Not ATLAS_DATABASE_URL: DATA/env sets it, to the embedded database.
    database = run.database if "database" in run.given else os.environ.get("ATLAS_SERVE_DATABASE_URL")
    if database is None:
        serve_embedded(data, run.output.line, port, host, jobs=not no_jobs, program=gateway)
    else:
        serve_before(database, data / "gateway", host, port, run.output.line, gateway)


@command(app)
def mcp(
    run: Session,
    http: bool = switch("Serve streamable HTTP in place of stdio."),
    listen: str = option("Where --http listens.", "ADDRESS:PORT", default="127.0.0.1:8081"),
    name: list[str] | None = option("A host name by which clients reach it; repeatable.", "HOST"),
    on_behalf_of: str | None = option("Make every change for this person; no caller chooses.", "ACTOR"),
) -> None:
    """Serve agents over the Model Context Protocol.

    Over stdio it acts with ATLAS_TOKEN. Over HTTP each caller sends its own token as a bearer token.
    """
    # Over HTTP each caller sends its own token. The SDK takes seconds to load: whatever is missing is said first.
    url, token = connecting.address(run.url, "none" if http else None)
    host, port = _address(listen)
    from atlas_stage.mcp import server

    if not http:
        server.serve_stdio(url, token, on_behalf_of)
        return
    run.output.aside(f"MCP at http://{listen}/mcp")
    server.serve_http(url, host, port, name or [], on_behalf_of)


def _address(listen: str) -> tuple[str, int]:
    """The host and port of ADDRESS:PORT; without a host, all of this machine's addresses. Raises InvalidInput."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise InvalidInput(f"Can't read --listen {listen}. Use ADDRESS:PORT, such as 0.0.0.0:8080.")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 (requested)


class Watched:
    """The filters of the notices to post."""

    kind: list[str] | None = option("Only these: sign_off_wanted, sent_back, late, job_failed …")
    stage: list[str] | None = option("Only clients in these stages.", "STAGE")
    owner: list[str] | None = option("Only clients of these owners.", "ACTOR")


@command(app, None, Watched)
def watch(
    run: Session,
    post: str = option("Where to post.", "URL", default=..., envvar="ATLAS_WEBHOOK_URL"),
    state: Path = option("Where it stopped, and what is to be sent.", "FILE", default=Path("atlas-watch.json")),
    every: float = option("How often to look for something new.", "SECONDS", default=5, min=0.1, max=86_400),
    digest: str | None = option("daily: one message per person, at 7 in the morning."),
    once: bool | None = option("Post what there is, and end."),
    **only: list[str] | None,
) -> None:
    """Post every change, and what is late or wrong, to a webhook: at least once, in order.

    It needs ATLAS_URL, ATLAS_TOKEN and ATLAS_WEBHOOK_SECRET. The first start begins with what happens from then on.
    """
    from atlas_stage.ops import notices

    secret = os.environ.get(notices.SECRET, "")
    api = run.keep(Stage.connect(url=connecting.address(run.url, None)[0]))
    words = {name: each or () for name, each in only.items()}
    watching = notices.Watch(api, post, secret, state, only=words, digest=digest, tell=run.output.aside)
    watching.run(every=every, once=bool(once))
