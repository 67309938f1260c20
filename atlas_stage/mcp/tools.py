"""The tools and resources: methods of `AsyncStage` with their arguments. The database decides, and words refusals."""

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_args, get_origin

from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, create_model

from atlas_stage import models
from atlas_stage.async_stage import AsyncStage

GetStage = Callable[[], AsyncStage]  # the caller's
READS: dict[str, Callable[..., Any]] = {
    "queue": AsyncStage.queue,
    "clients": AsyncStage.clients,
    "client": AsyncStage.client,
    "history": AsyncStage.stage_history,
    "check": AsyncStage.check_stage,
    "closes": AsyncStage.closes,
    "changes": AsyncStage.changes,
}
_CHANGES: dict[str, Callable[..., Any]] = {
    "move": AsyncStage.set_stage,
    "flag": AsyncStage.set_flag,
    "undo": AsyncStage.undo,
}

# An override is for an admin at the board, and a list of ids for programs.
_LEFT_OUT = frozenset({"self", "override", "client_ids"})
_CLIENT = Annotated[int | str, Field(description="The client's id or slug.")]
_PAGE = Annotated[int, Field(ge=1, le=200, description="At most this many.")]
_SET = Annotated[bool, Field(description="True sets the flag, false clears it.")]
# How the COMMENT of a function begins to describe arguments: "flag, owner (at most 200 characters): "
_BEGINNING = re.compile(r"(?:^|\s)((?:[a-z_]+(?: \([^)]*\))?, )*[a-z_]+): ")


def add(server: MCPServer[Any], stage: GetStage, person: str | None = None) -> None:
    """Add the tools and resources to a server. With `person`, every call is for them, and no caller chooses."""
    for name, method in (READS | _CHANGES).items():
        # A repeated change has no second effect: its version, or the flag itself, prevents one.
        hints = ToolAnnotations(
            read_only_hint=name in READS,
            destructive_hint=name in ("move", "undo"),
            idempotent_hint=True,
            open_world_hint=False,
        )
        words = str(method.__doc__).partition("\n")[0]
        if name == "flag":
            words = words.replace("Set", "Set or clear")
        server.add_tool(_tool(method, stage, person), name, description=words, annotations=hints)

    @server.resource("atlas://clients/{client}/story", mime_type="application/json")
    async def story(client: str) -> str:
        """A client as it is now, with its latest 200 changes, oldest first."""
        view = await stage().client(client)
        page = await stage().stage_history(view.client, page_size=200)
        return json.dumps({"client": view.client.as_json(), "history": page.as_json()["items"]})

    @server.resource("atlas://closes/current", mime_type="application/json")
    async def current_close() -> str:
        """The close of the newest month that was opened."""
        return await close(None)

    @server.resource("atlas://closes/{month}", mime_type="application/json")
    async def close(month: str | None) -> str:
        """The close of a month (YYYY-MM): in numbers, by owner, and the first 1,000 clients."""
        page = await stage().closes(month, page_size=1000)
        (numbers,) = await stage().closes_by_month(1, month=page.month)
        return json.dumps({**numbers.as_json(), "closes": page.as_json()["items"]})


def _tool(method: Callable[..., Any], stage: GetStage, person: str | None) -> Callable[..., Any]:
    """A function with the method's arguments, described, and the shape of its answer."""
    signature = inspect.signature(method)
    shape = _shape(signature.return_annotation)
    known = signature.parameters
    fixed = {"on_behalf_of": person} if person and "on_behalf_of" in known else {}
    left_out = _LEFT_OUT | fixed.keys()
    about = _about(AsyncStage.set_stage) | _about(method)
    arguments = [_described(each, about[name]) for name, each in known.items() if name not in left_out]
    if method is AsyncStage.set_flag:
        arguments.append(inspect.Parameter("set", inspect.Parameter.KEYWORD_ONLY, annotation=_SET))

    async def call(**given: Any) -> Any:
        called = "clear_flag" if given.pop("set", True) is False else method.__name__
        answer = await getattr(stage(), called)(**given, **fixed)
        return shape.model_validate(answer) if issubclass(shape, BaseModel) else answer

    made: Any = call
    made.__name__ = method.__name__
    made.__signature__ = inspect.Signature(arguments, return_annotation=shape)
    made.__annotations__ = {each.name: each.annotation for each in arguments} | {"return": shape}
    return call


def _about(method: Callable[..., Any]) -> dict[str, str]:
    """What the COMMENT says about each argument, unless it is "as in set_stage"."""
    _, *parts = _BEGINNING.split(method.__doc__ or "")
    return {
        name: " ".join(text.split())
        for names, text in zip(parts[::2], parts[1::2], strict=True)
        for name in re.findall("[a-z_]+", names)
        if not text.startswith("as in set_stage")
    }


def _described(argument: inspect.Parameter, about: str) -> inspect.Parameter:
    kind, name = argument.annotation, argument.name
    if name == "client_id":
        kind = _CLIENT if argument.default is argument.empty else _CLIENT | None
    elif name == "page_size":
        return argument.replace(kind=argument.KEYWORD_ONLY, annotation=_PAGE, default=20)
    else:
        kind = Annotated[kind, Field(description=about)]
    return argument.replace(kind=argument.KEYWORD_ONLY, annotation=kind)


def _shape(kind: Any) -> Any:
    """The type of an answer. A page becomes a model that knows the type of its items."""
    page: Any = get_origin(kind) or kind
    if not issubclass(page, models.Page):
        return kind
    kinds = models.kinds_of(kind)
    found: dict[str, Any] = {
        each.name: (kinds[each.name], ... if each.default is MISSING else each.default) for each in fields(page)
    }
    name = "".join(each.__name__ for each in (page, *get_args(kind)))
    return create_model(name, __config__=ConfigDict(from_attributes=True), __doc__=page.__doc__, **found)
