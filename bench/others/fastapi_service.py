"""The service with FastAPI: uvicorn with uvloop, asyncpg with SQL by hand, and pydantic models for what is answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request
from pydantic import BaseModel, Field

CLIENT = """
  c.id, c.name, c.slug, c.notes, c.gdrive_folder, c.stage, c.stage_entered_at, c.stage_owner, c.stage_collaborators,
  c.stage_notes, c.flags, c.close_cadence, c.sales_tax_schedule, c.service_tier, c.returning_to_stage,
  c.eligible_reviewers, c.active, c.version,
  date_part('day', now() - c.stage_entered_at)::integer as age_days,
  case
    when c.stage_entered_at < now() - s.max_days * interval '24 hours'
      then case when c.flags && s.waiting_flags then 'waiting_on_client' else 'stuck' end
    when 'stuck' = any (c.flags) then 'stuck'
  end as attention
"""
HISTORY = """
  id, client_id, from_stage, to_stage, flag_added, flag_removed, occurred_at, actor_type, actor_id, channel,
  on_behalf_of, triggered_by, trigger_type, reason, payload, external_id, version, xid, from_entered_at,
  from_returning_to
"""
ACTOR_TYPES = {"user": "human", "agent": "agent", "system": "system"}


class Client(BaseModel):
    """A client as it is answered."""

    id: int
    name: str
    slug: str
    notes: str | None
    gdrive_folder: str | None
    stage: str
    stage_entered_at: datetime
    stage_owner: str | None
    stage_collaborators: list[str]
    stage_notes: str | None
    flags: list[str]
    close_cadence: str
    sales_tax_schedule: str
    service_tier: str
    returning_to_stage: str | None
    eligible_reviewers: list[str] | None
    active: bool
    version: int
    age_days: int
    attention: str | None


class History(BaseModel):
    """A row of history as it is answered."""

    id: int
    client_id: int
    from_stage: str | None
    to_stage: str | None
    flag_added: str | None
    flag_removed: str | None
    occurred_at: datetime
    actor_type: str
    actor_id: str
    channel: str
    on_behalf_of: str | None
    triggered_by: str | None
    trigger_type: str
    reason: str | None
    payload: dict[str, Any]
    external_id: str | None
    version: int
    xid: int
    from_entered_at: datetime | None
    from_returning_to: str | None


class Move(BaseModel):
    """What a caller asks for."""

    to_stage: str
    reason: Annotated[str, Field(min_length=1, max_length=2000)]
    expected_version: int


class Moved(BaseModel):
    """What a move answers."""

    client: Client
    history: History
    changed: bool = True


class ClientAnswer(BaseModel):
    """One client with its newest row."""

    client: Client
    history: History | None


class Page(BaseModel):
    """A page of clients."""

    clients: list[Client]
    next_after: int | None


class HistoryPage(BaseModel):
    """A page of a client's history, the oldest of it first."""

    history: list[History]
    next_before_version: int | None


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The pool of a worker; where the database is, PGHOST and the like say."""
    async with asyncpg.create_pool(min_size=8, max_size=8, init=_prepare) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@dataclass
class Caller:
    """Who asks, and the connection of this request."""

    actor_id: str
    db: asyncpg.Connection


async def caller(
    request: Request, authorization: Annotated[str, Header()] = ""
) -> AsyncIterator[Caller]:
    """Find out by the bearer token who asks."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401, "unauthenticated")
    async with request.app.state.pool.acquire() as db:
        actor_id = await db.fetchval(
            """
            select actor_id from actor_tokens
            where token_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
            """,
            hashlib.sha256(token.encode()).hexdigest(),
        )
        if actor_id is None:
            raise HTTPException(401, "unauthenticated")
        yield Caller(actor_id, db)


Asking = Annotated[Caller, Depends(caller)]


@app.get("/api/clients")
async def clients(
    asking: Asking, page_size: Annotated[int, Query(ge=1, le=1000)] = 100, after: int = 0
) -> Page:
    """A page of the active clients."""
    rows = await asking.db.fetch(
        f"""
        select {CLIENT} from clients c join stages s using (stage)
        where c.active and c.id > $1 order by c.id limit $2
        """,
        after,
        page_size + 1,
    )
    found = [Client(**row) for row in rows[:page_size]]
    return Page(clients=found, next_after=found[-1].id if len(rows) > page_size else None)


@app.get("/api/clients/{client_id}")
async def client(asking: Asking, client_id: int) -> ClientAnswer:
    """One client with its newest row of history."""
    row = await asking.db.fetchrow(
        f"select {CLIENT} from clients c join stages s using (stage) where c.id = $1", client_id
    )
    if row is None:
        raise HTTPException(404, "client_not_found")
    newest = await asking.db.fetchrow(
        f"select {HISTORY} from stage_history where client_id = $1 and version = $2",
        client_id,
        row["version"],
    )
    return ClientAnswer(client=Client(**row), history=History(**newest) if newest else None)


