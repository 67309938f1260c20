"""What a test says to the database, in few words: act as someone, call a function, expect a refusal."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.support.words import PAUSES

ADMIN = "user:jimmie"  # the one admin that the migrations seed

# Arguments whose Python value does not say its SQL type.
ARGUMENT_TYPES = {
    "client_id": "bigint",
    "client_ids": "bigint[]",
    "unowned": "boolean",
    "history_id": "bigint",
    "run_id": "bigint",
    "cover_id": "bigint",
    "day_": "date",
    "until": "date",
    "permission_id": "bigint",
    "expected_version": "bigint",
    "after": "bigint",
    "before_version": "bigint",
    "before_id": "bigint",
    "page_size": "integer",
    "months": "integer",
    "max_days": "integer",
    "year": "integer",
    "dry_run": "boolean",
    "before": "bigint",
    "token_days": "integer",
    "age_days_gt": "integer",
    "payload": "jsonb",
    "items": "jsonb",
    "scope": "jsonb",
    "collaborators": "text[]",
    "reviewers": "text[]",
    "clear": "text[]",
    "expires_at": "timestamptz",
    "since": "timestamptz",
    "batch": "uuid",
    "override": "boolean",
    "atomic": "boolean",
    "active": "boolean",
    "stuck": "boolean",
    "include_revoked": "boolean",
    "never_expires": "boolean",
}

_numbers = itertools.count(1)

Provoked = tuple[str, str]
# The errors that this run has met so far: (function, rule). The comments of the functions are held against them.
provoked: set[Provoked] = set()


def _note(function: str, details: Any) -> None:
    if isinstance(details, dict):
        for refusal in details.get("refusals", []):
            provoked.add((function, refusal["rule"]))


def begin_anew(db: psycopg.Connection) -> None:
    """Roll back, and begin a transaction in which every `transaction()` is a savepoint."""
    db.rollback()
    db.execute("select")


def as_actor(db: psycopg.Connection, actor: str, reason: str | None = None) -> None:
    """Be `actor` until the transaction or savepoint ends."""
    db.execute("select rules.act_as(%s::text, %s::text)", (actor, reason))


def call(db: psycopg.Connection, function: str, *, actor: str | None = ADMIN, **arguments: Any) -> Any:
    """Call api.<function> as `actor` and give its parsed JSON. `actor=None`: as the session is."""
    named = sql.SQL(", ").join(
        sql.SQL("{} => {}::{}").format(
            sql.Identifier(name),
            sql.Placeholder(name),
            sql.SQL(ARGUMENT_TYPES.get(_of_token(function, name), "text")),
        )
        for name in arguments
    )
    values = {
        name: Jsonb(value) if ARGUMENT_TYPES.get(name) == "jsonb" and value is not None else value
        for name, value in arguments.items()
    }
    statement = sql.SQL("select api.{}({})").format(sql.Identifier(function), named)
    with db.transaction():
        if actor is not None:
            as_actor(db, actor)
        try:
            row = db.execute(statement, values).fetchone()
        except psycopg.Error as error:
            if (error.sqlstate or "").startswith("PT"):
                _note(function, json.loads(error.diag.message_detail or "null"))
            raise
    assert row is not None
    if isinstance(row[0], dict) and isinstance(row[0].get("items"), list):
        for item in row[0]["items"]:
            _note(function, item.get("details"))
    return row[0]


def _of_token(function: str, name: str) -> str:
    # `tokens` pages by the token's id, others by a cursor, which are text; every other list by a number.
    if name in ("day", "before") and function == "activity":
        return {"day": "day_"}.get(name, "")
    texts = ("tokens", "changes", "queue", "verify", "digest")
    return "" if name == "after" and function in texts else name


@dataclass
class Refusal:
    """What `refused` caught."""

    message: str = ""
    hint: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def rules(self) -> set[str]:
        """Every rule that failed, not only the first."""
        return {refusal["rule"] for refusal in self.details["refusals"]}


@contextlib.contextmanager
def refused(db: psycopg.Connection, rule: str, status: int, **facts: Any) -> Iterator[Refusal]:
    """The block is refused by `rule` with `status` and these facts; the transaction stays usable."""
    refusal = Refusal()
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        yield refusal
    error = caught.value
    said = f"{error.sqlstate}: {error.diag.message_primary} {error.diag.message_detail}"
    assert error.sqlstate == f"PT{status}", said
    assert error.diag.message_detail is not None, said
    details = json.loads(error.diag.message_detail)
    assert details["rule"] == rule, said
    for name, value in facts.items():
        assert details.get(name) == value, f"{name} should be {value!r}: {said}"
    refusal.message = error.diag.message_primary or ""
    refusal.hint = error.diag.message_hint
    refusal.details = details


def client_row(db: psycopg.Connection, client_id: int) -> dict[str, Any]:
    """The row of `clients` as it is stored."""
    with db.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute("select * from public.clients where id = %s", (client_id,)).fetchone()
    assert row is not None
    return row


def history_rows(db: psycopg.Connection, client_id: int) -> list[dict[str, Any]]:
    """The client's history as it is stored, oldest first."""
    with db.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "select * from public.stage_history where client_id = %s order by version",
            (client_id,),
        ).fetchall()


def make_client(
    db: psycopg.Connection,
    stage: str = "weekly",
    *,
    returning_to: str | None = None,
    **arguments: Any,
) -> int:
    """A client in `stage`, put there by an admin; a paused one comes from `returning_to`.

    Where a client cannot begin in that stage it is moved there by override, which takes versions.
    """
    number = next(_numbers)
    arguments = {"name": f"Client {number}", "slug": f"made-{number}"} | arguments
    active = arguments.pop("active", True)
    paused = stage in PAUSES
    working = (returning_to or "weekly") if paused else stage
    first = working if working in ("onboarding", "cleanup", "weekly") else "onboarding"
    client_id = int(call(db, "create_client", stage=first, **arguments)["client"]["id"])
    if working != first:
        move(db, client_id, working, override=True, reason="made so")
    if paused:
        move(db, client_id, stage, reason="made so")
    if not active:
        call(db, "update_client", client_id=client_id, active=False, reason="made so")
    return client_id


def grant(db: psycopg.Connection, actor: str, permission: str, scope: dict[str, Any] | None = None) -> int:
    """Give `actor` a permission; the id of the row."""
    given = call(db, "grant_permission", actor_id=actor, permission=permission, scope=scope)
    return int(given["permission"]["id"])


def move(
    db: psycopg.Connection,
    client_id: int,
    to_stage: str,
    *,
    actor: str | None = ADMIN,
    reason: str = "because",
    **arguments: Any,
) -> Any:
    """api.set_stage with the version the client has now."""
    if "expected_version" not in arguments:
        arguments["expected_version"] = version(db, client_id)
    return call(
        db,
        "set_stage",
        actor=actor,
        client_id=client_id,
        to_stage=to_stage,
        reason=reason,
        **arguments,
    )


def version(db: psycopg.Connection, client_id: int) -> int:
    return int(client_row(db, client_id)["version"])


def verified_pages(db: psycopg.Connection, page_size: int = 1000) -> list[dict[str, Any]]:
    """All of api.verify, page after page."""
    pages, after, more = [], None, True
    while more:
        pages.append(call(db, "verify", after=after, page_size=page_size))
        after = pages[-1]["next_after"]
        more = after is not None
    return pages


def all_breaks(db: psycopg.Connection) -> list[dict[str, Any]]:
    """Every break that verify reports, in history and administration."""
    return [each for page in verified_pages(db) for each in page["breaks"]]
