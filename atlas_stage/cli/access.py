"""`atlas-stage token …`, `permission …` and `audit`: tokens, grants, and who changed them."""

import hashlib
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from atlas_stage.cli import tables
from atlas_stage.cli.base import (
    DAY,
    ActorId,
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
from atlas_stage.cli.rendering import listed, moment
from atlas_stage.errors import InvalidInput
from atlas_stage.models import PermissionChange

actors = typer.Typer(no_args_is_help=True, help="Invite people, give them roles, let them leave.")
tokens = typer.Typer(no_args_is_help=True, help="Issue, list and revoke tokens for HTTP.")
permissions = typer.Typer(no_args_is_help=True, help="Grant, list and revoke permissions.")
app.add_typer(actors, name="actor")
app.add_typer(tokens, name="token")
app.add_typer(permissions, name="permission")

ACTOR: Options = {"actor": argument("Only this actor's.", "ACTOR")}

LEGACY_VARIABLE = "ATLAS_INGEST_TOKEN"


@command(actors, "list")
def list_actors(run: Session) -> None:
    """List people and agents: their roles, clients and tokens."""
    found = run.api.people().people
    run.output.records("people", found, lambda: tables.people(found, run.zone))


@command(
    actors,
    role=option("Also give this role.", **completes("ROLE")),
    days=option("How long the token is valid (365).", kind=int),
    board=option("The board's address.", "--board", envvar="ATLAS_BOARD_URL"),
)
def invite(
    run: Session, actor: ActorId, role: str | None, days: int | None, board: str | None
) -> None:
    """Print a link that signs a person in once, within an hour."""
    made = run.api.invite(actor, role=role, token_days=days)
    run.output.aside(f"for {made.actor_id}, once, until {moment(made.expires_at, run.zone)}:")
    address = (board or (f"{run.url}/board" if run.url else "")).rstrip("/")
    run.output.result(made, f"{address}/#invite={made.invite}" if address else made.invite)


@command(actors)
def role(
    run: Session,
    actor: ActorId,
    role: Annotated[
        str, typer.Argument(help="viewer, bookkeeper, reviewer or admin.", **completes("ROLE"))
    ],
) -> None:
    """Give a role's permissions, and no others."""
    change = run.api.set_role(actor, role)
    unchanged = "" if change.changed else " (no change needed)"
    run.output.result(
        change, f"{actor} is {role}: {listed(change.permissions) or 'only reads'}{unchanged}"
    )


@command(actors, "hand-over")
def hand_over(
    run: Session,
    actor: ActorId,
    to: Annotated[str, typer.Option("--to", help="Who takes over.", **completes("ACTOR"))],
    reason: Reason = "",
) -> None:
    """Hand over what someone owns, collaborates on and reviews."""
    done = run.api.hand_over(actor, to, reason)
    run.output.result(done, done.in_words())


@command(actors)
def cover(
    run: Session,
    actor: ActorId,
    to: Annotated[str, typer.Option("--to", help="Who covers.", **completes("ACTOR"))],
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="2026-12-31")
    ],
    reason: Reason = "",
) -> None:
    """Hand over someone's clients until a day, on which they are given back."""
    done = run.api.hand_over(actor, to, reason, until=f"{until:%Y-%m-%d}")
    cover = f", cover {done.cover_id} until {until:%Y-%m-%d}" if done.cover_id else ""
    run.output.result(done, f"{done.in_words()}{cover}")


@command(actors, "covers")
def list_covers(run: Session) -> None:
    """List who covers for whom, and until when."""
    found = run.api.covers().covers
    run.output.records("covers", found, lambda: tables.covers(found))


@command(
    actors,
    "end-cover",
    until=option("Another day to end on; if omitted, it ends now.", **DAY),
    reason=option("Why, for the history."),
)
def end_cover(
    run: Session,
    cover: Annotated[int, typer.Argument(metavar="ID", help="Its id in `actor covers`.")],
    until: datetime | None,
    reason: str | None,
) -> None:
    """End a cover now and give the clients back, or move its day."""
    day = None if until is None else f"{until:%Y-%m-%d}"
    ended = run.api.set_cover(cover, until=day, reason=reason)
    text = f"cover {cover} is until {ended.until}" if ended.until else ended.in_words()
    run.output.result(ended, text)


@command(actors, to=option("Who takes over their clients.", "--to", **completes("ACTOR")))
def leave(run: Session, actor: ActorId, to: str | None, reason: Reason = "") -> None:
    """Revoke all grants and tokens, and hand over the clients."""
    left = run.api.leave(actor, reason, to_actor_id=to)
    clients = f"; {left.handed_over.in_words()}" if left.handed_over else ""
    run.output.result(
        left, f"{actor}: {left.permissions} grants and {left.tokens} tokens revoked{clients}"
    )


