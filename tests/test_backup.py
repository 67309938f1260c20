"""The runbook's backup and restore: pg_dump, psql, and a database in which everything is valid again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from atlas_stage import Stage
from atlas_stage.ops import deploy, doctor, evidence
from tests.jobs import calendar
from tests.support.calls import ADMIN, call, make_client, move
from tests.support.catalogs import schema_lines
from tests.support.cluster import Cluster
from tests.support.databases import Databases


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Cluster, Cluster]]:
    """Where the firm works, and an empty server to restore to."""
    with Cluster(18) as here, Cluster(18) as there:
        yield here, there


def run(cluster: Cluster, program: str, *arguments: str) -> str:
    done = subprocess.run([str(cluster.binaries / program), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def contents(dsn: str) -> dict[str, list[tuple[object, ...]]]:
    """Every table's rows."""
    tables = "select oid::regclass::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    with psycopg.connect(dsn) as db:
        return {
            table: db.execute(f"select t::text from {table} t order by 1".encode()).fetchall()
            for (table,) in db.execute(tables).fetchall()
        }


def without_brackets(dsn: str) -> list[str]:
    """The schema; a chain of `or` comes back from a dump with fewer brackets."""
    return sorted(line.translate({ord("("): None, ord(")"): None}) for line in schema_lines(dsn))


def work_a_month(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as db:
        clients = [make_client(db, schedule="monthly") for _ in range(5)]
        db.execute("call jobs.run_in_slices('stage_autoroll_eom_open', %s)", (calendar.rolls_on(2026, 5),))
        db.execute("call jobs.run_in_slices('flag_sales_tax_due', %s)", (calendar.at(date(2026, 6, 10)),))
        move(
            db,
            clients[0],
            "eom_review",
            external_id="key-1",
            payload={"note": "Grün\n\t'\"\\ 東京"},
        )
        call(db, "issue_token", actor_id="agent:tally", never_expires=True)
        call(db, "update_client", client_id=clients[1], notes="two\nlines")


def test_a_dump_restores_to_an_empty_server_and_everything_is_valid(
    servers: tuple[Cluster, Cluster], tmp_path: Path
) -> None:
    here, there = servers
    deploy.migrate(here.dsn)
    work_a_month(here.dsn)
    roles, dump = tmp_path / "roles.sql", tmp_path / "atlas.sql"
    made = digest(here.dsn)

    run(here, "pg_dumpall", "--dbname", here.dsn, "--roles-only", "--file", str(roles))
    run(here, "pg_dump", "--dbname", here.dsn, "--file", str(dump))
    run(there, "psql", "--no-psqlrc", "--quiet", "--dbname", there.dsn, "--file", str(roles))
    run(
        there,
        "psql",
        "--no-psqlrc",
        "--quiet",
        "--set",
        "ON_ERROR_STOP=1",
        "--single-transaction",
        "--dbname",
        there.dsn,
        "--file",
        str(dump),
    )

    assert contents(there.dsn) == contents(here.dsn)
    assert without_brackets(there.dsn) == without_brackets(here.dsn)
    with psycopg.connect(there.dsn, autocommit=True) as db:
        assert [each.name for each in doctor.examine(db) if each.found] == ["feed stopped"]
        done = deploy.migrate(there.dsn)
        assert [each.name for each in doctor.examine(db) if each.found] == []
    assert (done.applied, done.marked, done.logic_changed) == ([], [], False)
    goes_on_where_it_was(there.dsn)
    assert digest(there.dsn, as_of=made) == made


def digest(dsn: str, as_of: str | None = None) -> str | None:
    with Stage.connect(dsn, ADMIN) as stage:
        return evidence.digest(stage, as_of).digest


def goes_on_where_it_was(dsn: str) -> None:
    """Keys, sequences, guards and the jobs' own memory came along."""
    with psycopg.connect(dsn, autocommit=True) as db:
        first = db.execute("select min(id) from clients").fetchone()
        assert first is not None
        again = move(
            db,
            first[0],
            "eom_review",
            external_id="key-1",
            expected_version=2,
            payload={"note": "Grün\n\t'\"\\ 東京"},
        )
        assert again["replayed"]
        make_client(db, slug="after-the-restore")
        with pytest.raises(psycopg.Error, match="append-only"):
            db.execute("delete from stage_history")
        db.execute(
            "call jobs.run_in_slices('stage_autoroll_eom_open', %s, false)",
            (calendar.rolls_on(2026, 5),),
        )
        moved = db.execute("select counts ->> 'moved' from job_runs where job = 'stage_autoroll_eom_open'").fetchone()
        assert moved == ("6",)  # the five of before and the new one
        assert call(db, "whoami", actor=ADMIN)["actor_id"] == ADMIN


def test_a_dump_taken_while_the_jobs_work_is_of_one_moment(databases: Databases) -> None:
    # pg_dump reads in one snapshot; a history row and its client's version are of one transaction.
    with databases.clone() as dsn, psycopg.connect(dsn, autocommit=True) as db:
        make_client(db)
        with psycopg.connect(dsn) as reader:
            reader.execute("set transaction isolation level repeatable read")
            reader.execute("select 1 from clients")
            db.execute(
                "call jobs.run_in_slices('stage_autoroll_eom_open', %s)",
                (calendar.rolls_on(2026, 5),),
            )
            row = reader.execute(
                "select max(h.version) = max(c.version) from clients c join stage_history h on h.client_id = c.id"
            ).fetchone()
        assert row == (True,)
