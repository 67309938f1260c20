"""`atlas-stage mcp`, for which `[mcp]` must be installed."""

from typing import Annotated

import typer

from atlas_stage import connecting
from atlas_stage.cli.base import Session, app, command
from atlas_stage.cli.serve import address


@command(app)
def mcp(
    run: Session,
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP in place of stdio.")
    ] = False,
    listen: Annotated[
        str, typer.Option(metavar="ADDRESS:PORT", help="Where --http listens.")
    ] = "127.0.0.1:8081",
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A host name by which clients reach it; repeatable."),
    ] = None,
    on_behalf_of: Annotated[
        str | None,
        typer.Option(metavar="ACTOR", help="Make every change for this person; no caller chooses."),
    ] = None,
) -> None:
    """Serve agents over the Model Context Protocol.

    Over stdio it acts with ATLAS_TOKEN. Over HTTP each caller sends its own token as a bearer token.
    """
    # Over HTTP each caller sends its own token. The SDK takes seconds to load: whatever is missing is said first.
    url, token = connecting.address(run.url, "none" if http else None)
    host, port = address(listen)
    from atlas_stage.mcp import server

    if not http:
        server.serve_stdio(url, token, on_behalf_of)
        return
    run.output.aside(f"MCP at http://{listen}/mcp")
    server.serve_http(url, host, port, name or [], on_behalf_of)
