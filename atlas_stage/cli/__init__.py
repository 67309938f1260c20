"""The command line `atlas-stage`."""

import typer

from atlas_stage import __version__, connecting
from atlas_stage.cli import access, client, deploy, job, report, serve, settings, verify  # noqa: F401
from atlas_stage.cli.base import Session, app as app, option, switch
from atlas_stage.cli.rendering import Output
from atlas_stage.errors import InvalidInput


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"atlas-stage {__version__}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    database: str | None = option("Database URL.", envvar="ATLAS_DATABASE_URL"),
    url: str | None = option(
        "URL of the HTTP API, instead of a database. The token comes from ATLAS_TOKEN.",
        envvar=connecting.URL,
    ),
    actor: str | None = option("Act as, such as user:ana.", "ACTOR", "--as", envvar="ATLAS_ACTOR"),
    as_json: bool = switch("Print JSON instead of tables.", "--json"),
    version: bool = option(  # noqa: ARG001 (its callback ends the program)
        "Show the version.", None, "--version", default=False, callback=_show_version, is_eager=True
    ),
) -> None:
    """Read the global options, which can also follow the command."""
    sources = {name: ctx.get_parameter_source(name) for name in ("database", "url", "actor")}
    given = frozenset(name for name, at in sources.items() if at and at.name == "COMMANDLINE")
    if "url" in given and len(given) > 1:
        raise InvalidInput("Use --url alone, or --database and --as. Over HTTP the token says who you are.")
    over_http = "url" in given or (not given and connecting.http_is_named())
    api = url if over_http else None
    ctx.obj = Session(database, actor, Output(as_json=as_json), api, given, ctx.with_resource)
