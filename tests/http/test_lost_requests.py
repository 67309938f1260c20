"""What gets lost between a caller and the API is sent again only where twice is as good as once."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import get_type_hints

import psycopg
import pytest

from atlas_stage import AsyncStage, HttpTransport, Stage, StageError, Unavailable, VersionConflict
from atlas_stage.arguments import ClientName, Json
from atlas_stage.models import Client
from tests.support.network import Network
from tests.support.stack import ADMIN, Stack


@pytest.fixture
def stage(between: Network, token: str) -> Iterator[Stage]:
    """The admin's stage behind that network; it has begun."""
    with Stage.connect(url=between.url, token=token) as made:
        made.whoami()
        between.will()
        yield made


@pytest.fixture
def client(running: Stack, token: str, request: pytest.FixtureRequest) -> Client:
    """A new client; the network is not in its way."""
    with Stage.connect(url=running.url, token=token) as direct:
        return direct.create_client(request.node.name, slug=request.node.name).client


LOST = ["lose_request", "lose_answer", "cut_answer", "502", "503", "504"]


@pytest.mark.parametrize("fault", LOST)
def test_a_read_is_asked_again(stage: Stage, between: Network, client: Client, fault: str) -> None:
    between.will(fault, fault)
    assert stage.client(client.id).client == client
    assert between.paths == ["/rpc/client"] * 3


@pytest.mark.parametrize("fault", LOST)
def test_a_write_is_sent_again_with_the_same_key_and_done_once(
    stage: Stage, between: Network, client: Client, fault: str
) -> None:
    between.will(fault, fault)
    change = stage.set_flag(client.id, flag="client_blocking", reason="no statements")
    assert (change.changed, change.replayed) == (True, False)
    assert len(between.requests) == 3
    assert len({headers["Idempotency-Key"] for _, headers in between.requests}) == 1
    assert change.history is not None
    assert [row.flag_added for row in stage.iter_history(client.id)] == ["client_blocking", None]


@pytest.mark.parametrize(
    "write",
    [
        lambda stage, client: stage.set_stage(
            client.id, to_stage="cleanup", reason="x", expected_version=client.version
        ),
        lambda stage, client: stage.set_stages(
            [{"client_id": client.id, "to_stage": "weekly", "reason": "x", "expected_version": 0}]
        ),
        lambda stage, client: stage.update_client(client.id, owner=ADMIN),
        lambda stage, client: stage.create_client("Other", slug=f"other-of-{client.slug}"),
        lambda stage, client: stage.rollback(client.id, history_id=_flagged(stage, client), reason="x"),
    ],
    ids=["set_stage", "set_stages", "update_client", "create_client", "rollback"],
)
def test_every_write_that_takes_a_key_survives_a_lost_answer(
    stage: Stage, between: Network, client: Client, write: Callable[[Stage, Client], object]
) -> None:
    between.will()
    if "rollback" in client.slug:
        stage.set_flag(client.id, flag="advisory_due")
    between.will(*["", "lose_answer"] if "rollback" in client.slug else ["lose_answer"])
    write(stage, client)
    path = between.paths[-1]
    assert between.paths.count(path) == 2


def _flagged(stage: Stage, client: Client) -> int:
    return stage.stage_history(client.id, page_size=1)[0].id


def test_a_callers_own_key_is_kept_and_the_replay_is_told(stage: Stage, between: Network, client: Client) -> None:
    between.will("lose_answer")
    key = f"mine-{client.id}"
    change = stage.set_flag(client.id, flag="client_blocking", external_id=key)
    assert change.replayed
    assert change.history is not None
    assert change.history.external_id == key
    assert all("Idempotency-Key" not in headers for _, headers in between.requests)


@pytest.mark.parametrize("fault", LOST)
def test_a_write_without_a_key_is_never_sent_twice(stage: Stage, between: Network, fault: str) -> None:
    between.will(fault)
    with pytest.raises(Unavailable):
        stage.issue_token("agent:tally", never_expires=True)
    between.will(fault)
    with pytest.raises(Unavailable):
        stage.grant_permission("agent:tally", permission="can_set_flag")
    assert between.paths == ["/rpc/grant_permission"]


