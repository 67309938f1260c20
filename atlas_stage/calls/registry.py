"""The calls about the firm's registers: its clients' fields, grants and tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from atlas_stage.calls.call import Call, Json, Walk, read, write
from atlas_stage.models import (
    Change,
    IssuedToken,
    Permission,
    PermissionChange,
    PermissionPage,
    Token,
    TokenPage,
)

# -- clients


def create_client(
    name: str,
    *,
    slug: str,
    stage: str | None = None,
    owner: str | None = None,
    collaborators: Sequence[str] | None = None,
    notes: str | None = None,
    tier: str | None = None,
    cadence: str | None = None,
    schedule: str | None = None,
    reviewers: Sequence[str] | None = None,
    active: bool | None = None,
    reason: str | None = None,
    triggered_by: str | None = None,
    on_behalf_of: str | None = None,
    channel: str | None = None,
    external_id: str | None = None,
    payload: Json | None = None,
) -> Call[Change]:
    """Take on a client. `notes` are the notes of its stage; its slug must be free."""
    return write(
        "create_client",
        Change.from_json,
        {"name": name, "slug": slug},
        stage=stage,
        owner=owner,
        collaborators=collaborators,
        notes=notes,
        tier=tier,
        cadence=cadence,
        schedule=schedule,
        reviewers=reviewers,
        active=active,
        reason=reason,
        triggered_by=triggered_by,
        on_behalf_of=on_behalf_of,
        channel=channel,
        external_id=external_id,
        payload=payload,
    )


def update_client(
    client_id: int,
    *,
    reason: str | None = None,
    expected_version: int | None = None,
    owner: str | None = None,
    collaborators: Sequence[str] | None = None,
    notes: str | None = None,
    tier: str | None = None,
    cadence: str | None = None,
    schedule: str | None = None,
    reviewers: Sequence[str] | None = None,
    active: bool | None = None,
    clear: Sequence[str] | None = None,
    triggered_by: str | None = None,
    on_behalf_of: str | None = None,
    channel: str | None = None,
    external_id: str | None = None,
    payload: Json | None = None,
) -> Call[Change]:
    """Change fields of a client. `clear` names the arguments to empty: owner, collaborators,
    notes, reviewers.
    """
    return write(
        "update_client",
        Change.from_json,
        {"client_id": client_id},
        reason=reason,
        expected_version=expected_version,
        owner=owner,
        collaborators=collaborators,
        notes=notes,
        tier=tier,
        cadence=cadence,
        schedule=schedule,
        reviewers=reviewers,
        active=active,
        clear=clear,
        triggered_by=triggered_by,
        on_behalf_of=on_behalf_of,
        channel=channel,
        external_id=external_id,
        payload=payload,
    )


# -- grants


def grant_permission(
    actor_id: str,
    *,
    permission: str,
    scope: Json | None = None,
    notes: str | None = None,
) -> Call[PermissionChange]:
    """Grant a permission; `scope` None does not restrict it."""
    return write(
        "grant_permission",
        PermissionChange.from_json,
        {"actor_id": actor_id, "permission": permission},
        scope=scope,
        notes=notes,
    )


def revoke_permission(permission_id: int) -> Call[PermissionChange]:
    """Revoke a grant by its id; it stays on record."""
    return write("revoke_permission", PermissionChange.from_json, {"permission_id": permission_id})


def permissions(
    actor_id: str | None = None,
    *,
    include_revoked: bool | None = None,
    after: int | None = None,
    page_size: int | None = None,
) -> Call[PermissionPage]:
    """A page of grants by id."""
    return read(
        "permissions",
        PermissionPage.from_json,
        {},
        actor_id=actor_id,
        include_revoked=include_revoked,
        after=after,
        page_size=page_size,
    )


def iter_permissions(
    actor_id: str | None = None, *, include_revoked: bool | None = None
) -> Walk[Permission]:
    """All grants, page after page."""

    def page(after: Any) -> Call[tuple[Sequence[Permission], Any]]:
        found = permissions(actor_id, include_revoked=include_revoked, after=after)
        return found.then(lambda each: (each.permissions, each.next_after))

    return Walk(page)


# -- tokens


def issue_token(
    actor_id: str,
    *,
    description: str | None = None,
    expires_at: datetime | None = None,
    never_expires: bool | None = None,
) -> Call[IssuedToken]:
    """Issue a token. Its secret is in this answer and nowhere else."""
    return write(
        "issue_token",
        IssuedToken.from_json,
        {"actor_id": actor_id},
        description=description,
        expires_at=expires_at,
        never_expires=never_expires,
    )


def revoke_token(token_id: str) -> Call[Token]:
    """Revoke a token by its id; it stays on record."""
    return write("revoke_token", _token, {"token_id": token_id})


def tokens(
    actor_id: str | None = None,
    *,
    after: str | None = None,
    page_size: int | None = None,
) -> Call[TokenPage]:
    """A page of tokens, without their secrets."""
    return read(
        "tokens", TokenPage.from_json, {}, actor_id=actor_id, after=after, page_size=page_size
    )


def iter_tokens(actor_id: str | None = None) -> Walk[Token]:
    """All tokens, page after page."""

    def page(after: Any) -> Call[tuple[Sequence[Token], Any]]:
        found = tokens(actor_id, after=after)
        return found.then(lambda each: (each.tokens, each.next_after))

    return Walk(page)


def adopt_legacy_token(token_hash: str) -> Call[Token]:
    """Let the shared token of old work as system:legacy; `token_hash` is its SHA-256 in hex."""
    return write("adopt_legacy_token", _token, {"token_hash": token_hash})


def _token(answer: Json) -> Token:
    return Token.from_json(answer["token"])
