"""`atlas-stage actor …`, `token …`, `permission …` and `audit`: people, tokens, grants, and who changed them."""

import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any

import typer

from atlas_stage.cli import base, tables
from atlas_stage.cli.base import Session, argument, command, option
from atlas_stage.cli.rendering import listed, moment
from atlas_stage.errors import InvalidInput
from atlas_stage.models import PermissionChange, RoleChange

actors = base.group("actor", "Invite people, give them roles, let them leave.")
tokens = base.group("token", "Issue, list and revoke tokens for HTTP.")
permissions = base.group("permission", "Grant, list and revoke permissions.")

ONLY_ACTOR = argument("Only this actor's.", "[ACTOR]", default=None)


@command(actors, "list")
def list_actors(run: Session) -> None:
    """List people and agents: their roles, clients and tokens."""
    run.records("people", run.api.people().people, tables.PEOPLE)


@command(actors)
def invite(
    run: Session,
    actor: str = base.ACTOR,
    role: str | None = option("Also give this role.", "ROLE"),
    days: int | None = option("How long the token is valid (365)."),
    board: str | None = option("The board's address.", envvar="ATLAS_BOARD_URL"),
) -> None:
    """Print a link that signs a person in once, within an hour."""
    made = run.api.invite(actor, role=role, token_days=days)
    run.output.aside(f"for {made.actor_id}, once, until {moment(made.expires_at, run.zone)}:")
    address = (board or (f"{run.url}/board" if run.url else "")).rstrip("/")
    run.output.result(made, f"{address}/#invite={made.invite}" if address else made.invite)


@command(actors)
def role(
    run: Session,
    actor: str = base.ACTOR,
    role: str = argument("viewer, bookkeeper, reviewer or admin.", "ROLE"),
) -> None:
    """Give a role's permissions, and no others."""
    change = run.api.set_role(actor, role)
    held = listed(change.permissions) or "only reads"
    run.output.result(change, _said(change, f"{actor} is {role}: {held}"))


@command(actors)
def hand_over(
    run: Session,
    actor: str = base.ACTOR,
    to: str = option("Who takes over.", "ACTOR", default=...),
    reason: str = base.REASON,
) -> None:
    """Hand over what someone owns, collaborates on and reviews."""
    done = run.api.hand_over(actor, to, reason)
    run.output.result(done, done.in_words())


@command(actors)
def cover(
    run: Session,
    actor: str = base.ACTOR,
    to: str = option("Who covers.", "ACTOR", default=...),
    until: date = option("The day on which the clients are given back.", default=...),
    reason: str = base.REASON,
) -> None:
    """Hand over someone's clients until a day, on which they are given back."""
    done = run.api.hand_over(actor, to, reason, until=str(until))
    cover = f", cover {done.cover_id} until {until}" if done.cover_id else ""
    run.output.result(done, f"{done.in_words()}{cover}")


@command(actors, "covers")
def list_covers(run: Session) -> None:
    """List who covers for whom, and until when."""
    run.records("covers", run.api.covers().covers, tables.COVERS, timed=False)


@command(actors)
def end_cover(
    run: Session,
    cover: int = argument("Its id in `actor covers`.", "ID"),
    until: date | None = option("Another day to end on; if omitted, it ends now."),
    reason: str | None = base.WHY,
) -> None:
    """End a cover now and give the clients back, or move its day."""
    ended = run.api.set_cover(cover, until=str(until) if until else None, reason=reason)
    text = f"cover {cover} is until {ended.until}" if ended.until else ended.in_words()
    run.output.result(ended, text)


@command(actors)
def leave(
    run: Session,
    actor: str = base.ACTOR,
    to: str | None = option("Who takes over their clients.", "ACTOR"),
    reason: str = base.REASON,
) -> None:
    """Revoke all grants and tokens, and hand over the clients."""
    left = run.api.leave(actor, reason, to_actor_id=to)
    clients = f"; {left.handed_over.in_words()}" if left.handed_over else ""
    revoked = f"{left.permissions} grants and {left.tokens} tokens revoked"
    run.output.result(left, f"{actor}: {revoked}{clients}")