@app.get("/api/clients/{client_id}/stage_history")
async def stage_history(
    asking: Asking,
    client_id: int,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    before_version: int = 2**62,
) -> HistoryPage:
    """A client's history, the newest page first."""
    if not await asking.db.fetchval("select true from clients where id = $1", client_id):
        raise HTTPException(404, "client_not_found")
    rows = await asking.db.fetch(
        f"""
        select {HISTORY} from stage_history
        where client_id = $1 and version < $2 order by version desc limit $3
        """,
        client_id,
        before_version,
        limit,
    )
    page = [History(**row) for row in reversed(rows)]
    first = page[0].version if page else 0
    return HistoryPage(history=page, next_before_version=first or None)


@app.patch("/api/clients/{client_id}/stage")
async def set_stage(asking: Asking, client_id: int, move: Move) -> Moved:
    """Move a client to another stage."""
    async with asking.db.transaction():
        before = await asking.db.fetchrow(
            """
            select c.*, s.kind from clients c join stages s using (stage)
            where c.id = $1 for update of c
            """,
            client_id,
        )
        if before is None:
            raise HTTPException(404, "client_not_found")
        if before["version"] != move.expected_version:
            raise HTTPException(409, "version_conflict")
        kind = await _check_move(asking, before, move.to_stage)

        after = await asking.db.fetchrow(
            f"""
            update clients c
            set stage = $2, stage_entered_at = now(), returning_to_stage = $3,
                flags = array_remove(c.flags, 'stuck'), version = c.version + 1
            from stages s
            where c.id = $1 and s.stage = $2
            returning {CLIENT}
            """,
            client_id,
            move.to_stage,
            _returning_to(before, kind),
        )
        actor_type = ACTOR_TYPES[asking.actor_id.partition(":")[0]]
        history = await asking.db.fetchrow(
            f"""
            insert into stage_history (
              client_id, from_stage, to_stage, actor_type, actor_id, channel, trigger_type, reason, version,
              from_entered_at, from_returning_to
            ) values ($1, $2, $3, $4, $5, 'api', $6, $7, $8, $9, $10)
            returning {HISTORY}
            """,
            client_id,
            before["stage"],
            move.to_stage,
            actor_type,
            asking.actor_id,
            "agent_action" if actor_type == "agent" else "manual",
            move.reason,
            after["version"],
            before["stage_entered_at"],
            before["returning_to_stage"],
        )
    return Moved(client=Client(**after), history=History(**history))


async def _check_move(asking: Caller, before: asyncpg.Record, to_stage: str) -> str:
    """What kind of stage it goes to; refuse a move that the rules or the caller's grants do not allow."""
    wanted = await asking.db.fetchrow(
        """
        select s.kind, t.permission
        from stages s left join stage_transitions t on t.to_stage = s.stage and t.from_stage = $1
        where s.stage = $2
        """,
        before["stage"],
        to_stage,
    )
    if wanted is None:
        raise HTTPException(422, "unknown_stage")
    resumes = before["kind"] == "pause" and wanted["kind"] not in ("pause", "exit")
    if wanted["permission"] is None or (resumes and to_stage != before["returning_to_stage"]):
        raise HTTPException(422, "transition_not_allowed")
    if not before["active"]:
        raise HTTPException(422, "client_inactive")

    grants = await asking.db.fetch(
        """
        select permission, scope from agent_permissions
        where actor_id = $1 and revoked_at is null and permission = any ($2::text[])
        """,
        asking.actor_id,
        ["can_admin", wanted["permission"]],
    )
    facts = {
        "from": before["stage"],
        "to": to_stage,
        "clients": before["id"],
        "service_tiers": before["service_tier"],
    }
    if not any(
        all(facts.get(key) in allowed for key, allowed in (grant["scope"] or {}).items())
        for grant in grants
    ):
        raise HTTPException(403, "permission_missing")
    reviewers = before["eligible_reviewers"]
    if (
        wanted["permission"] == "can_sign_off_eom_review"
        and reviewers is not None
        and asking.actor_id not in reviewers
    ):
        raise HTTPException(403, "not_eligible_reviewer")
    return str(wanted["kind"])


def _returning_to(before: asyncpg.Record, kind: str) -> str | None:
    if kind != "pause":
        return None
    stage: str = before["returning_to_stage"] if before["kind"] == "pause" else before["stage"]
    return stage
