"""`atlas-stage client …` and `atlas-stage queue`: list, move, flag and import clients; read and undo their history."""

from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import typer

from atlas_stage.cli import base, tables
from atlas_stage.cli.base import CLIENT, REASON, Exit, How, Session, argument, command, option, switch
from atlas_stage.cli.rendering import columns, console, error_lines, listed, make_table
from atlas_stage.models import Change

clients = base.group("client", "List clients, move and flag them, undo changes.")


class Filters:
    """Which clients."""

    stage: str | None = option("In this stage.", "STAGE")
    flag: str | None = option("With this flag.", "FLAG")
    owner: str | None = option("With this owner.", "ACTOR")
    age_days_gt: int | None = option("For more days in the stage.", "DAYS", "--older-than")
    stuck: bool | None = option("Longer in the stage than allowed.", None, "--stuck/--not-stuck")
    service_tier: str | None = option("With this service tier.", "TIER", "--tier")
    search: str | None = option("Part of a name or slug.")
    after: int | None = option("Only ids above this one.", "ID")


class Fields:
    """The other fields of a client."""

    owner: str | None = option("Owner, such as user:ana", "ACTOR")
    collaborators: list[str] | None = option("Repeat for each.", "ACTOR", "--collaborator")
    notes: str | None = option("Notes on its stage.")
    tier: str | None = option("Service tier.", "TIER")
    cadence: str | None = option("How often its books are closed.", "CADENCE")
    schedule: str | None = option("How often its sales tax is filed.", "SCHEDULE")
    reviewers: list[str] | None = option("Repeat for each.", "ACTOR", "--reviewer")
    active: bool | None = option("Inactive clients can't move.", None, "--active/--inactive")


class Why:
    """Why the change is made; it can be left out."""

    reason: str | None = base.WHY


FLAG = argument("The flag.", "FLAG")
VERSION = option("Fail if the client isn't at this version.", "N")


@command(clients, "list", Filters)
def list_clients(
    run: Session,
    inactive: bool = switch("Inactive clients only."),
    everyone: bool = switch("Inactive clients too.", "--all"),
    limit: int = base.limit(100),
    **filters: Any,
) -> None:
    """List the clients that match every filter."""
    found = run.api.iter_clients(active=None if everyone else not inactive, **filters)
    page = list(islice(found, limit))
    more = f"--after {page[-1].id}" if next(found, None) is not None else None
    run.records("clients", page, tables.CLIENTS, more, timed=False)


@command(clients)
def show(run: Session, client: str = CLIENT) -> None:
    """Show a client and its latest change."""
    view = run.api.client(client)
    latest = [view.history] if view.history else []
    run.output.result(
        view,
        lambda: make_table(("field", "value"), vars(view.client).items(), zone=run.zone),
        lambda: make_table(tables.HISTORY, latest, title="latest change", zone=run.zone),
    )


@command(clients, None, Fields, Why, How)
def create(
    run: Session,
    name: str = argument("Name."),
    slug: str = argument("Short unique name"),
    stage: str | None = option("First stage.", "STAGE"),
    **options: Any,
) -> None:
    """Add a client."""
    change = run.api.create_client(name, slug, stage=stage, **options)
    made = change.client
    _show_change(run, change, f"client {made.id}, {made.name}: starts in {made.stage}")


@command(clients, None, Fields, Why, How)
def update(
    run: Session,
    client: str = CLIENT,
    expected_version: int | None = VERSION,
    clear: list[str] | None = option("Empty owner, collaborators, notes or reviewers. Repeat for each."),
    **options: Any,
) -> None:
    """Change a client's fields. Fields that aren't given stay as they are."""
    options |= {"clear": clear, "expected_version": expected_version}
    _show_change(run, run.api.update_client(client, **options))


@command(clients)
def delete(run: Session, client: str = CLIENT, reason: str = REASON) -> None:
    """Delete a client that was created by mistake. If a client leaves, move it to offboarding instead."""
    gone = run.api.delete_client(client, reason=reason)
    run.output.result(gone, f"client {gone.client_id}, {gone.name}: deleted")


@command(clients)
def erase_words(run: Session, client: str = CLIENT, reason: str = REASON, yes: bool = switch("Don't ask.")) -> None:
    """Permanently erase a client's reasons, payloads and notes. The changes themselves are kept."""
    if not yes:
        name = run.api.client(client).client.name
        base.confirm(run, f"Erase what people wrote about {name}? It can't be undone.")
    erased = run.api.erase_words(client, reason=reason)
    run.output.result(erased, f"client {erased.client_id}: erased the words of {erased.rows} rows")


