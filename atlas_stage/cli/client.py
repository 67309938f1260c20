"""`atlas-stage client …`: look at clients, move and flag them, read and undo their history; `atlas-stage queue`."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Annotated, Any

import typer

from atlas_stage.cli.base import ClientName, Exit, Reason, Session, session
from atlas_stage.cli.rendering import error_lines, listed
from atlas_stage.cli.tables import (
    change_of,
    client_table,
    clients_table,
    history_table,
    queue_table,
)
from atlas_stage.models import Change, Client
from atlas_stage.stage import Stage

app = typer.Typer(no_args_is_help=True, help="Look at clients, move and flag them, undo changes.")

OnBehalfOf = Annotated[str | None, typer.Option(help="For whom (recorded; gives no right).")]
TriggeredBy = Annotated[str | None, typer.Option(help="The event that led to it.")]
Channel = Annotated[str | None, typer.Option(help="slack, nlp_relay or event_webhook.")]
ExternalId = Annotated[
    str | None, typer.Option(help="A key that makes the command safe to repeat.")
]


@app.command("list")
def list_clients(
    ctx: typer.Context,
    stage: Annotated[str | None, typer.Option(help="In this stage.")] = None,
    flag: Annotated[str | None, typer.Option(help="With this flag.")] = None,
    owner: Annotated[str | None, typer.Option(help="Of this owner.")] = None,
    older_than: Annotated[
        int | None, typer.Option(metavar="DAYS", help="More whole days than this in the stage.")
    ] = None,
    stuck: Annotated[bool | None, typer.Option("--stuck/--not-stuck")] = None,
    tier: Annotated[str | None, typer.Option(help="Of this service tier.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of a name or slug.")] = None,
    inactive: Annotated[bool, typer.Option("--inactive", help="Only inactive ones.")] = False,
    everyone: Annotated[bool, typer.Option("--all", help="Inactive ones too.")] = False,
    after: Annotated[int | None, typer.Option(metavar="ID", help="Only ids above this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
) -> None:
    """List clients; filters add up."""
    run = session(ctx)
    with run.stage() as api:
        found = api.iter_clients(
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
        more = next(found, None) is not None
    run.output.records("clients", clients, lambda: clients_table(clients))
    if more:
        run.output.aside(f"there are more: repeat with --after {clients[-1].id}")


@app.command()
def show(ctx: typer.Context, client: ClientName) -> None:
    """Show everything about a client, and its latest change."""
    run = session(ctx)
    with run.stage() as api:
        view = api.client(client)
        if run.output.as_json:
            run.output.json(view)
            return
        zone = run.zone(api)
    run.output.console.print(client_table(view.client, zone))
    if view.history:
        run.output.console.print(history_table([view.history], zone, "latest change"))


Owner = Annotated[str | None, typer.Option(help="Whose it is: user:…, agent:…")]
Notes = Annotated[str | None, typer.Option(help="About its stage.")]
Tier = Annotated[str | None, typer.Option(help="Its service tier.")]
Cadence = Annotated[str | None, typer.Option(help="How often its books are closed.")]
Schedule = Annotated[str | None, typer.Option(help="How often its sales tax is filed.")]
Active = Annotated[
    bool | None, typer.Option("--active/--inactive", help="An inactive one does not move.")
]
_EACH = "Give it once for each."
Collaborators = Annotated[
    list[str] | None, typer.Option("--collaborator", metavar="ACTOR", help=_EACH)
]
Reviewers = Annotated[list[str] | None, typer.Option("--reviewer", metavar="ACTOR", help=_EACH)]


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a command, whose locals these are, was given for the method of the same arguments."""
    return {name: each for name, each in arguments.items() if name not in {"ctx", "client", "call"}}


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name.")],
    slug: Annotated[str, typer.Argument(help="Its short name; no other client has it.")],
    stage: Annotated[str | None, typer.Option(help="Where it begins.")] = None,
    owner: Owner = None,
    collaborators: Collaborators = None,
    notes: Notes = None,
    tier: Tier = None,
    cadence: Cadence = None,
    schedule: Schedule = None,
    reviewers: Reviewers = None,
    active: Active = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the history.")] = None,
    triggered_by: TriggeredBy = None,
    on_behalf_of: OnBehalfOf = None,
    channel: Channel = None,
    external_id: ExternalId = None,
) -> None:
    """Take on a client."""
    given = _given(locals())
    run = session(ctx)
    with run.stage() as api:
        change = api.create_client(**given)
    said = f"client {change.client.id}, {change.client.name}: starts in {change.client.stage}"
    run.output.result(change, said + (" [replayed]" if change.replayed else ""))