def test_a_refusal_is_an_answer_and_not_asked_again(stage: Stage, between: Network, client: Client) -> None:
    between.will()
    with pytest.raises(VersionConflict):
        stage.set_stage(client.id, to_stage="weekly", reason="x", expected_version=7)
    assert len(between.requests) == 1


def test_it_gives_up_after_five_tries(stage: Stage, between: Network) -> None:
    between.will(*["503"] * 9)
    with pytest.raises(Unavailable):
        stage.whoami()
    assert len(between.requests) == 5


def test_what_takes_too_long_is_unavailable(between: Network, token: str) -> None:
    between.will("delay")
    with (
        closing(HttpTransport(between.url, token, timeout=0.3)) as transport,
        pytest.raises(Unavailable, match="in time"),
    ):
        transport.call("whoami", {}, read=True)


@pytest.mark.parametrize("fault", ["html", "301", "404", "500"])
def test_something_else_at_the_address_is_told(stage: Stage, between: Network, fault: str) -> None:
    between.will(fault)
    with pytest.raises(Unavailable, match="not an answer of the stage's API") as caught:
        stage.whoami()
    assert "ATLAS_URL" in (caught.value.hint or "")
    assert len(between.requests) == 1


def test_nobody_at_the_address_is_unavailable(token: str) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Stage.connect(url=url, token=token) as stage, pytest.raises(Unavailable) as caught:
            stage.issue_token("agent:tally", never_expires=True)
    assert caught.value.rule == "unreachable"


def test_reads_and_writes_survive_that_the_api_loses_its_database_for_a_moment(
    running: Stack, stage: Stage, client: Client
) -> None:
    for write in (False, True):
        with psycopg.connect(running.dsn, autocommit=True) as db:
            db.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        if write:
            assert stage.set_flag(client.id, flag="advisory_due").changed
        else:
            assert stage.client(client.id).client == client


def test_coroutines_send_again_too_and_many_are_under_way_at_a_time(
    between: Network, token: str, client: Client
) -> None:
    async def ask() -> None:
        async with AsyncStage.connect(url=between.url, token=token) as stage:
            await stage.whoami()
            between.will("lose_answer", "503")
            change = await stage.set_flag(client.id, flag="client_blocking")
            assert (change.changed, change.replayed) == (True, False)
            found = await asyncio.gather(*(stage.client(client.id) for _ in range(20)))
            assert {each.client.version for each in found} == {1}

    asyncio.run(ask())


def test_a_stage_begins_with_whoami_which_marks_the_use_of_its_token(
    between: Network, token: str, client: Client
) -> None:
    with Stage.connect(url=between.url, token=token) as stage:
        stage.client(client.id)
        stage.client(client.id)
    assert between.paths == ["/rpc/whoami", "/rpc/client", "/rpc/client"]


# Any value of each type that an argument of a method may have.
_ANY = {
    ClientName: 1,
    int: 1,
    str: "x",
    datetime: datetime(2100, 1, 1, tzinfo=UTC),
    Sequence[Json]: [],
    Sequence[int | Client]: [],
    Json: {},
}


def test_a_key_goes_with_every_write_that_takes_one_and_with_no_other_call(
    running: Stack, stage: Stage, between: Network
) -> None:
    query = """
        with recursive looks as (
          select 'rules.earlier_answer' collate "C" as name
          union
          select 'rules.' || p.proname
          from looks join pg_proc p on p.prosrc like '%' || looks.name || '(%'
          where p.pronamespace = 'rules'::regnamespace
        )
        select
          p.proname,
          bool_or(
            exists (select from looks where p.prosrc like '%' || looks.name || '(%')
            or coalesce('external_id' = any (p.proargnames), false)
          )
        from pg_proc p
        where p.pronamespace = 'api'::regnamespace
        group by 1
    """
    with psycopg.connect(running.dsn) as db:
        takes_a_key = dict(db.execute(query).fetchall())
    for name in (each for each in takes_a_key if hasattr(stage, each)):
        method = getattr(stage, name)
        hints = get_type_hints(method, include_extras=True)
        needed = {
            each.name: _ANY[hints[each.name]]
            for each in inspect.signature(method).parameters.values()
            if each.default is each.empty and each.kind is not each.VAR_KEYWORD
        }
        between.will()
        with contextlib.suppress(StageError):
            method(**needed)
        (_, headers), *_more = between.requests
        assert ("Idempotency-Key" in headers) == takes_a_key[name], name
