"""One gateway a run: our own before a test database, or the one that ATLAS_TEST_URL and ATLAS_TEST_TOKEN name."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from tests.http.api import Api
from tests.support.stack import stack


@contextlib.contextmanager
def served(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The named gateway, or one of our own before a database of its own."""
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
    with served(request) as made:
        yield made


@pytest.fixture
def client(api: Api) -> int:
    """A client in weekly."""
    return api.make_client()
