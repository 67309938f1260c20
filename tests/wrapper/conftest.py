"""How a test of the wrapper reaches its stage."""

from __future__ import annotations

from collections.abc import Iterator
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


@pytest.fixture
def client(stage: Stage) -> Client:
    """A client in weekly."""
    made = stage.create_client("Blue Heron", slug="blue-heron").client
    return move(stage, made, "weekly")


def move(stage: Stage, client: Client, to_stage: str, **more: Any) -> Client:
    """The client, moved on."""
    return stage.set_stage(client.id, to_stage=to_stage, reason="test", expected_version=client.version, **more).client
