"""Gateways: our own before a test database, or for `api` the one that ATLAS_TEST_URL and ATLAS_TEST_TOKEN name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from tests.http.api import Api
from tests.support.network import Network, network
from tests.support.stack import Stack, stack


@contextlib.contextmanager
def served(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The gateway at ATLAS_TEST_URL, or a new one with a new database."""
    url = os.environ.get("ATLAS_TEST_URL")
    if url:
        with Api(url, os.environ["ATLAS_TEST_TOKEN"]) as made:
            yield made
        return
    databases = request.getfixturevalue("databases")
    with (
        databases.clone() as dsn,
        stack(dsn) as running,
        Api(running.url, running.token(), dsn) as made,
    ):
        yield made


@pytest.fixture(scope="session")
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The gateway that is tested; all modules share it, with the firm behind it."""
    with served(request) as made:
        yield made


@pytest.fixture(scope="module")
def own_api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The same before a firm of the module's own: an empty one, or one whose admin may lose all rights."""
    with served(request) as made:
        yield made


@pytest.fixture(scope="module")
def running(dsn: str) -> Iterator[Stack]:
    """A gateway before the module's database, for those who come through the wrapper."""
    with stack(dsn) as made:
        yield made


@pytest.fixture(scope="module")
def token(running: Stack) -> str:
    """An admin's, for `running`."""
    return running.token()


@pytest.fixture
def between(running: Stack) -> Iterator[Network]:
    """A network before `running`: it sees what is asked, and fails as it is told."""
    with network(running.url) as made:
        yield made


@pytest.fixture
def client(api: Api) -> int:
    """A client in weekly."""
    return api.make_client()
