"""`atlas-stage token …`, `permission …` and `audit`: who may come in, what they may do, and who changed that."""

import hashlib
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from atlas_stage.cli.base import session
from atlas_stage.cli.rendering import moment
from atlas_stage.cli.tables import administration_table, permissions_table, tokens_table
from atlas_stage.errors import InvalidInput
from atlas_stage.models import PermissionChange

tokens = typer.Typer(no_args_is_help=True, help="Issue, list and revoke tokens for HTTP callers.")
permissions = typer.Typer(no_args_is_help=True, help="Grant, list and revoke permissions.")

ActorId = Annotated[str, typer.Argument(metavar="ACTOR", help="user:…, agent:… or system:…")]
SomeActor = Annotated[str | None, typer.Argument(metavar="[ACTOR]", help="Only of this actor.")]

LEGACY_VARIABLE = "ATLAS_INGEST_TOKEN"


@tokens.command("issue")
def issue_token(
    ctx: typer.Context,
    actor: ActorId,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    days: Annotated[int | None, typer.Option(help="It expires after so many days.")] = None,
    never_expires: Annotated[bool, typer.Option("--never-expires")] = False,
) -> None:
    """Issue a token. It is printed once, alone on stdout."""
    run = session(ctx)
    try:
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    except OverflowError as error:
        raise InvalidInput(
            "so many days lead out of the calendar", details={"days": days}
        ) from error
    with run.stage() as api:
        issued = api.issue_token(
            actor,
            description=description,
            expires_at=expires_at,
            never_expires=never_expires or None,
        )
        zone = run.zone(api)
    until = f"until {moment(issued.expires_at, zone)} ({zone})" if issued.expires_at else "for good"
    run.output.aside(f"token {issued.id} for {issued.actor_id}, {until}; it is not shown again:")
    run.output.result(issued, issued.token)


@tokens.command("list")
def list_tokens(ctx: typer.Context, actor: SomeActor = None) -> None:
    """List tokens, expired and revoked ones too."""
    run = session(ctx)
    with run.stage() as api:
        found = list(api.iter_tokens(actor))
        run.output.records("tokens", found, lambda: tokens_table(found, run.zone(api)))


@tokens.command("revoke")
def revoke_token(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(help="Its id: the first 12 characters in the list.")],
) -> None:
    """Revoke a token at once."""
    run = session(ctx)
    with run.stage() as api:
        revoked = api.revoke_token(token)
    run.output.result(revoked, f"token {revoked.id} of {revoked.actor_id} is revoked")


@tokens.command("adopt-legacy")
def adopt_legacy(ctx: typer.Context) -> None:
    """Let the shared token of old work on, as system:legacy.

    It is read from ATLAS_INGEST_TOKEN, else from standard input; only its SHA-256 goes to the database.
    """
    run = session(ctx)
    secret = os.environ.get(LEGACY_VARIABLE) or _from_stdin()
    if not secret:
        raise InvalidInput(f"there is no token in {LEGACY_VARIABLE} or on standard input")
    with run.stage() as api:
        adopted = api.adopt_legacy_token(hashlib.sha256(secret.encode()).hexdigest())
    run.output.result(adopted, f"token {adopted.id} now works as {adopted.actor_id}")


def _from_stdin() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("the shared token", hide_input=True))
    return sys.stdin.read().strip()


@permissions.command("grant")
def grant(
    ctx: typer.Context,
    actor: ActorId,
    permission: Annotated[str, typer.Argument(help="can_set_stage, can_set_flag, …")],
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="JSON", help='Where it holds, for example {"flags": ["advisory_due"]}'
        ),
    ] = None,
    notes: Annotated[str | None, typer.Option(help="For the record.")] = None,
) -> None:
    """Grant a permission."""
    run = session(ctx)
    with run.stage() as api:
        change = api.grant_permission(actor, permission=permission, scope=_json(scope), notes=notes)
    run.output.result(change, _said(change, "granted to"))


@permissions.command("list")
def list_permissions(
    ctx: typer.Context,
    actor: SomeActor = None,
    everything: Annotated[bool, typer.Option("--all", help="Revoked ones too.")] = False,
) -> None:
    """List who may do what."""
    run = session(ctx)
    with run.stage() as api:
        found = list(api.iter_permissions(actor, include_revoked=everything or None))
        run.output.records("permissions", found, lambda: permissions_table(found, run.zone(api)))


@permissions.command("revoke")
def revoke(
    ctx: typer.Context,
    permission_id: Annotated[int, typer.Argument(metavar="ID", help="The id in the list.")],
) -> None:
    """Revoke a grant."""
    run = session(ctx)
    with run.stage() as api:
        change = api.revoke_permission(permission_id)
    run.output.result(change, _said(change, "revoked from"))


def audit(
    ctx: typer.Context,
    about: Annotated[
        str | None,
        typer.Argument(metavar="[TABLE]", help="Only of this one: agent_permissions, stages, …"),
    ] = None,
    actor: Annotated[str | None, typer.Option("--by", help="Only what this actor did.")] = None,
    before: Annotated[int | None, typer.Option(help="Only what came before this id.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many (20).")] = None,
) -> None:
    """Show who changed grants, tokens, settings and rules, the newest first."""
    run = session(ctx)
    with run.stage() as api:
        page = api.administration(about, actor_id=actor, before_id=before, page_size=limit)
        run.output.records("records", page.items, lambda: administration_table(page, run.zone(api)))
    if page.next:
        run.output.aside(f"older ones: --before {page.next['before_id']}")


def _json(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("the scope must be JSON", details={"scope": text}) from error


def _said(change: PermissionChange, what: str) -> str:
    row = change.permission
    already = "" if change.changed else " (it was so already)"
    return f"{row.permission} {what} {row.actor_id}, grant {row.id}{already}"
