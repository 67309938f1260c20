"""The server: which tools a caller sees, how a refusal is worded, and the two transports."""

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import lru_cache, partial
from typing import Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, TokenVerifier
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolResult, TextContent, Tool

from atlas_stage import __version__, models
from atlas_stage.async_stage import AsyncStage
from atlas_stage.errors import InvalidInput, StageError, Unauthenticated, Unavailable
from atlas_stage.mcp.tools import READS, add

_CALLERS = 256  # whose connections are kept
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_INSTRUCTIONS = """\
Clients of a bookkeeping firm, each in one stage of its month. Read (`queue`, `client`), then `check`, then `move` with
the version that you read. After version_conflict, read and decide again; after two in a row, leave the client for
later. A refusal is an answer: never try it in other words, report its text to a person who can change it."""


class Server(MCPServer[Any]):
    """The server for callers whose stage `stage` gives."""

    def __init__(self, stage: Callable[[], AsyncStage], person: str | None = None, **options: Any) -> None:
        super().__init__(
            "atlas-stage",
            instructions=_INSTRUCTIONS,
            version=__version__,
            log_level="WARNING",
            subscriptions=False,
            **options,
        )
        self._stage = stage
        self._fixed = {"on_behalf_of"} if person else set()  # what a caller chooses has no effect
        add(self, stage, person)

    async def list_tools(self) -> list[Tool]:
        """The tools that the caller's grants can use now, with the database's words."""
        try:
            actor, summary = await self._stage().whoami(), await self._stage().summary()
        except StageError as error:
            raise MCPError(INVALID_PARAMS, _in_words(error), error.as_json()) from error
        usable = READS.keys() | set(actor.allowed_changes)
        return [_with_words(tool, summary) for tool in await super().list_tools() if tool.name in usable]

    async def call_tool(self, name: str, arguments: dict[str, Any], *args: Any, **more: Any) -> Any:
        """The tool's answer, or the database's refusal in words and as data."""
        # The SDK drops an argument that the tool doesn't have: a filter would have no effect.
        known = {each.name: each.input_schema["properties"] for each in await super().list_tools()}.get(name, arguments)
        if unknown := arguments.keys() - known.keys() - self._fixed:
            refused = InvalidInput(f"{name} has no argument {min(unknown)}.", hint=f"use {', '.join(known)}")
            return CallToolResult(content=[TextContent(type="text", text=_in_words(refused))], is_error=True)
        try:
            return await super().call_tool(name, arguments, *args, **more)
        except ToolError as error:
            if not isinstance(refusal := error.__cause__, StageError):
                raise
            return CallToolResult(
                content=[TextContent(type="text", text=_in_words(refusal))],
                structured_content=refusal.as_json(),
                is_error=True,
            )

    async def read_resource(self, *args: Any, **more: Any) -> Any:
        """The resource, or the database's refusal in words and as data."""
        try:
            return await super().read_resource(*args, **more)
        except ResourceError as error:
            cause = error.__cause__
            while cause is not None and not isinstance(cause, StageError):
                cause = cause.__cause__
            if cause is None:
                raise
            raise MCPError(INVALID_PARAMS, _in_words(cause), cause.as_json()) from error


def _with_words(tool: Tool, summary: models.Summary) -> Tool:
    """The tool with the stages and flags of this firm in its schema."""
    words = {
        "to_stage": [each.stage for each in summary.stages],
        "flag": [each.flag for each in summary.flags],
    }
    schema = deepcopy(tool.input_schema)
    for name in words.keys() & set(schema.get("required", ())):
        schema["properties"][name]["enum"] = words[name]
    return tool.model_copy(update={"input_schema": schema | {"additionalProperties": False}})


def _in_words(error: StageError) -> str:
    """The database's sentence, what to do next, and the facts to decide on."""
    facts = {name: value for name, value in error.details.items() if name not in ("text", "rule")}
    hint = error.hint or "report this to a person"
    return f"{error} ({error.rule})\nWhat to do next: {hint}.\nFacts: {json.dumps(facts, default=str)}"


def serve_stdio(url: str, token: str, person: str | None) -> None:
    """Serve the host that started this program, as the token's actor, until it closes the pipe."""
    stage = AsyncStage.connect(url, token)
    Server(lambda: stage, person).run("stdio")


class Callers(TokenVerifier):
    """The stages of callers over HTTP. Each sends a token of the API: this server has none and decides nothing."""

    def __init__(self, url: str) -> None:
        # A stage keeps its connections between requests. Raises Unauthenticated if the token is malformed.
        self._stage_of = lru_cache(_CALLERS)(partial(AsyncStage.connect, url))

    async def verify_token(self, token: str) -> AccessToken | None:
        """Answer 401 if the API does. If the API can't be reached, the tools say so in words."""
        try:
            actor = (await self._stage_of(token).whoami()).actor_id
        except Unauthenticated:
            return None
        except Unavailable:
            actor = "unknown"
        return AccessToken(token=token, client_id=actor, scopes=[])

    def stage(self) -> AsyncStage:
        """The stage of the caller whose request this is."""
        caller = get_access_token()
        if caller is None:
            raise Unauthenticated("no token is given", hint="send Authorization: Bearer")
        return self._stage_of(caller.token)


def serve_http(url: str, host: str, port: int, names: Sequence[str], person: str | None) -> None:
    """Serve over streamable HTTP at /mcp. `names`: how clients call this server, besides its address."""
    callers = Callers(url)
    # Without a resource URL the SDK offers no OAuth discovery: a token of the API is the only way in.
    auth = AuthSettings.model_validate({"issuer_url": url, "resource_server_url": None})
    Server(callers.stage, person, auth=auth, token_verifier=callers).run(
        "streamable-http",
        host=host,
        port=port,
        stateless_http=True,
        json_response=True,
        transport_security=protection(host, names),
    )


def protection(host: str, names: Sequence[str]) -> TransportSecuritySettings:
    """Accept only these names in Host and Origin, so that no web page reaches this server by rebinding its name."""
    if host in ("0.0.0.0", "::") and not names:  # noqa: S104
        message = f"With --listen {host}, say by which name clients reach this server."
        raise InvalidInput(message, hint="add --name atlas.example.com")
    known = [f"[{each}]" if ":" in each else each for each in (*LOOPBACK, host, *names)]
    hosts = [*known, *(f"{each}:*" for each in known)]
    origins = [f"{scheme}://{each}" for scheme in ("http", "https") for each in hosts]
    return TransportSecuritySettings(allowed_hosts=hosts, allowed_origins=origins)
