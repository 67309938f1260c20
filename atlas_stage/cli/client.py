"""`atlas-stage client …` and `atlas-stage queue`: list, move and flag clients; read and undo their history."""

from collections.abc import Callable
from itertools import islice
from typing import Annotated, Any

import typer

from atlas_stage.cli.base import (
    HOW,
    ClientName,
    Context,
    Exit,
    ExternalId,
    Limit,
    Options,
    Reason,
    Session,
    session,
    with_options,
)
from atlas_stage.cli.rendering import error_lines, listed
from atlas_stage.cli.tables import (
    change_of,
    client_table,
    clients_table,
    history_table,
    queue_table,
)
from atlas_stage.models import Change
from atlas_stage.stage import Stage

app = typer.Typer(no_args_is_help=True, help="List clients, move and flag them, undo changes.")

SomeReason = Annotated[str | None, typer.Option(help="Why, for the history.")]
Version = Annotated[
    int | None, typer.Option(metavar="N", help="Fail if the client isn't at this version.")
]
_REPEAT = "Repeat for each actor."
FIELDS: Options = {
    "owner": Annotated[str | None, typer.Option(help="Owner, such as user:ana")],
    "collaborators": Annotated[
        list[str] | None, typer.Option("--collaborator", metavar="ACTOR", help=_REPEAT)
    ],
    "notes": Annotated[str | None, typer.Option(help="Notes on its stage.")],
    "tier": Annotated[str | None, typer.Option(help="Service tier.")],
    "cadence": Annotated[str | None, typer.Option(help="monthly, quarterly, annual or none.")],
    "schedule": Annotated[str | None, typer.Option(help="Sales tax: as for --cadence.")],
    "reviewers": Annotated[
        list[str] | None, typer.Option("--reviewer", metavar="ACTOR", help=_REPEAT)
    ],
    "active": Annotated[
        bool | None, typer.Option("--active/--inactive", help="Inactive clients can't move.")
    ],
}


@app.command("list")
def list_clients(
    ctx: Context,
    stage: Annotated[str | None, typer.Option(help="In this stage.")] = None,
    flag: Annotated[str | None, typer.Option(help="With this flag.")] = None,
    owner: Annotated[str | None, typer.Option(help="With this owner.")] = None,
    older_than: Annotated[
        int | None, typer.Option(metavar="DAYS", help="In the stage for more than this.")
    ] = None,
    stuck: Annotated[bool | None, typer.Option("--stuck/--not-stuck")] = None,
    tier: Annotated[str | None, typer.Option(help="With this service tier.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of a name or slug.")] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Inactive clients only.")] = False,
    everyone: Annotated[bool, typer.Option("--all", help="Inactive clients too.")] = False,
    after: Annotated[int | None, typer.Option(metavar="ID", help="Ids above this.")] = None,
    limit: Limit = 100,
) -> None:
    """List the clients that match every filter."""
    run = session(ctx)
    found = run.api.iter_clients(
        stage,
        flag=flag,
        owner=owner,
        age_days_gt=older_than,
        stuck=stuck,
        service_tier=tier,
        search=search,
        active=None if everyone else not inactive,
        after=after,
    )
    clients = list(islice(found, limit))
    more = f"--after {clients[-1].id}" if next(found, None) is not None else None
    run.output.records("clients", clients, lambda: clients_table(clients), more)


@app.command()
def show(ctx: Context, client: ClientName) -> None:
    """Show a client and its latest change."""
    run = session(ctx)
    view = run.api.client(client)
    run.output.result(
        view,
        *([] if run.output.as_json else [client_table(view.client, run.zone)]),
        *([history_table([view.history], run.zone, "latest change")] if view.history else []),
    )


@app.command()
@with_options(FIELDS, HOW)
def create(
    ctx: Context,
    name: Annotated[str, typer.Argument(help="Name.")],
    slug: Annotated[str, typer.Argument(help="Short unique name")],
    stage: Annotated[str | None, typer.Option(help="First stage.")] = None,
    reason: SomeReason = None,
    **options: Any,
) -> None:
    """Add a client."""
    run = session(ctx)
    change = run.api.create_client(name, slug=slug, stage=stage, reason=reason, **options)
    made = change.client
    said = f"client {made.id}, {made.name}: starts in {made.stage}"
    run.output.result(change, said + _replayed(change))


