"""One server per worker, one migrated template database, one clone of it per module, one transaction per test."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from atlas_stage.local.embedded import postmaster
from atlas_stage.ops import resources
from tests.support import servers
from tests.support.calls import begin_anew, provoked
from tests.support.cluster import temporary_folder
from tests.support.comments import undocumented
from tests.support.databases import Databases

# The folders whose tests need no more than a database.
SHORT = ("catalog", "facts", "ops", "rules")
COMPOSE = "tests/http/test_compose.py"
YEARS = "tests/jobs/test_simulated_years.py"


class ByFile(LoadScopeScheduling):
    """Give a worker a whole file, which shares a database; with Docker compose, the board's tests too.

    Compose makes networks, and a browser that notices one aborts its requests.
    """

    @functools.cached_property
    def _with_compose(self) -> bool:
        return any(each.startswith(COMPOSE) for each in self.collection or [])

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file == YEARS:
            return nodeid  # each has its own database, and takes a minute
        return "network" if self._with_compose and file.startswith((COMPOSE, "tests/board/")) else file


# Continuous integration repeats the same examples every time; a person's machine looks for new ones.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the run a separate folder (or that of --basetemp) for temporary files, and delete it afterwards.

    Pytest's own is common to all runs, and each that begins closes it to other users: also to the one as whom the
    embedded servers of a run by root are at work.
    """
    if config.option.basetemp is None:
        folder = temporary_folder()
        config.option.basetemp = folder / "r"
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that no worker waits for one at the end: those that start servers and programs."""
    items.sort(key=lambda item: item.path.parent.name in SHORT)


def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than cores, for tests wait for browsers and servers.

    A single one on a server that they would have to share: its roles are common to its databases.
    """
    return 0 if servers.is_given() else (os.cpu_count() or 1) + 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Keep the tests of a file on one worker."""
    config.option.loadscopereorder = False  # the order above
    return ByFile(config, log)


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
        if provoked:
            with made.clone() as clone, psycopg.connect(clone) as db:
                missing = undocumented(db, provoked)
            assert not missing, "COMMENTs lack errors that tests ran into:\n" + "\n".join(missing)


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
def upgraded_dsn(databases: Databases) -> Iterator[str]:
    """An old Atlas that was migrated, of this test's own."""
    with databases.upgraded() as clone:
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
    """Opens autocommit connections to the test's own database."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(psycopg.connect(fresh_dsn, autocommit=True))