@command(
    tokens,
    "issue",
    description=option("What it is for."),
    days=option("Expires after this many days.", kind=int),
    never_expires=option("", "--never-expires", kind=bool),
)
def issue_token(run: Session, actor: ActorId, days: int | None, **options: Any) -> None:
    """Issue a token. It is shown once, alone on stdout."""
    try:
        expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    except OverflowError as error:
        raise InvalidInput(f"{days} days is too many. Use --never-expires.") from error
    issued = run.api.issue_token(actor, expires_at=expires_at, **options)
    until = f"until {moment(issued.expires_at, run.zone)} ({run.zone})"
    until = until if issued.expires_at else "without an expiry"
    run.output.aside(f"token {issued.id} for {issued.actor_id}, {until}. It is shown only once:")
    run.output.result(issued, issued.token)


@command(tokens, "list", ACTOR)
def list_tokens(run: Session, actor: str | None) -> None:
    """List tokens, including expired and revoked ones."""
    found = list(run.api.iter_tokens(actor))
    run.output.records("tokens", found, lambda: tables.tokens(found, run.zone))


@command(tokens, "revoke")
def revoke_token(
    run: Session, token: Annotated[str, typer.Argument(help="Its id in `token list`.")]
) -> None:
    """Revoke a token, effective immediately."""
    revoked = run.api.revoke_token(token)
    run.output.result(revoked, f"token {revoked.id} of {revoked.actor_id} is revoked")


@command(tokens, "adopt-legacy")
def adopt_legacy(run: Session) -> None:
    """Keep accepting the old shared token, as system:legacy.

    It is read from ATLAS_INGEST_TOKEN or standard input. Only its SHA-256 is sent to the database.
    """
    secret = os.environ.get(LEGACY_VARIABLE)
    if not secret and sys.stdin.isatty():
        secret = typer.prompt("the shared token", hide_input=True)
    secret = secret or sys.stdin.read().strip()
    if not secret:
        raise InvalidInput(f"There is no token in {LEGACY_VARIABLE} or on standard input.")
    adopted = run.api.adopt_legacy_token(hashlib.sha256(secret.encode()).hexdigest())
    run.output.result(adopted, f"token {adopted.id} now works as {adopted.actor_id}")


@command(
    permissions,
    "grant",
    scope=option('Limits, such as {"flags": ["advisory_due"]}', metavar="JSON"),
    notes=option("Notes for the record."),
)
def grant(
    run: Session,
    actor: ActorId,
    permission: Annotated[str, typer.Argument(help="can_set_stage, can_set_flag, …")],
    scope: str | None,
    notes: str | None,
) -> None:
    """Grant a permission."""
    try:
        limits: Any = None if scope is None else json.loads(scope)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"--scope must be JSON: {error}") from error
    change = run.api.grant_permission(actor, permission=permission, scope=limits, notes=notes)
    run.output.result(change, _said(change, "granted to"))


@command(permissions, "list", ACTOR, everything=option("Revoked grants too.", "--all", kind=bool))
def list_permissions(run: Session, actor: str | None, everything: bool | None) -> None:
    """List grants: who can do what."""
    found = list(run.api.iter_permissions(actor, include_revoked=everything))
    run.output.records("permissions", found, lambda: tables.permissions(found, run.zone))


@command(permissions, "revoke")
def revoke(
    run: Session,
    permission_id: Annotated[
        int, typer.Argument(metavar="ID", help="Its id in `permission list`.")
    ],
) -> None:
    """Revoke a grant."""
    change = run.api.revoke_permission(permission_id)
    run.output.result(change, _said(change, "revoked from"))


@command(
    app,
    about=argument("Only this table: agent_permissions, stages, …", "TABLE"),
    actor=option("Only this actor's changes.", "--by"),
    before=option("Only records before this id.", kind=int),
)
def audit(
    run: Session, about: str | None, actor: str | None, before: int | None, limit: Limit = 20
) -> None:
    """Show who changed grants, tokens, settings and rules, newest first."""
    page = run.api.administration(about, actor_id=actor, before_id=before, page_size=limit)
    more = f"--before {page.next['before_id']}" if page.next else None
    run.output.records(
        "records", page.items, lambda: tables.administration(page.items, run.zone), more
    )


def _said(change: PermissionChange, what: str) -> str:
    row = change.permission
    unchanged = "" if change.changed else " (no change needed)"
    return f"{row.permission} {what} {row.actor_id}, grant {row.id}{unchanged}"
