"""`atlas-stage job`: what a person sees and can do."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from atlas_stage.cli import app
from tests.support.calls import client_row, make_client
from tests.support.jobs import JOBS

Run = Callable[..., Result]


@pytest.fixture
def run(fresh_dsn: str) -> Run:
    def start(*words: str) -> Result:
        return CliRunner().invoke(app, ["--database", fresh_dsn, "job", *words])

    return start


@pytest.fixture
def client(fresh_dsn: str) -> int:
    with psycopg.connect(fresh_dsn) as db:
        return make_client(db, name="Grün & Söhne")


def stage_of(dsn: str, client: int) -> str:
    with psycopg.connect(dsn) as db:
        return str(client_row(db, client)["stage"])


def test_list_and_due_have_every_job(run: Run) -> None:
    for command in ("list", "due"):
        shown = run(command)
        assert shown.exit_code == 0
        assert [job for job in JOBS if job not in shown.stdout] == []
    assert {each["job"] for each in json.loads(run("due", "--json").stdout)["jobs"]} == set(JOBS)


def test_a_dry_run_shows_the_rows_and_changes_nothing(run: Run, client: int, fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as db:
        make_client(db, stage="paused_client", name="Asleep", slug="asleep")
    shown = run("run", "stage_autoroll_eom_open", "--dry-run", "--as-of", "2026-05-29")
    assert "Grün & Söhne" in shown.stdout
    assert "weekly -> eom_close" in shown.stdout
    assert "would change 1, would skip 0, paused 1 (asleep)" in shown.stdout
    assert stage_of(fresh_dsn, client) == "weekly"
    assert json.loads(run("runs", "--json").stdout) == {"runs": []}


def test_a_run_as_of_a_day_is_on_the_ledger(run: Run, client: int, fresh_dsn: str) -> None:
    done = run("run", "stage_autoroll_eom_open", "--as-of", "2026-05-29")
    assert done.exit_code == 0
    assert "moved 1" in done.stdout
    assert stage_of(fresh_dsn, client) == "eom_close"
    (found,) = json.loads(run("runs", "stage_autoroll_eom_open", "--json").stdout)["runs"]
    assert (found["outcome"], found["counts"]["moved"]) == ("done", 1)
    assert found["due_at"].startswith("2026-05-29T11:00:00")


def test_a_month_that_was_missed_is_exit_1_and_says_what_to_do(run: Run, client: int, fresh_dsn: str) -> None:
    said = run("run", "stage_autoroll_eom_open", "--as-of", "2026-06-10")
    assert said.exit_code == 1
    assert "--as-of 2026-05-29T06:00" in said.stdout
    assert run("run", "stage_autoroll_eom_open", "--as-of", "2026-05-29T06:00").exit_code == 0
    assert stage_of(fresh_dsn, client) == "eom_close"


def test_as_the_scheduler_does_it(run: Run) -> None:
    assert "done in" in run("run", "flag_seasonal", "--if-due").stdout
    assert "nothing to do" in run("run", "flag_seasonal", "--if-due").stdout


@pytest.mark.parametrize("words", [["run", "nothing"], ["runs", "nothing"]])
def test_an_unknown_job_is_refused(run: Run, words: list[str]) -> None:
    refused = run(*words)
    assert refused.exit_code == 1
    assert "[unknown_job]" in refused.stderr


def test_a_moment_that_is_none_is_wrong_usage(run: Run) -> None:
    assert run("run", "flag_seasonal", "--as-of", "tomorrow").exit_code == 2
