"""`atlas-stage token …`, `permission …` and `audit`: tokens, grants, and who changed them."""

import hashlib
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from atlas_stage.cli.base import ActorId, Context, Limit, SomeActor, session
from atlas_stage.cli.rendering import moment
from atlas_stage.cli.tables import administration_table, permissions_table, tokens_table
from atlas_stage.errors import InvalidInput
from atlas_stage.models import PermissionChange

tokens = typer.Typer(no_args_is_help=True, help="Issue, list and revoke tokens for HTTP.")
permissions = typer.Typer(no_args_is_help=True, help="Grant, list and revoke permissions.")

LEGACY_VARIABLE = "ATLAS_INGEST_TOKEN"


@tokens.command("issue")
def issue_token(
    ctx: Context,
    actor: ActorId,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    days: Annotated[int | None, typer.Option(help="Expires after this many days.")] = None,
    never_expires: Annotated[bool, typer.Option("--never-expires")] = False,
) -> None:
    """Issue a token. It is shown once, alone on stdout."""
    run = session(ctx)
    try:
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    except OverflowError as error:
        raise InvalidInput(f"{days} days is too many. Use --never-expires.") from error
    issued = run.api.issue_token(
        actor,
        description=description,
        expires_at=expires_at,
        never_expires=never_expires or None,
    )
    until = f"until {moment(issued.expires_at, run.zone)} ({run.zone})"
    until = until if issued.expires_at else "without an expiry"
    run.output.aside(f"token {issued.id} for {issued.actor_id}, {until}. It is shown only once:")
    run.output.result(issued, issued.token)


@tokens.command("list")
def list_tokens(ctx: Context, actor: SomeActor = None) -> None:
    """List tokens, including expired and revoked ones."""
    run = session(ctx)
    found = list(run.api.iter_tokens(actor))
    run.output.records("tokens", found, lambda: tokens_table(found, run.zone))


@tokens.command("revoke")
def revoke_token(
    ctx: Context, token: Annotated[str, typer.Argument(help="Its id in `token list`.")]
) -> None:
    """Revoke a token, effective immediately."""
    run = session(ctx)
    revoked = run.api.revoke_token(token)
    run.output.result(revoked, f"token {revoked.id} of {revoked.actor_id} is revoked")


@tokens.command("adopt-legacy")
def adopt_legacy(ctx: Context) -> None:
    """Keep accepting the old shared token, as system:legacy.

    It is read from ATLAS_INGEST_TOKEN or standard input. Only its SHA-256 is sent to the database.
    """
    run = session(ctx)
    secret = os.environ.get(LEGACY_VARIABLE)
    if not secret and sys.stdin.isatty():
        secret = typer.prompt("the shared token", hide_input=True)
    secret = secret or sys.stdin.read().strip()
    if not secret:
        raise InvalidInput(f"There is no token in {LEGACY_VARIABLE} or on standard input.")
    adopted = run.api.adopt_legacy_token(hashlib.sha256(secret.encode()).hexdigest())
    run.output.result(adopted, f"token {adopted.id} now works as {adopted.actor_id}")


@permissions.command("grant")
def grant(
    ctx: Context,
    actor: ActorId,
    permission: Annotated[str, typer.Argument(help="can_set_stage, can_set_flag, …")],
    scope: Annotated[
        str | None,
        typer.Option(metavar="JSON", help='Limits, such as {"flags": ["advisory_due"]}'),
    ] = None,
    notes: Annotated[str | None, typer.Option(help="Notes for the record.")] = None,
) -> None:
    """Grant a permission."""
    run = session(ctx)
    try:
        limits: Any = None if scope is None else json.loads(scope)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"--scope must be JSON: {error}") from error
    change = run.api.grant_permission(actor, permission=permission, scope=limits, notes=notes)
    run.output.result(change, _said(change, "granted to"))


@permissions.command("list")
def list_permissions(
    ctx: Context,
    actor: SomeActor = None,
    everything: Annotated[bool, typer.Option("--all", help="Revoked grants too.")] = False,
) -> None:
    """List grants: who can do what."""
    run = session(ctx)
    found = list(run.api.iter_permissions(actor, include_revoked=everything or None))
    run.output.records("permissions", found, lambda: permissions_table(found, run.zone))


@permissions.command("revoke")
def revoke(
    ctx: Context,
    permission_id: Annotated[
        int, typer.Argument(metavar="ID", help="Its id in `permission list`.")
    ],
) -> None:
    """Revoke a grant."""
    run = session(ctx)
    change = run.api.revoke_permission(permission_id)
    run.output.result(change, _said(change, "revoked from"))


def audit(
    ctx: Context,
    about: Annotated[
        str | None,
        typer.Argument(metavar="[TABLE]", help="Only this table: agent_permissions, stages, …"),
    ] = None,
    actor: Annotated[str | None, typer.Option("--by", help="Only this actor's changes.")] = None,
    before: Annotated[int | None, typer.Option(help="Only records before this id.")] = None,
    limit: Limit = 20,
) -> None:
    """Show who changed grants, tokens, settings and rules, newest first."""
    run = session(ctx)
    page = run.api.administration(about, actor_id=actor, before_id=before, page_size=limit)
    more = f"--before {page.next_before_id}" if page.next_before_id is not None else None
    run.output.records(
        "records", page.records, lambda: administration_table(page.records, run.zone), more
    )


def _said(change: PermissionChange, what: str) -> str:
    row = change.permission
    unchanged = "" if change.changed else " (no change needed)"
    return f"{row.permission} {what} {row.actor_id}, grant {row.id}{unchanged}"