@command(tokens, "issue")
def issue_token(
    run: Session,
    actor: str = base.ACTOR,
    description: str | None = option("What it is for."),
    days: int | None = option("Expires after this many days."),
    never_expires: bool | None = option(""),
) -> None:
    """Issue a token. It is shown once, alone on stdout."""
    try:
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    except OverflowError as error:
        raise InvalidInput(f"{days} days is too many. Use --never-expires.") from error
    issued = run.api.issue_token(actor, description=description, expires_at=expires_at, never_expires=never_expires)
    until = f"until {moment(issued.expires_at, run.zone)} ({run.zone})" if issued.expires_at else "without an expiry"
    run.output.aside(f"token {issued.id} for {issued.actor_id}, {until}. It is shown only once:")
    run.output.result(issued, issued.token)


@command(tokens, "list")
def list_tokens(run: Session, actor: str | None = ONLY_ACTOR) -> None:
    """List tokens, including expired and revoked ones."""
    run.records("tokens", list(run.api.iter_tokens(actor)), tables.TOKENS)


@command(tokens, "revoke")
def revoke_token(run: Session, token: str = argument("Its id in `token list`.")) -> None:
    """Revoke a token, effective immediately."""
    revoked = run.api.revoke_token(token)
    run.output.result(revoked, f"token {revoked.id} of {revoked.actor_id} is revoked")


@command(tokens)
def adopt_legacy(run: Session) -> None:
    """Keep accepting the old shared token, as system:legacy.

    It is read from ATLAS_INGEST_TOKEN or standard input. Only its SHA-256 is sent to the database.
    """
    from atlas_stage.ops.deploy.shared_token import VARIABLE, adopt

    secret = os.environ.get(VARIABLE)
    if not secret and sys.stdin.isatty():
        secret = typer.prompt("the shared token", hide_input=True)
    secret = secret or sys.stdin.read().strip()
    if not secret:
        raise InvalidInput(f"There is no token in {VARIABLE} or on standard input.")
    adopted = adopt(run.api, secret)
    run.output.result(adopted, f"token {adopted.id} now works as {adopted.actor_id}")


@command(permissions)
def grant(
    run: Session,
    actor: str = base.ACTOR,
    permission: str = argument("can_set_stage, can_set_flag, …"),
    scope: str | None = option('Limits, such as {"flags": ["advisory_due"]}', "JSON"),
    notes: str | None = option("Notes for the record."),
) -> None:
    """Grant a permission."""
    try:
        limits: Any = None if scope is None else json.loads(scope)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"--scope must be JSON: {error}") from error
    change = run.api.grant_permission(actor, permission=permission, scope=limits, notes=notes)
    row = change.permission
    what = f"{row.permission} granted to {row.actor_id}, grant {row.id}"
    run.output.result(change, _said(change, what))


@command(permissions, "list")
def list_permissions(
    run: Session,
    actor: str | None = ONLY_ACTOR,
    everything: bool | None = option("Revoked grants too.", None, "--all"),
) -> None:
    """List grants: who can do what."""
    found = list(run.api.iter_permissions(actor, include_revoked=everything))
    run.records("permissions", found, tables.PERMISSIONS)


@command(permissions)
def revoke(run: Session, permission_id: int = argument("Its id in `permission list`.", "ID")) -> None:
    """Revoke a grant."""
    change = run.api.revoke_permission(permission_id)
    row = change.permission
    what = f"{row.permission} revoked from {row.actor_id}, grant {row.id}"
    run.output.result(change, _said(change, what))


@command(base.app)
def audit(
    run: Session,
    about: str | None = argument("Only this table: agent_permissions, stages, …", "[TABLE]", default=None),
    actor: str | None = option("Only this actor's changes.", None, "--by"),
    before: int | None = option("Only records before this id."),
    limit: int = base.limit(20),
) -> None:
    """Show who changed grants, tokens, settings and rules, newest first."""
    page = run.api.administration(about, actor_id=actor, before_id=before, page_size=limit)
    more = f"--before {page.next['before_id']}" if page.next else None
    run.records("records", page.items, tables.ADMINISTRATION, more)


def _said(change: PermissionChange | RoleChange, what: str) -> str:
    return what if change.changed else f"{what} (no change needed)"
