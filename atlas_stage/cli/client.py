"""`atlas-stage client …` and `atlas-stage queue`: list, move, flag and import clients; read and undo their history."""

from itertools import islice
from pathlib import Path
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
    completes,
    option,
)
from atlas_stage.cli.rendering import columns, console, error_lines, listed, make_table
from atlas_stage.models import Change

clients = typer.Typer(no_args_is_help=True, help="List clients, move and flag them, undo changes.")
app.add_typer(clients, name="client")

FILTERS: Options = {
    "stage": option("In this stage.", **completes("STAGE")),
    "flag": option("With this flag.", **completes("FLAG")),
    "owner": option("With this owner.", **completes("ACTOR")),
    "age_days_gt": option("For more days in the stage.", "--older-than", kind=int, metavar="DAYS"),
    "stuck": option("Longer in the stage than allowed.", "--stuck/--not-stuck", kind=bool),
    "service_tier": option("With this service tier.", "--tier", **completes("TIER")),
    "search": option("Part of a name or slug."),
    "after": option("Only ids above this one.", kind=int, metavar="ID"),
}
_ACTORS: dict[str, Any] = {"kind": list[str], **completes("ACTOR")}
FIELDS: Options = {
    "owner": option("Owner, such as user:ana", **completes("ACTOR")),
    "collaborators": option("Repeat for each.", "--collaborator", **_ACTORS),
    "notes": option("Notes on its stage."),
    "tier": option("Service tier.", **completes("TIER")),
    "cadence": option("How often its books are closed.", **completes("CADENCE")),
    "schedule": option("How often its sales tax is filed.", **completes("SCHEDULE")),
    "reviewers": option("Repeat for each.", "--reviewer", **_ACTORS),
    "active": option("Inactive clients can't move.", "--active/--inactive", kind=bool),
}
Flag = Annotated[str, typer.Argument(help="The flag.", **completes("FLAG"))]
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
    stage: Annotated[str | None, typer.Option(help="First stage.", **completes("STAGE"))] = None,
    **options: Any,
) -> None:
    """Add a client."""
    change = run.api.create_client(name, slug, stage=stage, **options)
    made = change.client
    _show_change(run, change, f"client {made.id}, {made.name}: starts in {made.stage}")


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
def erase_words(
    run: Session,
    client: ClientName,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Permanently erase a client's reasons, payloads and notes. The changes themselves are kept."""
    if not yes:
        name = run.api.client(client).client.name
        typer.confirm(f"Erase what people wrote about {name}? It can't be undone.", abort=True)
    erased = run.api.erase_words(client, reason=reason)
    run.output.result(erased, f"client {erased.client_id}: erased the words of {erased.rows} rows")


@command(clients, None, HOW)
def move(
    run: Session,
    client: ClientName,
    stage: Annotated[str, typer.Argument(help="The stage to move it to.", **completes("STAGE"))],
    reason: Reason = "",
    expected_version: Version = None,
    override: Annotated[
        bool, typer.Option("--override", help="As an admin, allow any move.")
    ] = False,
    close_period: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="The month of the close that the move opens."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the move.")] = False,
    **options: Any,
) -> None:
    """Move a client to another stage."""
    if dry_run and override:
        raise typer.BadParameter("Use --dry-run without --override.")
    found = run.api.client(client).client
    if dry_run:
        check = run.api.check_stage(
            found.id, to_stage=stage, on_behalf_of=options.get("on_behalf_of")
        )
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
    options["override"] = override or None
    options["close_period"] = close_period
    _show_change(run, run.api.set_stage(found, stage, reason, expected_version, **options))


@command(clients, "flag", WHY, HOW)
def set_flag(run: Session, client: ClientName, flag: Flag, **options: Any) -> None:
    """Set a flag on a client."""
    _show_change(run, run.api.set_flag(client, flag, **options))


@command(clients, "unflag", WHY, HOW)
def clear_flag(run: Session, client: ClientName, flag: Flag, **options: Any) -> None:
    """Clear a flag on a client."""
    _show_change(run, run.api.clear_flag(client, flag, **options))


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


@command(clients, external_id=HOW["external_id"], on_behalf_of=HOW["on_behalf_of"])
def undo(run: Session, client: ClientName, reason: Reason = "", **options: Any) -> None:
    """Undo your own newest change of a client, within the minutes in the settings."""
    found = run.api.client(client).client
    _show_change(run, run.api.undo(found, found.version, reason=reason or None, **options))


@command(clients)
def undo_batch(
    run: Session,
    batch: Annotated[str, typer.Argument(help="The batch in the changes' history.")],
    reason: Reason = "",
    admin: Annotated[
        bool, typer.Option("--admin", help="As an admin, undo another actor's batch, at any time.")
    ] = False,
) -> None:
    """Undo all changes of one bulk change. Changes that later changes depend on are listed and kept."""
    done = (
        run.api.rollback_batch(batch, reason)
        if admin
        else run.api.undo_batch(batch, reason=reason or None)
    )
    run.output.result(done, done.in_words())


def _show_change(run: Session, change: Change, said: str = "") -> None:
    client, row = change.client, change.history
    what = tables.change_of(row) if change.changed and row is not None else "no change needed"
    said = said or f"{client.name}: {what} (version {client.version})"
    run.output.result(change, said + (" [replayed]" if change.replayed else ""))


@command(clients, "import")
def import_clients(
    run: Session,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file or a workbook (.xlsx, .xls).")
    ],
    apply: Annotated[
        bool, typer.Option("--apply", help="Import all rows or none. Without it: a dry run.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "seed huddle",
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of a CSV file; detected if omitted.")
    ] = None,
) -> None:
    """Import clients from a file: your own, or a client list of QuickBooks, Xero, Karbon or Double as it is.

    Columns: client (id or slug of one you have), or name (adds those you don't have) and perhaps slug; then any of
    stage, owner, collaborators, cadence, schedule, tier, reviewers, flags, active, notes. Other columns are ignored.
    Stages and people can be written as the board shows them: EOM close, Ana. An empty cell changes nothing, "-" empties
    the field. Lists are separated by ";". In flags, "x" sets the flag, "-x" clears it. Moves are an admin's override.
    """
    from rich.progress import Progress

    from atlas_stage.ops import importer, seedfile

    read = seedfile.read(file, encoding)
    for each in read.noticed:
        run.output.aside(each)
    stderr = console(stderr=True)
    with Progress(console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task("importing" if apply else "dry run", total=len(read.rows))

        def advance(_: object) -> None:
            bar.advance(task)

        report = importer.run(
            run.transactional_api, read.rows, reason=reason, apply=apply, on_row=advance
        )
    shown = columns(
        "row client outcome what",
        what=lambda each: each.error or "; ".join((*each.changes, *each.warnings)),
    )
    refused = report.count("refused")
    counts = ", ".join(f"{report.count(each)} {each}" for each in importer.OUTCOMES)
    end = "applied" if report.applied else "nothing was changed"
    if refused:
        end += ". Correct the refused rows first"
    elif not apply:
        end += ". Repeat with --apply"
    run.output.result(report, make_table(shown, report.rows), f"{counts}: {end}")
    raise typer.Exit(Exit.REFUSED if refused else Exit.DONE)


@command(app, actor=argument("Whose queue; yours if omitted.", "ACTOR"))
def queue(run: Session, actor: str | None, limit: Limit = 100) -> None:
    """Show what to do next and why, most urgent first."""
    items = run.api.queue(actor, page_size=limit).items
    run.output.records("queue", items, lambda: tables.queue(items, run.zone))
