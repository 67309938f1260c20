"""The command line `atlas-stage`."""

from typing import Annotated

import typer

from atlas_stage import __version__, connecting
from atlas_stage.cli import access, client, deploy, job, settings
from atlas_stage.cli.base import EXIT_CODES, Commands, Session, is_on_the_line
from atlas_stage.cli.doctor import doctor, prune
from atlas_stage.cli.importing import import_clients
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
    help="A bookkeeping firm's clients: which stage each is in, who can move it, and who did.",
)


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
    given = {name for name in ("database", "url", "actor") if is_on_the_line(ctx, name)}
    if "url" in given and len(given) > 1:
        raise InvalidInput(
            "Use --url alone, or --database and --as. Over HTTP the token says who you are."
        )
    over_http = "url" in given or (not given and connecting.http_is_named())
    ctx.obj = Session(
        database,
        actor,
        Output(as_json=as_json),
        url if over_http else None,
        "url" in given,
        ctx.call_on_close,
    )


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
