"""One server a run, one migrated template database, one clone of it a module, one transaction a test."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from atlas_stage.local.embedded import postmaster
from atlas_stage.ops import resources
from tests.support import servers
from tests.support.calls import begin_anew
from tests.support.databases import Databases

# Continuous integration repeats the same examples every time; a person's machine looks for new ones.
settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the run a separate folder (or that of --basetemp) for temporary files, and delete it afterwards.

    Pytest's own is common to all runs, and each that begins closes it to other users: also to the one as whom the
    embedded servers of a run by root are at work.
    """
    if config.option.basetemp is None:
        folder = Path(tempfile.mkdtemp(prefix="atlas-tests-"))
        config.option.basetemp = folder / "run"
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at all that the others provoked comes last."""
    items.sort(key=lambda item: item.path.name == "test_comments.py")


@pytest.fixture(scope="session", autouse=True)
def _interrupted_runs_clean_up() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: fixtures are torn down, servers stop."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _only_the_test_names_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("ATLAS_URL", "ATLAS_TOKEN", "ATLAS_DATABASE_URL", "ATLAS_ACTOR"):
        monkeypatch.delenv(setting, raising=False)


def pytest_report_header() -> str:
    return f"PostgreSQL: {servers.chosen()}"


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """DSN of a superuser of the server under test, in its `postgres` database."""
    with servers.server(servers.chosen()) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def databases(server_dsn: str) -> Iterator[Databases]:
    """Makes and drops databases on the server; knows the migrated template."""
    with contextlib.closing(Databases(server_dsn)) as made:
        yield made


@pytest.fixture(scope="module")
def dsn(databases: Databases) -> Iterator[str]:
    """A migrated database of this module's own."""
    with databases.clone() as clone:
        yield clone


@pytest.fixture
def fresh_dsn(databases: Databases) -> Iterator[str]:
    """A migrated database of this test's own, for tests that commit."""
    with databases.clone() as clone:
        yield clone


@pytest.fixture
def empty_dsn(databases: Databases) -> Iterator[str]:
    """An empty database of this test's own."""
    with databases.empty() as made:
        yield made


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A folder for the data; no server of it is left when the test ends."""
    folder = tmp_path / "data"
    yield folder
    while (process := postmaster.find(folder / "pgdata")) is not None:
        process.kill()
        postmaster.wait_until_gone(process, 10)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The next version: a copy of our migrations/ and sql/ that a test may change."""
    for folder in ("migrations", "sql"):
        shutil.copytree(resources.root() / folder, tmp_path / folder)
    return tmp_path


@pytest.fixture(scope="module")
def _module_connection(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn) as connection:
        yield connection


@pytest.fixture
def db(_module_connection: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """A superuser's connection inside a transaction that is rolled back after the test."""
    connection = _module_connection
    begin_anew(connection)
    yield connection
    connection.rollback()


@pytest.fixture
def connect(fresh_dsn: str) -> Iterator[Callable[[], psycopg.Connection]]:
    """Opens as many autocommit connections to the test's own database as are asked for."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(psycopg.connect(fresh_dsn, autocommit=True))
