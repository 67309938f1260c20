"""The command line `atlas-stage`."""

from typing import Annotated

import typer

from atlas_stage import connecting
from atlas_stage.cli import access, client, deploy, job, settings
from atlas_stage.cli.base import EXIT_CODES, Commands, Session
from atlas_stage.cli.doctor import doctor
from atlas_stage.cli.importing import import_clients
from atlas_stage.cli.prune import prune
from atlas_stage.cli.rendering import Output
from atlas_stage.cli.report import report
from atlas_stage.cli.schedule import schedule
from atlas_stage.cli.serve import serve
from atlas_stage.cli.verify import verify
from atlas_stage.errors import InvalidInput

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
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


app.add_typer(deploy.app, name="migrate")
app.command()(serve)
app.add_typer(client.app, name="client")
client.app.command("import")(import_clients)
app.command("queue")(client.show_queue)
app.command()(report)
app.add_typer(access.tokens, name="token")
app.add_typer(access.permissions, name="permission")
app.add_typer(job.app, name="job")
app.add_typer(settings.settings, name="settings")
app.add_typer(settings.calendar, name="calendar")
app.command()(schedule)
app.command()(doctor)
app.command()(access.audit)
app.command()(prune)
app.command()(verify)

__all__ = ["app"]