@app.command()
@with_options(FIELDS, HOW)
def update(
    ctx: Context,
    client: ClientName,
    clear: Annotated[
        list[str] | None,
        typer.Option(help="Empty owner, collaborators, notes or reviewers. Repeat for each."),
    ] = None,
    reason: SomeReason = None,
    expected_version: Version = None,
    **options: Any,
) -> None:
    """Change a client's fields. Fields that aren't given stay as they are."""
    run = session(ctx)
    change = run.api.update_client(
        client, clear=clear, reason=reason, expected_version=expected_version, **options
    )
    _show_change(run, change)


@app.command()
def delete(ctx: Context, client: ClientName, reason: Reason = "") -> None:
    """Delete a client that was created by mistake. If a client leaves, move it to offboarding instead."""
    run = session(ctx)
    gone = run.api.delete_client(client, reason=reason)
    run.output.result(gone, f"client {gone.client_id}, {gone.name}: deleted")


@app.command("erase-words")
def erase_words(ctx: Context, client: ClientName, reason: Reason = "") -> None:
    """Permanently erase a client's reasons, payloads and notes. The changes themselves are kept."""
    run = session(ctx)
    erased = run.api.erase_words(client, reason=reason)
    run.output.result(erased, f"client {erased.client_id}: erased the words of {erased.rows} rows")


@app.command()
@with_options(HOW)
def move(
    ctx: Context,
    client: ClientName,
    stage: Annotated[str, typer.Argument(help="The stage to move it to.")],
    reason: Reason = "",
    expected_version: Version = None,
    override: Annotated[
        bool, typer.Option("--override", help="Make any move. For admins.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show whether the move is allowed.")
    ] = False,
    **options: Any,
) -> None:
    """Move a client to another stage."""
    run = session(ctx)
    if dry_run and override:
        raise typer.BadParameter("Use --dry-run without --override.")
    found = run.api.client(client).client
    if dry_run:
        check = run.api.check_stage(found.id, to_stage=stage)
        refused = [line for each in check.refusals for line in error_lines(each.as_error())]
        can = "can" if check.allowed else "can't"
        run.output.result(
            check,
            f"{found.name} {can} move from {found.stage} to {stage}{':' if refused else ''}",
            *(f"  {line}" for line in refused),
            f"allowed from here: {listed(check.allowed_stages) or 'nothing'}",
        )
        raise typer.Exit(Exit.DONE if check.allowed else Exit.REFUSED)
    if expected_version is None:
        run.output.aside(f"{found.name} is in {found.stage}, version {found.version} (read now)")
        expected_version = found.version
    change = run.api.set_stage(
        found.id,
        to_stage=stage,
        reason=reason,
        expected_version=expected_version,
        override=override or None,
        **options,
    )
    _show_change(run, change)


def _flag_command(name: str, words: str, call: Callable[..., Change]) -> None:
    @app.command(name, help=words)
    @with_options(HOW)
    def command(
        ctx: Context,
        client: ClientName,
        flag: Annotated[str, typer.Argument(help="The flag.")],
        reason: SomeReason = None,
        **options: Any,
    ) -> None:
        run = session(ctx)
        _show_change(run, call(run.api, client, flag=flag, reason=reason, **options))


_flag_command("flag", "Set a flag on a client.", Stage.set_flag)
_flag_command("unflag", "Clear a flag on a client.", Stage.clear_flag)


@app.command()
def history(ctx: Context, client: ClientName, limit: Limit = 20) -> None:
    """Show a client's latest changes, oldest first."""
    run = session(ctx)
    rows = list(islice(run.api.iter_history(client), limit))[::-1]
    run.output.records("history", rows, lambda: history_table(rows, run.zone))


@app.command()
def rollback(
    ctx: Context,
    client: ClientName,
    history_id: Annotated[int, typer.Argument(help="The change's id in `client history`.")],
    reason: Reason = "",
    external_id: ExternalId = None,
) -> None:
    """Undo a change. The undo is recorded too."""
    run = session(ctx)
    change = run.api.rollback(client, history_id=history_id, reason=reason, external_id=external_id)
    _show_change(run, change)


def _show_change(run: Session, change: Change) -> None:
    client, row = change.client, change.history
    what = change_of(row) if change.changed and row is not None else "no change needed"
    run.output.result(
        change, f"{client.name}: {what} (version {client.version}){_replayed(change)}"
    )


def _replayed(change: Change) -> str:
    return " [replayed]" if change.replayed else ""


def show_queue(
    ctx: Context,
    actor: Annotated[
        str | None, typer.Argument(metavar="[ACTOR]", help="Whose queue; yours if omitted.")
    ] = None,
    limit: Limit = 100,
) -> None:
    """Show what to do next and why, most urgent first."""
    run = session(ctx)
    items = run.api.queue(actor, page_size=limit)
    run.output.records("queue", items, lambda: queue_table(items, run.zone))
