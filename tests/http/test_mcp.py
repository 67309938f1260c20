"""`atlas-stage mcp` before the real stack, with the SDK's own client, over stdio and streamable HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import httpx2
import psycopg
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from atlas_stage import Stage
from atlas_stage.errors import InvalidInput
from atlas_stage.mcp.server import protection
from tests.support.cases import rare_except
from tests.support.stack import Stack

MCP = [sys.executable, "-m", "atlas_stage", "mcp"]
READS = {"queue", "clients", "client", "history", "check", "closes", "changes"}
CHANGES = {"move", "flag", "undo"}

Session = Callable[[str], contextlib.AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
def served(running: Stack) -> Iterator[str]:
    """The address of `atlas-stage mcp --http`, which holds no token."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = [*MCP, "--http", "--listen", f"127.0.0.1:{port}"]
    environment = {**os.environ, "ATLAS_URL": running.url}
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE) as process:
        url = f"http://127.0.0.1:{port}/mcp"
        for _ in range(200):
            with contextlib.suppress(httpx.TransportError):
                httpx.get(url, trust_env=False, verify=False)
                break
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.05)
        yield url
        process.terminate()


WAYS = ["stdio", "http", "http-2025"]
over_each_way = pytest.mark.parametrize("session", WAYS, indirect=True)


@pytest.fixture(params=rare_except(["http"], WAYS))
def session(request: pytest.FixtureRequest, running: Stack) -> Session:
    """Connects an agent's token over each transport, and over HTTP also in the older protocol."""
    way: str = request.param
    url = request.getfixturevalue("served") if way != "stdio" else ""

    @contextlib.asynccontextmanager
    async def connected(token: str) -> AsyncIterator[Client]:
        if way == "stdio":
            environment = {"ATLAS_URL": running.url, "ATLAS_TOKEN": token}
            server = StdioServerParameters(command=MCP[0], args=MCP[1:], env=environment)
            async with Client(server) as client:
                yield client
            return
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, trust_env=False) as http:
            transport = streamable_http_client(url, http_client=http)
            mode = "legacy" if way == "http-2025" else "auto"
            async with Client(transport, mode=mode) as client:
                yield client

    return connected


@pytest.fixture
def client(running: Stack) -> Iterator[int]:
    """A client in weekly of which user:jimmie is the owner."""
    with running.stage() as stage:
        slug = f"blue-heron-{time.monotonic_ns()}"
        made = stage.create_client("Blue Heron", slug, stage="weekly", owner="agent:tally")
        yield made.client.id


def agent(running: Stack, *grants: tuple[str, dict[str, Any] | None]) -> str:
    """The token of a new agent with these grants and no others."""
    name = f"agent:tally-{time.monotonic_ns()}"
    with running.stage() as stage:
        for permission, scope in grants:
            stage.grant_permission(name, permission, scope=scope)
    return running.token(name)


