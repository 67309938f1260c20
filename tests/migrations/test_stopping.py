"""A deploy that stops anywhere leaves the host able to insert, update and delete, and the next one finishes it."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from atlas_stage.ops import doctor
from atlas_stage.ops.deploy import migrate
from tests.support.calls import all_breaks
from tests.support.databases import Databases
from tests.support.old_atlas import make_old_atlas

KEPT = "PT409"  # of an installed system: a client is not deleted


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed_at(statement: int) -> Iterator[list[str]]:
    """Cut the deploy's connections before its n-th statement; the statements so far."""
    run, connect = psycopg.Cursor.execute, psycopg.connect
    ran: list[str] = []
    opened: list[psycopg.Connection] = []

    def counted(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            return run(cursor, query, *args, **options)
        if len(ran) == statement:
            for each in opened:
                each.close()
            raise Killed
        ran.append(str(query)[:60])
        return run(cursor, query, *args, **options)

    def noted(*args: Any, **options: Any) -> Any:
        opened.append(connect(*args, **options))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counted)
        patch.setattr(psycopg, "connect", noted)
        yield ran


def statements_of(dsn: str, **options: Any) -> list[str]:
    with killed_at(10**9) as ran:
        migrate(dsn, **options)
    return ran


def work_as_the_host(dsn: str, numbers: Iterator[int]) -> None:
    """One client comes, changes and goes, as in a program that knows nothing of stages."""
    with psycopg.connect(dsn, autocommit=True) as host:
        host.execute("set lock_timeout = '10s'")
        slug = f"host-{next(numbers)}"
        host.execute("insert into clients (name, slug) values ('Host', %s)", (slug,))
        host.execute("update clients set notes = 'seen' where slug = %s", (slug,))
        refused = None
        try:
            host.execute("delete from clients where slug = %s", (slug,))
        except psycopg.Error as error:
            refused = error.sqlstate
    assert refused in {None, KEPT}


def stops(deploy: Callable[[], object], at: int) -> bool:
    with killed_at(at):
        try:
            deploy()
        except Killed:
            return True
    return False


def is_whole(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as db:
        assert [each for each in doctor.examine(db) if each.found] == []
        assert all_breaks(db) == []


def some(total: int) -> range:
    """Every statement of a deploy with ATLAS_TEST_STOPS=all, else a dozen."""
    return range(0, total, 1 if os.environ.get("ATLAS_TEST_STOPS") == "all" else total // 12)


@pytest.mark.slow
def test_a_first_install_may_be_killed_at_any_statement(databases: Databases) -> None:
    numbers = itertools.count()
    with databases.empty() as dsn:
        make_old_atlas(dsn)
        total = len(statements_of(dsn))
    for at in some(total):
        with databases.empty() as dsn:
            make_old_atlas(dsn)
            assert stops(lambda dsn=dsn: migrate(dsn), at), at  # type: ignore[misc]

            work_as_the_host(dsn, numbers)

            migrate(dsn)
            work_as_the_host(dsn, numbers)
            is_whole(dsn)


def next_version(root: Path) -> None:
    """A version whose migration demands what only its own stored logic fulfills."""
    (root / "migrations" / "900_next.sql").write_text(
        "-- depends: 016_trial\n"
        "alter table public.clients add column filled text default 'old';\n"
        "alter table public.clients alter column filled drop default;\n"
        "alter table public.clients add constraint clients_filled_check check (filled is not null);\n"
        "insert into public.atlas_migrations (id, note) values ('900_next', 'next');\n"
    )
    (root / "migrations" / "900_next.rollback.sql").write_text("select 1;")
    file = root / "sql" / "rules" / "write" / "stamp_plain_sql.sql"
    file.write_text(file.read_text().replace("    return new;\n", "    new.filled := 'new';\n    return new;\n"))
    for name in ("write_new_client", "write_trial_client"):
        file = root / "sql" / "rules" / "write" / f"{name}.sql"
        text = file.read_text().replace("slug, stage,", "slug, filled, stage,")
        text = text.replace("write_new_client.slug, client.stage", "write_new_client.slug, 'new', client.stage")
        text = text.replace("(id, name, slug)", "(id, name, slug, filled)")
        file.write_text(text.replace("write_trial_client.slug)", "write_trial_client.slug, 'new')"))


@pytest.mark.slow
def test_an_upgrade_may_be_killed_at_any_statement(databases: Databases, root: Path) -> None:
    next_version(root)
    numbers = itertools.count()
    with databases.clone() as dsn:
        total = len(statements_of(dsn, root=root))
    for at in some(total):
        with databases.clone() as dsn:
            assert stops(lambda dsn=dsn: migrate(dsn, root=root), at), at  # type: ignore[misc]

            work_as_the_host(dsn, numbers)

            assert migrate(dsn, root=root).failed == []
            work_as_the_host(dsn, numbers)


def test_the_host_works_while_we_are_installed(empty_dsn: str) -> None:
    make_old_atlas(empty_dsn)
    numbers = itertools.count()
    done = threading.Event()
    failures: list[BaseException] = []
    worked = 0

    def host() -> None:
        nonlocal worked
        while not done.is_set():
            try:
                work_as_the_host(empty_dsn, numbers)
                worked += 1
            except BaseException as error:
                failures.append(error)

    thread = threading.Thread(target=host)
    thread.start()
    try:
        migrate(empty_dsn)
        migrate(empty_dsn, force=True)
    finally:
        done.set()
        thread.join()
    assert failures == []
    assert worked > 3
    is_whole(empty_dsn)