@app.command()
def update(
    ctx: typer.Context,
    client: ClientName,
    owner: Owner = None,
    collaborators: Collaborators = None,
    notes: Notes = None,
    tier: Tier = None,
    cadence: Cadence = None,
    schedule: Schedule = None,
    reviewers: Reviewers = None,
    active: Active = None,
    clear: Annotated[
        list[str] | None,
        typer.Option(help="Empty it: owner, collaborators, notes or reviewers. Once for each."),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the history.")] = None,
    expected_version: Annotated[
        int | None, typer.Option(metavar="N", help="Only if it is still at this version.")
    ] = None,
    triggered_by: TriggeredBy = None,
    on_behalf_of: OnBehalfOf = None,
    channel: Channel = None,
    external_id: ExternalId = None,
) -> None:
    """Change fields of a client; what is not given stays."""
    given = _given(locals())
    run = session(ctx)
    with run.stage() as api:
        change = api.update_client(client, **given)
    _show_change(run, change)


@app.command()
def delete(ctx: typer.Context, client: ClientName, reason: Reason = "") -> None:
    """Take out a client that was made by mistake. One that leaves the firm goes to offboarding."""
    run = session(ctx)
    with run.stage() as api:
        gone = api.delete_client(client, reason=reason)
    run.output.result(gone, f"client {gone.client_id}, {gone.name}: taken out")


@app.command("erase-words")
def erase_words(ctx: typer.Context, client: ClientName, reason: Reason = "") -> None:
    """Erase, for good, what people wrote about a client: reasons, payloads, notes. What was done stays."""
    run = session(ctx)
    with run.stage() as api:
        erased = api.erase_words(client, reason=reason)
    run.output.result(erased, f"client {erased.client_id}: words of {erased.rows} rows are erased")


@app.command()
def move(
    ctx: typer.Context,
    client: ClientName,
    stage: Annotated[str, typer.Argument(help="The stage to move it to.")],
    reason: Reason = "",
    expected_version: Annotated[
        int | None,
        typer.Option(metavar="N", help="The version you have seen; without it, the present one."),
    ] = None,
    override: Annotated[
        bool, typer.Option("--override", help="As an admin: any move, whatever the table says.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say whether the move would be allowed.")
    ] = False,
    triggered_by: TriggeredBy = None,
    on_behalf_of: OnBehalfOf = None,
    channel: Channel = None,
    external_id: ExternalId = None,
) -> None:
    """Move a client to another stage."""
    run = session(ctx)
    if dry_run and override:
        raise typer.BadParameter("--dry-run says what is allowed without --override")
    with run.stage() as api:
        found = api.client(client).client
        if dry_run:
            _dry_run(run, api, found, stage)
            return
        if expected_version is None:
            run.output.aside(
                f"{found.name} is in {found.stage}, version {found.version} (read now)"
            )
        change = api.set_stage(
            found.id,
            to_stage=stage,
            reason=reason,
            expected_version=found.version if expected_version is None else expected_version,
            override=override or None,
            triggered_by=triggered_by,
            on_behalf_of=on_behalf_of,
            channel=channel,
            external_id=external_id,
        )
    _show_change(run, change)


def _dry_run(run: Session, api: Stage, client: Client, stage: str) -> None:
    check = api.check_stage(client.id, to_stage=stage)
    may = "may" if check.allowed else "may not"
    refused = [line for each in check.refusals for line in error_lines(each.as_error())]
    run.output.result(
        check,
        f"{client.name} {may} move from {client.stage} to {stage}{':' if refused else ''}",
        *(f"  {line}" for line in refused),
        f"allowed from here: {listed(check.allowed_stages) or 'nothing'}",
    )
    raise typer.Exit(Exit.DONE if check.allowed else Exit.REFUSED)


def _flag_command(name: str, words: str, call: Callable[..., Change]) -> None:
    @app.command(name, help=words)
    def command(
        ctx: typer.Context,
        client: ClientName,
        flag: Annotated[str, typer.Argument(help="The flag.")],
        reason: Annotated[str | None, typer.Option(help="Why, for the history.")] = None,
        triggered_by: TriggeredBy = None,
        on_behalf_of: OnBehalfOf = None,
        channel: Channel = None,
        external_id: ExternalId = None,
    ) -> None:
        given = _given(locals())
        run = session(ctx)
        with run.stage() as api:
            change = call(api, client, **given)
        _show_change(run, change)


_flag_command("flag", "Set a flag on a client.", Stage.set_flag)
_flag_command("unflag", "Clear a flag of a client.", Stage.clear_flag)


@app.command()
def history(
    ctx: typer.Context,
    client: ClientName,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the latest.")] = 20,
) -> None:
    """Show a client's history, oldest first."""
    run = session(ctx)
    with run.stage() as api:
        found = api.iter_history(client)
        rows = list(islice(found, limit))[::-1]
        run.output.records("history", rows, lambda: history_table(rows, run.zone(api)))


@app.command()
def rollback(
    ctx: typer.Context,
    client: ClientName,
    history_id: Annotated[int, typer.Argument(help="The id of the history row to undo.")],
    reason: Reason = "",
    external_id: ExternalId = None,
) -> None:
    """Undo a recorded change; the undoing is recorded too."""
    run = session(ctx)
    with run.stage() as api:
        change = api.rollback(
            client,
            history_id=history_id,
            reason=reason,
            external_id=external_id,
        )
    _show_change(run, change)


def _show_change(run: Session, change: Change) -> None:
    client, row = change.client, change.history
    if change.changed and row is not None:
        said = f"{client.name}: {change_of(row)} (version {client.version})"
    else:
        said = f"{client.name}: nothing to change (version {client.version})"
    run.output.result(change, said + (" [replayed]" if change.replayed else ""))


def show_queue(
    ctx: typer.Context,
    actor: Annotated[
        str | None, typer.Argument(metavar="[ACTOR]", help="Whose (default: your own).")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many.")] = None,
) -> None:
    """Show what to do next, most pressing first, and why."""
    run = session(ctx)
    with run.stage() as api:
        items = api.queue(actor, page_size=limit).items
        run.output.records("queue", items, lambda: queue_table(items, run.zone(api)))