def within(session: Session, token: str, work: Callable[[Client], Awaitable[Any]]) -> Any:
    """Do this in a session of the token."""

    async def run() -> Any:
        async with session(token) as client:
            return await work(client)

    return asyncio.run(asyncio.wait_for(run(), 60))


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@over_each_way
def test_an_agent_that_may_do_little_sees_only_what_it_can_use(session: Session, running: Stack) -> None:
    token = agent(running, ("can_set_flag", {"flags": ["client_blocking"]}))

    async def listed(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == READS | {"flag", "undo"}
        for name, tool in tools.items():
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is (name in READS)
            assert tool.description
            assert tool.output_schema is not None
        flags = tools["flag"].input_schema["properties"]["flag"]["enum"]
        assert "client_blocking" in flags

    within(session, token, listed)


def test_a_grant_or_a_flag_of_the_firm_is_there_at_the_next_listing(session: Session, running: Stack) -> None:
    name = f"agent:echo-{time.monotonic_ns()}"
    token = running.token(name)
    flag = f"audit_{time.monotonic_ns()}"

    async def listed(client: Client) -> None:
        before = await client.list_tools(cache_mode="bypass")
        assert {tool.name for tool in before.tools} == READS
        with running.stage() as admin, psycopg.connect(running.dsn) as db:
            admin.grant_permission(name, "can_set_flag")
            db.execute("insert into stage_flags values (%s, 'a flag', '{anyone}')", [flag])
        after = await client.list_tools(cache_mode="bypass")
        (tool,) = (each for each in after.tools if each.name == "flag")
        assert flag in tool.input_schema["properties"]["flag"]["enum"]

    within(session, token, listed)


@over_each_way
def test_it_reads_checks_and_moves_with_the_version(session: Session, running: Stack, client: int) -> None:
    token = agent(running, ("can_set_stage", None))

    async def worked(mcp: Client) -> None:
        seen = (await mcp.call_tool("client", {"client_id": client})).structured_content
        assert seen is not None
        assert seen["client"]["stage"] == "weekly"
        check = await mcp.call_tool("check", {"client_id": client, "to_stage": "eom_close"})
        assert check.structured_content is not None
        assert check.structured_content["allowed"] is True
        arguments = {
            "client_id": client,
            "to_stage": "eom_close",
            "reason": "May is over",
            "expected_version": seen["client"]["version"],
            "external_id": f"mcp-{client}",
        }
        for replayed in (False, True):  # the same call again is the same intention
            moved = await mcp.call_tool("move", arguments)
            assert moved.structured_content is not None, text(moved)
            assert moved.structured_content["client"]["stage"] == "eom_close"
            assert moved.structured_content["replayed"] is replayed
        undone = await mcp.call_tool("undo", {"client_id": client, "expected_version": 1, "reason": "wrong client"})
        assert undone.structured_content is not None, text(undone)
        assert undone.structured_content["client"]["stage"] == "weekly"

    within(session, token, worked)


def test_every_reading_tool_answers_in_its_own_schema(session: Session, running: Stack, client: int) -> None:
    with running.stage() as admin:
        admin.move(client, "eom_close", "May is over", close_period="2026-05")

    async def read(mcp: Client) -> None:
        await mcp.list_tools()  # from here the SDK's client validates answers against the schemas
        for name, arguments in {
            "queue": {"actor_id": "agent:tally"},
            "clients": {"stage": "eom_close"},
            "history": {"client_id": client},
            "closes": {"month": "2026-05"},
            "changes": {"since": "2026-01-01T00:00:00Z"},
        }.items():
            result = await mcp.call_tool(name, arguments)
            assert not result.is_error, text(result)
            assert result.structured_content is not None
            assert result.structured_content["items"], name

    within(session, agent(running), read)


def test_a_refusal_is_a_tool_error_in_words_with_what_to_do_next(session: Session, running: Stack, client: int) -> None:
    token = agent(running, ("can_set_flag", {"flags": ["client_blocking"]}))

    async def refused(mcp: Client) -> None:
        not_listed = {"client_id": client, "to_stage": "eom_close", "reason": "x"}
        result = await mcp.call_tool("move", {**not_listed, "expected_version": 0})
        assert result.is_error
        assert "permission_missing" in text(result)
        assert "You need permission to move and change clients. Ask an admin" in text(result)
        assert "What to do next: " in text(result)
        assert result.structured_content is not None
        assert result.structured_content["rule"] == "permission_missing"
        assert result.structured_content["details"]["permission"] == "can_set_stage"
        result = await mcp.call_tool(
            "flag",
            {"client_id": "no-such-client", "flag": "advisory_due", "set": True, "reason": "x"},
        )
        assert "client_not_found" in text(result)
        arguments = {"client_id": client, "flag": "advisory_due", "set": True, "reason": "x"}
        result = await mcp.call_tool("flag", arguments)
        assert result.is_error
        assert "scope" in text(result)

    within(session, token, refused)


def test_a_client_s_story_and_a_month_s_close_are_resources(session: Session, running: Stack, client: int) -> None:
    with running.stage() as admin:
        admin.move(client, "eom_close", "May is over", close_period="2026-05")

    async def read(mcp: Client) -> None:
        templates = (await mcp.list_resource_templates()).resource_templates
        assert {each.uri_template for each in templates} == {
            "atlas://clients/{client}/story",
            "atlas://closes/{month}",
        }
        story = await _json(mcp, f"atlas://clients/{client}/story")
        assert [row["reason"] for row in story["history"]][-1] == "May is over"
        close = await _json(mcp, "atlas://closes/2026-05")
        assert close["open"] >= 1
        assert client in [each["client_id"] for each in close["closes"]]
        assert (await _json(mcp, "atlas://closes/current"))["month"]
        with pytest.raises(MCPError, match="client_not_found"):
            await mcp.read_resource("atlas://clients/none/story")

    within(session, agent(running), read)


async def _json(mcp: Client, uri: str) -> Any:
    (content,) = (await mcp.read_resource(uri)).contents
    return json.loads(content.text)  # type: ignore[union-attr]


def test_an_argument_that_a_tool_does_not_have_is_refused(session: Session, running: Stack, client: int) -> None:
    token = agent(running, ("can_set_flag", None))

    async def tried(mcp: Client) -> None:
        listed = await mcp.call_tool("clients", {"tier": "full_service"})
        assert listed.is_error
        assert "clients has no argument tier." in text(listed)
        arguments = {"client_id": client, "flag": "advisory_due", "expected_version": 1}
        assert (await mcp.call_tool("flag", arguments)).is_error
        seen = (await mcp.call_tool("client", {"client_id": client})).structured_content
        assert seen is not None
        assert seen["client"]["flags"] == []

    within(session, token, tried)


def test_a_relay_fixes_the_person_so_that_no_model_can_choose(running: Stack, client: int) -> None:
    token = agent(running, ("can_set_flag", None))
    environment = {"ATLAS_URL": running.url, "ATLAS_TOKEN": token}
    line = [*MCP[1:], "--on-behalf-of", "user:ana"]

    async def flagged() -> None:
        server = StdioServerParameters(command=MCP[0], args=line, env=environment)
        async with Client(server) as mcp:
            (tool,) = (each for each in (await mcp.list_tools()).tools if each.name == "flag")
            assert "on_behalf_of" not in tool.input_schema["properties"]
            arguments = {"client_id": client, "flag": "advisory_due", "set": True, "reason": "x"}
            chosen = await mcp.call_tool("flag", arguments | {"on_behalf_of": "user:eve"})
            assert chosen.structured_content is not None, text(chosen)
            assert chosen.structured_content["history"]["on_behalf_of"] == "user:ana"

    asyncio.run(asyncio.wait_for(flagged(), 60))


def test_over_http_a_request_without_a_valid_token_of_its_own_is_401(served: str, running: Stack) -> None:
    revoked = running.token("agent:gone")
    with Stage.connect(url=running.url, token=revoked) as stage:
        stage.whoami()
    assert _initialize(served, Authorization=f"Bearer {revoked}") == 200
    with running.stage() as admin:
        (token,) = admin.tokens("agent:gone")
        admin.revoke_token(token.id)
    assert _initialize(served, Authorization=f"Bearer {revoked}") == 401
    assert _initialize(served) == 401
    assert _initialize(served, Authorization="Bearer guessed") == 401


def test_over_http_a_web_page_reaches_it_by_no_name_that_it_doesn_t_know(served: str, token: str) -> None:
    known = {"Authorization": f"Bearer {token}"}
    assert _initialize(served, **known) == 200
    assert _initialize(served, **known, Host="rebound.example:8081") == 421
    assert _initialize(served, **known, Origin="https://evil.example") == 403


def _initialize(url: str, **headers: str) -> int:
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    accept = {"Accept": "application/json, text/event-stream"}
    return httpx.post(url, json=body, headers=accept | headers, trust_env=False, verify=False).status_code


def test_listening_on_all_addresses_needs_the_name_that_clients_use() -> None:
    with pytest.raises(InvalidInput):
        protection("0.0.0.0", [])
    assert "atlas.example.com" in protection("0.0.0.0", ["atlas.example.com"]).allowed_hosts


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['mcp'] = None; from atlas_stage.cli import app; app(['mcp'])"
    environment = os.environ | {"ATLAS_URL": "http://localhost:1", "ATLAS_TOKEN": "x"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'atlas-stage[mcp]'" in done.stderr


def test_without_an_address_it_ends_in_a_sentence(tmp_path: Any) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
    done = subprocess.run(MCP, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ATLAS_URL" in done.stderr
