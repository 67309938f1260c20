"""A real pg_upgrade, as the runbook has it: readers of the feed continue, and the evidence holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.local.embedded.programs import binaries_of, server_account
from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.doctor import examine
from tests.support.calls import all_breaks, call, make_client, move
from tests.support.cluster import FAST_SETTINGS, temporary_folder

OLD, NEW = 16, 18

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (binaries_of(NEW) / "pg_upgrade").exists(), reason="pg_upgrade is not there"),
]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = temporary_folder()
    yield made
    shutil.rmtree(made)


def run_as_owner(folder: Path, *command: str) -> None:
    done = server_account(folder / "old" / "pgdata").run(command, folder / "work")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_database_that_pg_upgrade_moved_continues(folder: Path) -> None:
    folder.chmod(0o711)
    with EmbeddedPostgres(folder / "old", OLD, settings=FAST_SETTINGS) as old:
        migrate(old.dsn)
        with psycopg.connect(old.dsn, autocommit=True) as db:
            client = make_client(db)
            cursor = call(db, "changes")["cursor"]
            move(db, client, "eom_close")
    for each in ("work", "new"):
        (folder / each).mkdir()
        server_account(folder / "old" / "pgdata").own(folder / each)

    # the new server's folder has the encoding and the checksums of the old one
    new_bin = str(binaries_of(NEW))
    run_as_owner(
        *(folder, f"{new_bin}/initdb", "-D", str(folder / "new" / "pgdata"), "-U", "postgres"),
        *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-data-checksums", "--no-sync"),
    )
    run_as_owner(
        *(folder, f"{new_bin}/pg_upgrade", "-b", str(binaries_of(OLD)), "-B", new_bin),
        *("-d", str(folder / "old" / "pgdata"), "-D", str(folder / "new" / "pgdata")),
        *("-U", "postgres", "-s", str(folder / "work"), "--no-sync"),
    )

    with EmbeddedPostgres(folder / "new", NEW, settings=FAST_SETTINGS) as new:
        with psycopg.connect(new.dsn, autocommit=True) as db:
            before = call(db, "changes", after=cursor)
            move(db, client, "eom_review")
        migrate(new.dsn)
        with psycopg.connect(new.dsn, autocommit=True) as db:
            after = call(db, "changes", after=before["cursor"])
            assert [row["to_stage"] for row in before["changes"]] == ["eom_close"]
            assert [row["to_stage"] for row in after["changes"]] == ["eom_review"]
            assert all_breaks(db) == []
            found = [each for each in examine(db) if each.found and each.severity == "error"]
            assert found == []
