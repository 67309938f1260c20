"""How a test of the wrapper reaches its stage."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from atlas_stage import (
    Stage,
)
from atlas_stage.models import Client
from tests.support.stack import ADMIN, WAYS, As, stages


@pytest.fixture(params=["psycopg", "http"])
def way(request: pytest.FixtureRequest) -> str:
    """How the stage of a test is reached; every test that asks for a stage runs on each way."""
    return str(request.param)


_numbers = itertools.count(1)

# For features that only database connections or only coroutines have.
over_psycopg = pytest.mark.parametrize("way", ["psycopg"], indirect=True)
also_with_coroutines = pytest.mark.parametrize("way", WAYS, indirect=True)


@pytest.fixture
def as_actor(way: str, fresh_dsn: str) -> Iterator[As]:
    """Gives an actor's stage on a database of the test's own."""
    with stages(way, fresh_dsn) as made:
        yield made


@pytest.fixture
def stage(as_actor: As) -> Stage:
    """The admin's stage."""
    return as_actor(ADMIN)


@pytest.fixture(scope="module")
def stages_of(dsn: str) -> Iterator[Callable[[str], Stage]]:
    """Gives the admin's stage over a way, on the module's database. A gateway takes 0.3 s of CPU."""
    with contextlib.ExitStack() as opened:
        yield functools.cache(lambda way: opened.enter_context(stages(way, dsn))(ADMIN))


@pytest.fixture
def shared_stage(stages_of: Callable[[str], Stage], way: str) -> Stage:
    """The admin's stage on a database that the module's tests share."""
    return stages_of(way)


@pytest.fixture
def client(stage: Stage) -> Client:
    """A client in weekly."""
    made = stage.create_client("Blue Heron", slug="blue-heron").client
    return move(stage, made, "weekly")


@pytest.fixture
def another_client(shared_stage: Stage) -> Client:
    """A client in weekly, the test's own, among those of the module."""
    made = shared_stage.create_client("Blue Heron", slug=f"blue-heron-{next(_numbers)}").client
    return move(shared_stage, made, "weekly")


def move(stage: Stage, client: Client, to_stage: str, **more: Any) -> Client:
    """The client, moved on."""
    return stage.set_stage(client.id, to_stage=to_stage, reason="test", expected_version=client.version, **more).client
