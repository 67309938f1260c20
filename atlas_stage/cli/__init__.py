"""The command line `atlas-stage`."""

from typing import Annotated

import typer

from atlas_stage import __version__, connecting
from atlas_stage.cli import (  # noqa: F401 (each adds its commands)
    access,
    client,
    deploy,
    job,
    mcp,
    report,
    serve,
    settings,
    verify,
    watch,
)
from atlas_stage.cli.base import Session, app
from atlas_stage.cli.rendering import Output
from atlas_stage.errors import InvalidInput


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"atlas-stage {__version__}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    database: Annotated[
        str | None, typer.Option("--database", envvar="ATLAS_DATABASE_URL", help="Database URL.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar=connecting.URL,
            help="URL of the HTTP API, instead of a database. The token comes from ATLAS_TOKEN.",
        ),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            "--as", envvar="ATLAS_ACTOR", metavar="ACTOR", help="Act as, such as user:ana."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    version: Annotated[  # noqa: ARG001 (its callback ends the program)
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Read the global options, which can also follow the command."""
    sources = {name: ctx.get_parameter_source(name) for name in ("database", "url", "actor")}
    given = frozenset(name for name, at in sources.items() if at and at.name == "COMMANDLINE")
    if "url" in given and len(given) > 1:
        raise InvalidInput(
            "Use --url alone, or --database and --as. Over HTTP the token says who you are."
        )
    over_http = "url" in given or (not given and connecting.http_is_named())
    api = url if over_http else None
    ctx.obj = Session(database, actor, Output(as_json=as_json), api, given, ctx.with_resource)


__all__ = ["app"]
