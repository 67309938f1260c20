"""`atlas-stage client …` and `atlas-stage queue`: list, move and flag clients; read and undo their history."""

from collections.abc import Callable
from itertools import islice
from typing import Annotated, Any

import typer

from atlas_stage.cli import tables
from atlas_stage.cli.base import (
    HOW,
    ClientName,
    Exit,
    Limit,
    Options,
    Reason,
    Session,
    app,
    argument,
    command,
    option,
)
from atlas_stage.cli.rendering import error_lines, listed
from atlas_stage.models import Change
from atlas_stage.stage import Stage

clients = typer.Typer(no_args_is_help=True, help="List clients, move and flag them, undo changes.")
app.add_typer(clients, name="client")

FILTERS: Options = {
    "stage": option("In this stage."),
    "flag": option("With this flag."),
    "owner": option("With this owner."),
    "age_days_gt": option("For more days in the stage.", "--older-than", kind=int, metavar="DAYS"),
    "stuck": option("Longer in the stage than allowed.", "--stuck/--not-stuck", kind=bool),
    "service_tier": option("With this service tier.", "--tier"),
    "search": option("Part of a name or slug."),
    "after": option("Ids above this.", kind=int, metavar="ID"),
}
_ACTORS: dict[str, Any] = {"kind": list[str], "metavar": "ACTOR"}
FIELDS: Options = {
    "owner": option("Owner, such as user:ana"),
    "collaborators": option("Repeat for each.", "--collaborator", **_ACTORS),
    "notes": option("Notes on its stage."),
    "tier": option("Service tier."),
    "cadence": option("How often its books are closed."),
    "schedule": option("How often its sales tax is filed."),
    "reviewers": option("Repeat for each.", "--reviewer", **_ACTORS),
    "active": option("Inactive clients can't move.", "--active/--inactive", kind=bool),
}
WHY: Options = {"reason": option("Why, for the history.")}
Version = Annotated[
    int | None, typer.Option(metavar="N", help="Fail if the client isn't at this version.")
]


@command(clients, "list", FILTERS)
def list_clients(
    run: Session,
    inactive: Annotated[bool, typer.Option("--inactive", help="Inactive clients only.")] = False,
    everyone: Annotated[bool, typer.Option("--all", help="Inactive clients too.")] = False,
    limit: Limit = 100,
    **filters: Any,
) -> None:
    """List the clients that match every filter."""
    found = run.api.iter_clients(active=None if everyone else not inactive, **filters)
    page = list(islice(found, limit))
    more = f"--after {page[-1].id}" if next(found, None) is not None else None
    run.output.records("clients", page, lambda: tables.clients(page), more)


@command(clients)
def show(run: Session, client: ClientName) -> None:
    """Show a client and its latest change."""
    view = run.api.client(client)
    latest = [view.history] if view.history else []
    run.output.result(
        view,
        lambda: tables.client(view.client, run.zone),
        lambda: tables.history(latest, run.zone, "latest change"),
    )


@command(clients, None, FIELDS, WHY, HOW)
def create(
    run: Session,
    name: Annotated[str, typer.Argument(help="Name.")],
    slug: Annotated[str, typer.Argument(help="Short unique name")],
    stage: Annotated[str | None, typer.Option(help="First stage.")] = None,
    **options: Any,
) -> None:
    """Add a client."""
    change = run.api.create_client(name, slug=slug, stage=stage, **options)
    made = change.client
    said = f"client {made.id}, {made.name}: starts in {made.stage}"
    run.output.result(change, said + _replayed(change))


@command(clients, None, FIELDS, WHY, HOW)
def update(
    run: Session,
    client: ClientName,
    expected_version: Version = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(help="Empty owner, collaborators, notes or reviewers. Repeat for each."),
    ] = None,
    **options: Any,
) -> None:
    """Change a client's fields. Fields that aren't given stay as they are."""
    options |= {"clear": clear, "expected_version": expected_version}
    _show_change(run, run.api.update_client(client, **options))


@command(clients)
def delete(run: Session, client: ClientName, reason: Reason = "") -> None:
    """Delete a client that was created by mistake. If a client leaves, move it to offboarding instead."""
    gone = run.api.delete_client(client, reason=reason)
    run.output.result(gone, f"client {gone.client_id}, {gone.name}: deleted")


@command(clients, "erase-words")
def erase_words(run: Session, client: ClientName, reason: Reason = "") -> None:
    """Permanently erase a client's reasons, payloads and notes. The changes themselves are kept."""
    erased = run.api.erase_words(client, reason=reason)
    run.output.result(erased, f"client {erased.client_id}: erased the words of {erased.rows} rows")


@command(clients, None, HOW)
def move(
    run: Session,
    client: ClientName,
    stage: Annotated[str, typer.Argument(help="The stage to move it to.")],
    reason: Reason = "",
    expected_version: Version = None,
    override: Annotated[bool, typer.Option("--override", help="An admin: any move.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the move.")] = False,
    **options: Any,
) -> None:
    """Move a client to another stage."""
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
    @command(clients, name, WHY, HOW, words=words)
    def change(
        run: Session,
        client: ClientName,
        flag: Annotated[str, typer.Argument(help="The flag.")],
        **options: Any,
    ) -> None:
        _show_change(run, call(run.api, client, flag=flag, **options))


_flag_command("flag", "Set a flag on a client.", Stage.set_flag)
_flag_command("unflag", "Clear a flag on a client.", Stage.clear_flag)


@command(clients)
def history(run: Session, client: ClientName, limit: Limit = 20) -> None:
    """Show a client's latest changes, oldest first."""
    rows = list(islice(run.api.iter_history(client), limit))[::-1]
    run.output.records("history", rows, lambda: tables.history(rows, run.zone))


@command(clients, external_id=HOW["external_id"])
def rollback(
    run: Session,
    client: ClientName,
    history_id: Annotated[int, typer.Argument(help="The change's id in `client history`.")],
    reason: Reason = "",
    **options: Any,
) -> None:
    """Undo a change. The undo is recorded too."""
    _show_change(run, run.api.rollback(client, history_id=history_id, reason=reason, **options))


def _show_change(run: Session, change: Change) -> None:
    client, row = change.client, change.history
    what = tables.change_of(row) if change.changed and row is not None else "no change needed"
    said = f"{client.name}: {what} (version {client.version})"
    run.output.result(change, said + _replayed(change))


def _replayed(change: Change) -> str:
    return " [replayed]" if change.replayed else ""


@command(app, actor=argument("Whose queue; yours if omitted.", "ACTOR"))
def queue(run: Session, actor: str | None, limit: Limit = 100) -> None:
    """Show what to do next and why, most urgent first."""
    items = run.api.queue(actor, page_size=limit).items
    run.output.records("queue", items, lambda: tables.queue(items, run.zone))
