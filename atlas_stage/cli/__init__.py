"""The command line `atlas-stage`."""

import importlib
import sys
from typing import Annotated, NoReturn

import typer

from atlas_stage import connecting
from atlas_stage.cli import access, client, deploy, job
from atlas_stage.cli.base import EXIT_CODES, Commands, Session
from atlas_stage.cli.doctor import doctor
from atlas_stage.cli.importing import import_clients
from atlas_stage.cli.queue import show_queue
from atlas_stage.cli.rendering import Output
from atlas_stage.errors import InvalidInput

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
    help="The stages of a bookkeeping firm's clients: who is where, who may move them, who did.",
)


@app.callback()
def main(
    ctx: typer.Context,
    database: Annotated[
        str | None,
        typer.Option("--database", envvar="ATLAS_DATABASE_URL", help="The database's URL."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            "--url",
            envvar=connecting.URL,
            help="The HTTP API's URL, in place of a database; its token is taken from ATLAS_TOKEN.",
        ),
    ] = None,
    actor: Annotated[
        str | None,
        typer.Option(
            "--as", envvar="ATLAS_ACTOR", metavar="ACTOR", help="Who acts, for example user:jimmie."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of tables.")] = False,
) -> None:
    """The global options; they may also stand after the command."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    given = {name for name in ("database", "url", "actor") if _is_on_the_line(ctx, name)}
    if "url" in given and len(given) > 1:
        raise InvalidInput("give --url, or --database and --as: over HTTP the token says who acts")
    over_http = "url" in given or (not given and connecting.http_is_named())
    ctx.obj = Session(
        database, actor, Output(as_json=as_json), url if over_http else None, "url" in given
    )


def _is_on_the_line(ctx: typer.Context, name: str) -> bool:
    """Whether an option is given, and not only its variable."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _plug_in_local(root: typer.Typer) -> None:
    """Add the commands of `[local]`; where it is not installed, what to install."""
    try:
        local = importlib.import_module("atlas_stage.local.commands")
    except ModuleNotFoundError as error:
        if str(error.name).startswith("atlas_stage"):
            raise
        anything = {"ignore_unknown_options": True, "allow_extra_args": True}
        for name in ("serve", "demo"):
            root.command(name, context_settings=anything)(_not_installed)
    else:
        root.command()(local.serve)
        root.command()(local.demo)


def _not_installed() -> NoReturn:
    """Not installed: pip install 'atlas-stage[local]'."""
    raise InvalidInput(
        "this command brings a server of its own, which is not installed",
        hint="pip install 'atlas-stage[local]'",
    )


app.command()(deploy.migrate)
_plug_in_local(app)
app.add_typer(client.app, name="client")
client.app.command("import")(import_clients)
app.command("queue")(show_queue)
app.add_typer(access.tokens, name="token")
app.add_typer(access.permissions, name="permission")
app.add_typer(job.app, name="job")
app.command()(doctor)

__all__ = ["app"]
