"""The tools and resources. Each calls a method of `AsyncStage`: the database decides, and words every refusal."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from atlas_stage import models
from atlas_stage.async_stage import AsyncStage

T = TypeVar("T")

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
# The version, or the flag itself, prevents a second effect.
_CHANGES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False
)
_ADDS = _CHANGES.model_copy(update={"destructive_hint": False})

# Any of these lets an actor use the tool, on some client. A tool that isn't here needs a token only.
_ANY = frozenset({"can_admin", "can_act_for"})
_MOVE = frozenset({"can_set_stage", "can_sign_off_eom_review", "can_offboard"}) | _ANY
_FLAG = frozenset({"can_set_flag"}) | _ANY
NEEDS = {"move": _MOVE, "flag": _FLAG, "undo": _MOVE | _FLAG}

Client = Annotated[int | str, Field(description="The client's id or slug.")]
Actor = Annotated[str | None, Field(description="An actor, such as user:ana.")]
Limit = Annotated[int, Field(ge=1, le=200, description="At most this many.")]
Month = Annotated[str | None, Field(description="YYYY-MM; the newest opened month if omitted.")]
After = Annotated[str | None, Field(description="`next` or `cursor` of the page before.")]
Version = Annotated[int, Field(description="The client's `version`, as you read it.")]
Reason = Annotated[str, Field(description="Why, for people who read the history.")]
Cause = Annotated[str | None, Field(description="The event that caused this.")]
Person = Annotated[str | None, Field(description="The person you act for, such as user:ana.")]
Key = Annotated[
    str | None,
    Field(description="An event's id, or one UUID per decision: repeating the call is safe."),
]


class Listed(BaseModel, Generic[T], from_attributes=True):
    """A page; `next` has the arguments of the next page, and is empty on the last."""

    items: list[T]
    next: dict[str, Any] = {}

    @classmethod
    def of(cls, page: object) -> Self:
        """The page of the client, with the type of its items in the schema."""
        return cls.model_validate(page)


class Closes(Listed[models.Close]):
    """A page of a month's closes. One that isn't signed off by `due_at` is late."""

    month: str
    due_at: datetime


class Changes(Listed[models.FeedRow]):
    """The next changes. `cursor` goes into `after`, now or later; `more`: there are further ones."""

    cursor: str
    more: bool = False


class Tools:
    """The tools, by name. `stage` gives the caller's stage."""

    def __init__(self, stage: Callable[[], AsyncStage]) -> None:
        self.stage = stage

    def add_to(self, server: MCPServer[Any]) -> None:
        """Make these the tools and resources of a server."""
        reads = (self.queue, self.clients, self.client, self.history, self.check)
        for tool in (*reads, self.closes, self.changes):
            server.add_tool(tool, annotations=_READS)
        server.add_tool(self.move, annotations=_CHANGES)
        server.add_tool(self.flag, annotations=_ADDS)
        server.add_tool(self.undo, annotations=_CHANGES)
        for uri, read in {
            "atlas://clients/{client}/story": self.story,
            "atlas://closes/current": self.current_close,
            "atlas://closes/{month}": self.close,
        }.items():
            server.resource(uri, mime_type="application/json")(read)

    async def queue(
        self, actor: Actor = None, limit: Limit = 20, after: After = None
    ) -> Listed[models.QueueItem]:
        """What an actor (default: you) should do next and why, most urgent first. Begin here."""
        page = await self.stage().queue(actor, page_size=limit, after=after)
        return Listed[models.QueueItem].of(page)

    async def clients(
        self,
        stage: str | None = None,
        flag: str | None = None,
        owner: Actor = None,
        search: Annotated[str | None, Field(description="A part of the name.")] = None,
        stuck: bool | None = None,
        limit: Limit = 20,
        after: int | None = None,
    ) -> Listed[models.Client]:
        """The active clients that match all filters. `stage` can list several, separated by commas."""
        page = await self.stage().clients(
            stage,
            flag=flag,
            owner=owner,
            search=search,
            stuck=stuck,
            page_size=limit,
            after=after,
        )
        return Listed[models.Client].of(page)

    async def client(self, client: Client) -> models.ClientView:
        """A client with its newest change. Its `version` goes into `move`."""
        return await self.stage().client(client)

    async def history(
        self, client: Client, limit: Limit = 20, before_version: int | None = None
    ) -> Listed[models.HistoryRow]:
        """The latest changes of a client, oldest first: who, when, why."""
        page = await self.stage().stage_history(
            client, page_size=limit, before_version=before_version
        )
        return Listed[models.HistoryRow].of(page)

    async def check(self, client: Client, to_stage: str) -> models.Check:
        """Whether you can make this move now, and every rule against it. Changes nothing."""
        return await self.stage().check_stage(client, to_stage)

    async def closes(
        self,
        month: Month = None,
        state: Annotated[
            str | None, Field(description="not_opened, open, in_review, paused or closed.")
        ] = None,
        owner: Actor = None,
        limit: Limit = 50,
        after: int | None = None,
    ) -> Closes:
        """The closes of a month, client by client: how far each is, and which are late."""
        return Closes.of(
            await self.stage().closes(month, state=state, owner=owner, page_size=limit, after=after)
        )

    async def changes(
        self,
        after: After = None,
        since: Annotated[datetime | None, Field(description="With its time zone.")] = None,
        limit: Limit = 50,
    ) -> Changes:
        """The firm's changes after a cursor, or since a moment, each once."""
        return Changes.of(await self.stage().changes(after, since=since, page_size=limit))

    async def move(
        self,
        client: Client,
        to_stage: str,
        reason: Reason,
        expected_version: Version,
        close_period: Annotated[
            str | None, Field(description="YYYY-MM, for a move that opens a close.")
        ] = None,
        on_behalf_of: Person = None,
        triggered_by: Cause = None,
        external_id: Key = None,
    ) -> models.Change:
        """Move a client to another stage, as you decided on what you read. `check` it first."""
        return await self.stage().set_stage(
            client,
            to_stage,
            reason,
            expected_version,
            close_period=close_period,
            on_behalf_of=on_behalf_of,
            triggered_by=triggered_by,
            external_id=external_id,
        )

    async def flag(
        self,
        client: Client,
        flag: str,
        on: Annotated[bool, Field(description="True sets the flag, false clears it.")],
        reason: Reason,
        on_behalf_of: Person = None,
        triggered_by: Cause = None,
        external_id: Key = None,
    ) -> models.Change:
        """Set or clear a flag. If it is so already, `changed` is false."""
        stage = self.stage()
        change = stage.set_flag if on else stage.clear_flag
        return await change(
            client,
            flag,
            reason=reason,
            on_behalf_of=on_behalf_of,
            triggered_by=triggered_by,
            external_id=external_id,
        )

    async def undo(
        self, client: Client, expected_version: Version, reason: Reason, external_id: Key = None
    ) -> models.Change:
        """Undo the client's newest change, if you made it a few minutes ago."""
        return await self.stage().undo(
            client, expected_version, reason=reason, external_id=external_id
        )

    async def story(self, client: str) -> str:
        """A client as it is now, with its latest 200 changes, oldest first."""
        view = await self.stage().client(client)
        page = await self.stage().stage_history(view.client, page_size=200)
        return json.dumps({"client": view.client.as_json(), "history": page.as_json()["items"]})

    async def close(self, month: str) -> str:
        """The close of a month (YYYY-MM): in numbers, by owner, and the first 1,000 clients."""
        return await self._close(month)

    async def current_close(self) -> str:
        """The close of the newest month that was opened."""
        return await self._close(None)

    async def _close(self, month: str | None) -> str:
        page = await self.stage().closes(month, page_size=1000)
        (numbers,) = await self.stage().closes_by_month(1, month=page.month)
        return json.dumps({**numbers.as_json(), "closes": page.as_json()["items"]})
