"""The functions of schema `api` as methods, with the same names and the same argument names.

Every method is one transaction (or part of `Stage.transaction()`), returns a record of `models` and raises a
`StageError` of `errors`. Arguments that are omitted or None have the defaults of the database. `client_id` is
a client's id, its slug (which takes one more read), or a client that was read; text made of ASCII digits is an id.

A method's signature is all there is to it: `call` sends its arguments and returns what its annotation says.
tools/make_sync.py generates `stage.py` from this file at build time.
"""
# mypy: disable-error-code="empty-body"

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Self, TypeVar, Unpack

from atlas_stage import models
from atlas_stage.arguments import ClientName, Fields, Filter, Json, Later, Move, Reason, call
from atlas_stage.connecting import AsyncConnecting

Answer = TypeVar("Answer")
Arguments = Mapping[str, Any]


class AsyncStage(AsyncConnecting):
    """Clients in their stages. Begin with `connect()`; use it as a context manager, or call `close()` at the end.

    `Stage` uses psycopg or HTTP and can be shared by threads. `AsyncStage` has the same methods as coroutines, over
    HTTP, and can be shared by tasks.
    """

    @call(read=True)
    async def clients(
        self, stage: str | None = None, *, active: bool | None = True, **filters: Unpack[Filter]
    ) -> models.Page[models.Client]:
        """A page of the clients that match all filters.

        `stage` can list several, separated by commas. `active` None includes inactive clients. `sort` is `id`,
        `age` or `sla`.
        """

    async def iter_clients(
        self, stage: str | None = None, *, active: bool | None = True, **filters: Unpack[Filter]
    ) -> AsyncIterator[models.Client]:
        """All clients that match the filters of `clients`, page by page."""
        async for page in self.pages(self.clients, stage, active=active, **filters):
            for client in page:
                yield client

    @call(read=True)
    async def client(self, client_id: ClientName) -> models.ClientView:
        """A client and its latest history row. Raises NotFound."""

    @call(read=True)
    async def stage_history(
        self,
        client_id: ClientName,
        *,
        page_size: int | None = None,
        before_version: int | None = None,
    ) -> models.Page[models.HistoryRow]:
        """The latest rows of a client's history (before `before_version`), oldest first."""

    async def iter_history(
        self, client_id: ClientName, *, page_size: int | None = None
    ) -> AsyncIterator[models.HistoryRow]:
        """The whole history of a client, newest first, page by page."""
        async for page in self.pages(self.stage_history, client_id, page_size=page_size):
            for row in reversed(page):
                yield row

    @call(read=True)
    async def queue(
        self, actor_id: str | None = None, *, page_size: int | None = None, after: str | None = None
    ) -> models.Page[models.QueueItem]:
        """What the actor (default: the caller) should do next, most urgent first."""

    @call(read=True)
    async def closes(
        self,
        month: str | None = None,
        *,
        state: str | None = None,
        owner: str | None = None,
        after: int | None = None,
        page_size: int | None = None,
    ) -> models.ClosePage:
        """The closes of a month (`YYYY-MM`; default: the month that is open), client by client."""

    @call(read=True)
    async def closes_by_month(
        self, months: int | None = None, *, month: str | None = None
    ) -> models.Page[models.MonthCloses]:
        """The closes of the last months (default: 6) up to `month` in numbers, also by owner; oldest month first."""

    @call(read=True)
    async def changes(
        self,
        after: str | None = None,
        *,
        actor_id: str | None = None,
        client_id: ClientName | None = None,
        stage: str | None = None,
        since: datetime | None = None,
        page_size: int | None = None,
    ) -> models.Feed:
        """The firm's history after a cursor, each change once. The answer's `cursor` goes into `after`."""

    @call(read=True)
    async def activity(
        self,
        actor_id: str | None = None,
        *,
        client_id: ClientName | None = None,
        day: str | None = None,
        before: str | None = None,
        page_size: int | None = None,
    ) -> models.Page[models.ActivityRow]:
        """The changes of all clients, newest first; `day` as YYYY-MM-DD, in the firm's time zone."""

    @call(read=True)
    async def check_stage(
        self, client_id: ClientName, to_stage: str, *, on_behalf_of: str | None = None
    ) -> models.Check:
        """Whether this move would be allowed, and every rule against it. Changes nothing."""

    @call(read=True)
    async def check_stages(
        self, client_ids: Sequence[int | models.Client], *, on_behalf_of: str | None = None
    ) -> models.Page[models.Moves]:
        """Where the caller may move each of these clients (at most 200), and what else it may do with it."""

    @call(read=True)
    async def summary(self) -> models.Summary:
        """How many active clients there are by stage, owner, flag and attention."""

    @call(read=True)
    async def whoami(self) -> models.Actor:
        """The caller, as the database knows it."""

    @call(read=True)
    async def health(self) -> models.Health:
        """Whether everything is well, and what needs attention."""

    @call(keyed=True)
    async def set_stage(
        self,
        client_id: ClientName,
        to_stage: str,
        reason: str,
        expected_version: int,
        *,
        external_id: str | None = None,
        **how: Unpack[Move],
    ) -> models.Change:
        """Move a client. `close_period` (YYYY-MM) is the month of the close that the move opens.

        Raises VersionConflict if `expected_version`, the version that was read, is out of date.
        """

    async def move(self, client_id: ClientName, to_stage: str, reason: str, **how: Unpack[Move]) -> models.Change:
        """Read a client's version and move it. Raises VersionConflict if the client changes in between."""
        version = (await self.client(client_id)).client.version
        return await self.set_stage(client_id, to_stage, reason, version, **how)

    @call(keyed=True)
    async def set_stages(self, items: Sequence[Json], *, atomic: bool | None = None) -> models.Outcomes:
        """Move many clients in one call. Each item has the arguments of `set_stage` and gets its own outcome.

        With `atomic`, one refusal refuses all.
        """

    @call(keyed=True)
    async def set_flags(self, items: Sequence[Json]) -> models.Outcomes:
        """Set or clear a flag on many clients in one call; each item gets its own outcome.

        An item has `client_id`, `flag`, `set` and the other arguments of `set_flag`.
        """

    @call(keyed=True)
    async def update_clients(self, items: Sequence[Json]) -> models.Outcomes:
        """Change the fields of many clients in one call; each item gets its own outcome.

        An item has `client_id` and the other arguments of `update_client`, besides `external_id`.
        """

    @call(keyed=True)
    async def set_flag(self, client_id: ClientName, flag: str, **context: Unpack[Reason]) -> models.Change:
        """Set a flag. If it is set already, `changed` is False."""

    @call(keyed=True)
    async def clear_flag(self, client_id: ClientName, flag: str, **context: Unpack[Reason]) -> models.Change:
        """Clear a flag. If it isn't set, `changed` is False."""

    @call(keyed=True)
    async def rollback(
        self, client_id: ClientName, history_id: int, reason: str, *, external_id: str | None = None
    ) -> models.Change:
        """Undo one recorded change by appending its opposite. Raises RollbackBlocked if a later one depends on it."""

    @call(keyed=True)
    async def undo(
        self,
        client_id: ClientName,
        expected_version: int,
        *,
        reason: str | None = None,
        external_id: str | None = None,
        on_behalf_of: str | None = None,
    ) -> models.Change:
        """Undo the client's newest change, which this actor made a few minutes ago: the one that made this version."""

    @call(keyed=True)
    async def create_client(
        self, name: str, slug: str, *, stage: str | None = None, **fields: Unpack[Fields]
    ) -> models.Change:
        """Add a client. Its slug must be unique; `notes` become its stage notes."""

    @call(keyed=True)
    async def update_client(
        self,
        client_id: ClientName,
        *,
        expected_version: int | None = None,
        clear: Sequence[str] | None = None,
        **fields: Unpack[Fields],
    ) -> models.Change:
        """Change fields of a client. `clear` lists the ones to empty: owner, collaborators, notes, reviewers."""

    @call(part="deleted")
    async def delete_client(self, client_id: ClientName, reason: str) -> models.DeletedClient:
        """Delete a client that was added by mistake. Raises Conflict if it has a history."""

    @call()
    async def rollback_run(self, run_id: int, reason: str) -> models.RunRollback:
        """Undo the changes of a job run. Changes that later changes depend on are listed and kept."""

    @call()
    async def rollback_batch(self, batch: str, reason: str) -> models.BatchRollback:
        """Undo the changes of one bulk call; an admin can, at any time."""

    @call(keyed=True)
    async def undo_batch(
        self, batch: str, *, reason: str | None = None, on_behalf_of: str | None = None
    ) -> models.BatchRollback:
        """Undo the changes of this actor's own bulk call, a few minutes ago."""

    @call(read=True)
    async def people(self) -> models.People:
        """The people and agents of the firm, and the roles that they can have."""

    @call()
    async def set_role(self, actor_id: str, role: str) -> models.RoleChange:
        """Give an actor the permissions of a role, and no others."""

    @call()
    async def invite(self, actor_id: str, *, role: str | None = None, token_days: int | None = None) -> models.Invite:
        """Make an invite, which can be exchanged once for a token within an hour."""

    @call()
    async def accept_invite(self) -> models.IssuedToken:
        """Exchange an invite for a token. The stage's own token is the invite."""

    @call(keyed=True)
    async def hand_over(
        self, from_actor_id: str, to_actor_id: str, reason: str, *, until: str | None = None
    ) -> models.HandOver:
        """Hand over what an actor owns, collaborates on and reviews. Undo it with `undo_batch`.

        With `until`, a day as YYYY-MM-DD, the clients are given back on that day.
        """

    @call(read=True)
    async def covers(self) -> models.Covers:
        """Who covers for whom until a day."""

    @call()
    async def set_cover(self, cover_id: int, *, until: str | None = None, reason: str | None = None) -> models.CoverEnd:
        """Move the end of a cover to another day, or end it now and give the clients back."""

    @call()
    async def leave(self, actor_id: str, reason: str, *, to_actor_id: str | None = None) -> models.Leaving:
        """Revoke an actor's grants and tokens, and hand over their clients first."""

    @call()
    async def grant_permission(
        self, actor_id: str, permission: str, *, scope: Json | None = None, notes: str | None = None
    ) -> models.PermissionChange:
        """Grant a permission; without `scope` it isn't restricted."""

    @call()
    async def revoke_permission(self, permission_id: int) -> models.PermissionChange:
        """Revoke a grant by its id. It stays on record."""

    @call(read=True)
    async def permissions(
        self,
        actor_id: str | None = None,
        *,
        include_revoked: bool | None = None,
        after: int | None = None,
        page_size: int | None = None,
    ) -> models.Page[models.Permission]:
        """A page of grants, by id."""

    async def iter_permissions(
        self, actor_id: str | None = None, *, include_revoked: bool | None = None
    ) -> AsyncIterator[models.Permission]:
        """All grants, page by page."""
        async for page in self.pages(self.permissions, actor_id, include_revoked=include_revoked):
            for permission in page:
                yield permission

    @call(read=True)
    async def settings(self, year: int | None = None) -> models.Settings:
        """The firm's settings, the limits of the stages, and a year's holidays and month ends."""

    @call()
    async def set_setting(self, setting: str, value: str) -> Json:
        """Change a setting; the value as text."""

    @call()
    async def set_stage_limit(self, stage: str, *, max_days: int | None = None) -> Json:
        """Set how many days a client can be in a stage; None is no limit."""

    @call()
    async def set_transition(
        self,
        from_stage: str,
        to_stage: str,
        *,
        permission: str | None = None,
        note: str | None = None,
    ) -> Json:
        """Allow a move that needs this permission, or change it; without a permission, remove it."""

    @call()
    async def set_holiday(self, day: str, *, name: str | None = None) -> Json:
        """Add or rename a holiday, a day as YYYY-MM-DD; without a name, remove it."""

    @call(read=True)
    async def jobs(
        self, job: str | None = None, *, before: int | None = None, page_size: int | None = None
    ) -> models.JobList:
        """The scheduled jobs with their states, and the last runs."""

    @call()
    async def run_job(self, job: str, *, dry_run: bool | None = None) -> models.JobRun:
        """Run a job now if it is due, in one transaction; or only say what it would change."""

    @call()
    async def issue_token(
        self,
        actor_id: str,
        *,
        description: str | None = None,
        expires_at: datetime | None = None,
        never_expires: bool | None = None,
    ) -> models.IssuedToken:
        """Issue a token. Only this answer has its secret."""

    @call(part="token")
    async def revoke_token(self, token_id: str) -> models.Token:
        """Revoke a token by its id. It stays on record."""

    @call(read=True)
    async def tokens(
        self, actor_id: str | None = None, *, after: str | None = None, page_size: int | None = None
    ) -> models.Page[models.Token]:
        """A page of tokens, without their secrets."""

    async def iter_tokens(self, actor_id: str | None = None) -> AsyncIterator[models.Token]:
        """All tokens, page by page."""
        async for page in self.pages(self.tokens, actor_id):
            for token in page:
                yield token

    @call(part="token")
    async def adopt_legacy_token(self, token_hash: str) -> models.Token:
        """Keep accepting the old shared token, as system:legacy; `token_hash` is its SHA-256 in hex."""

    @call(read=True)
    async def administration(
        self,
        about: str | None = None,
        *,
        actor_id: str | None = None,
        before_id: int | None = None,
        page_size: int | None = None,
    ) -> models.Page[models.AdministrationRecord]:
        """Who changed grants, tokens, settings and rules, newest first; `about` is one table."""

    @call(read=True)
    async def verify(
        self,
        client_id: ClientName | None = None,
        *,
        after: str | None = None,
        page_size: int | None = None,
    ) -> models.Verification:
        """Whether everything is as recorded: one client, or a page of all clients and then of administration."""

    @call(read=True)
    async def digest(
        self, as_of: str | None = None, *, after: str | None = None, page_size: int | None = None
    ) -> models.DigestPage:
        """A page of the digest of everything up to now, or up to the moment of digest `as_of`."""

    @call(part="erasure")
    async def erase_words(self, client_id: ClientName, reason: str) -> models.Erasure:
        """Erase the free text in a client's history and notes. The changes, their times and actors stay."""

    async def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def pages(self, read: Callable[..., Later[Answer]], *args: Any, **arguments: Any) -> AsyncIterator[Answer]:
        """All pages of a list: `stage.pages(stage.closes, "2026-11", page_size=1000)`."""
        following: Any = {}
        while following is not None:
            page: Any = await read(*args, **{**arguments, **following})
            yield page
            following = page.next or None

    async def _call(self, function: str, arguments: Arguments, answer: Any, part: str | None, **how: bool) -> Any:
        name, send = arguments.get("client_id"), self._transport.call
        if isinstance(name, str):
            by_id = await send("client_id", {"client": name}, read=True)
            arguments = {**arguments, "client_id": by_id}
        found = await send(function, arguments, **how)
        return models.read(answer, found[part] if part else found)