@command(clients, None, How)
def move(
    run: Session,
    client: str = CLIENT,
    stage: str = argument("The stage to move it to.", "STAGE"),
    reason: str = REASON,
    expected_version: int | None = VERSION,
    override: bool = switch("As an admin, allow any move."),
    close_period: str | None = option("The month of the close that the move opens.", "YYYY-MM"),
    dry_run: bool = switch("Only check the move."),
    **options: Any,
) -> None:
    """Move a client to another stage."""
    if dry_run and override:
        raise typer.BadParameter("Use --dry-run without --override.")
    found = run.api.client(client).client
    if dry_run:
        check = run.api.check_stage(found.id, to_stage=stage, on_behalf_of=options.get("on_behalf_of"))
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
    options |= {"override": override or None, "close_period": close_period}
    _show_change(run, run.api.set_stage(found, stage, reason, expected_version, **options))


@command(clients, "flag", Why, How)
def set_flag(run: Session, client: str = CLIENT, flag: str = FLAG, **options: Any) -> None:
    """Set a flag on a client."""
    _show_change(run, run.api.set_flag(client, flag, **options))


@command(clients, "unflag", Why, How)
def clear_flag(run: Session, client: str = CLIENT, flag: str = FLAG, **options: Any) -> None:
    """Clear a flag on a client."""
    _show_change(run, run.api.clear_flag(client, flag, **options))


@command(clients)
def history(run: Session, client: str = CLIENT, limit: int = base.limit(20)) -> None:
    """Show a client's latest changes, oldest first."""
    rows = list(islice(run.api.iter_history(client), limit))[::-1]
    run.records("history", rows, tables.HISTORY)


@command(clients)
def rollback(
    run: Session,
    client: str = CLIENT,
    history_id: int = argument("The change's id in `client history`.", "ID"),
    reason: str = REASON,
    external_id: str | None = base.KEY,
) -> None:
    """Undo a change. The undo is recorded too."""
    _show_change(run, run.api.rollback(client, history_id, reason, external_id=external_id))


@command(clients)
def undo(
    run: Session,
    client: str = CLIENT,
    reason: str = REASON,
    external_id: str | None = base.KEY,
    on_behalf_of: str | None = base.ON_BEHALF_OF,
) -> None:
    """Undo your own newest change of a client, within the minutes in the settings."""
    found = run.api.client(client).client
    options: dict[str, Any] = {"external_id": external_id, "on_behalf_of": on_behalf_of}
    _show_change(run, run.api.undo(found, found.version, reason=reason or None, **options))


@command(clients)
def undo_batch(
    run: Session,
    batch: UUID = argument("The batch in the changes' history."),
    reason: str = REASON,
    admin: bool = switch("As an admin, undo another actor's batch, at any time."),
) -> None:
    """Undo all changes of one bulk change. Changes that later changes depend on are listed and kept."""
    api = run.api
    done = api.rollback_batch(str(batch), reason) if admin else api.undo_batch(str(batch), reason=reason or None)
    run.output.result(done, done.in_words())


def _show_change(run: Session, change: Change, said: str = "") -> None:
    client, row = change.client, change.history
    what = tables.change_of(row) if change.changed and row is not None else "no change needed"
    said = said or f"{client.name}: {what} (version {client.version})"
    run.output.result(change, said + (" [replayed]" if change.replayed else ""))


@command(clients, "import")
def import_clients(
    run: Session,
    file: Path = argument("A CSV file or a workbook (.xlsx, .xls).", "FILE"),
    apply: bool = switch("Import all rows or none. Without it: a dry run."),
    reason: str = option("Why, for the history.", default="seed huddle"),
    encoding: str | None = option("Encoding of a CSV file; detected if omitted."),
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
        report = importer.run(
            run.transactional_api,
            read.rows,
            reason=reason,
            apply=apply,
            on_row=lambda _: bar.advance(task),
        )
    shown = columns(
        "row client outcome what",
        what=lambda each: each.error or "; ".join((*each.changes, *each.warnings)),
    )
    refused = report.count("refused")
    counts = ", ".join(f"{report.count(each)} {each}" for each in importer.OUTCOMES)
    end = "applied" if report.applied else "nothing was changed"
    if not report.rows:
        end = "the file has no rows"
    elif refused:
        end += ". Correct the refused rows first"
    elif not apply:
        end += ". Repeat with --apply"
    run.output.result(report, make_table(shown, report.rows), f"{counts}: {end}")
    raise typer.Exit(Exit.REFUSED if refused else Exit.DONE)


@command(base.app)
def queue(
    run: Session,
    actor: str | None = argument("Whose queue; yours if omitted.", "[ACTOR]", default=None),
    limit: int = base.limit(100),
) -> None:
    """Show what to do next and why, most urgent first."""
    run.records("queue", run.api.queue(actor, page_size=limit).items, tables.QUEUE, none="nothing to do")
