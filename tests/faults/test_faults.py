"""No acknowledged change is lost or done twice, whichever process dies; and the checker detects planted errors.

`python lab/faults` does the same for as long as it is told to.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from atlas_stage import PsycopgTransport, Stage
from lab.faults import sabotage
from lab.faults.check import check
from lab.faults.house import house
from lab.faults.run import run
from lab.faults.ways import ADMIN, with_psycopg
from lab.faults.writers import at_work
from tests.support.databases import Databases

pytestmark = pytest.mark.slow

_ALL_OF_IT_SECONDS = 30


@pytest.mark.skipif("ATLAS_TEST_URL" in os.environ, reason="kills the server")
def test_logs_and_database_tell_one_story_after_everything_has_happened(tmp_path: Path) -> None:
    verdict, house = run(tmp_path, _ALL_OF_IT_SECONDS, tell=print)
    print("\n".join(verdict.lines()))
    assert verdict.broken == {}
    assert verdict.acknowledged > 200
    assert verdict.unanswered == 0
    assert house.deploys.tried > house.deploys.refused
    assert any("503" in each for each in verdict.statuses)


def test_a_server_that_is_down_already_is_brought_back_before_it_is_killed(tmp_path: Path) -> None:
    with house(tmp_path) as at:
        at.server.stop()
        for happens in (at.kill_postgresql, at.stop_the_clock_of_postgresql):
            happens()
            at.heal()
        with psycopg.connect(at.dsn) as db:
            assert db.execute("select count(*) from clients").fetchone() == (0,)


def written(dsn: str, folder: Path, seconds: float) -> list[int]:
    """Let writers work; the ids of their clients."""
    folder.mkdir(exist_ok=True)
    with Stage(PsycopgTransport(dsn, ADMIN)) as stage:
        shared = [stage.create_client(f"S {n}", slug=f"s-{n}").client.id for n in range(3)]
    ways = [lambda: with_psycopg(dsn)] * 4
    with at_work(ways, shared, folder, {"reader": ways[0]}):
        time.sleep(seconds)
    return shared


@pytest.fixture(scope="module")
def story(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[int], Path]]:
    folder = tmp_path_factory.mktemp("logs")
    with databases.clone() as dsn:
        yield dsn, written(dsn, folder, 2), folder


def test_an_undisturbed_story_is_whole(story: tuple[str, list[int], Path]) -> None:
    dsn, shared, folder = story
    with psycopg.connect(dsn) as db:
        verdict = check(db, shared, folder)
    assert verdict.broken == {}
    assert verdict.acknowledged > 20
    assert verdict.replayed > 0


@pytest.mark.parametrize("broken", sabotage.AFTERWARDS)
def test_what_was_changed_behind_the_rules_is_seen(story: tuple[str, list[int], Path], broken: str) -> None:
    dsn, shared, folder = story
    with psycopg.connect(dsn) as db:
        db.execute(sabotage.AFTERWARDS[broken])
        verdict = check(db, shared, folder)
        db.rollback()
    assert sabotage.SEEN_AS[broken] in verdict.broken


@pytest.mark.parametrize("broken", sabotage.BEFORE)
def test_a_rule_that_is_not_kept_is_seen(fresh_dsn: str, tmp_path: Path, broken: str) -> None:
    with psycopg.connect(fresh_dsn) as db:
        db.execute(sabotage.BEFORE[broken])
    shared = written(fresh_dsn, tmp_path, 2)
    with psycopg.connect(fresh_dsn) as db:
        verdict = check(db, shared, tmp_path)
    assert sabotage.SEEN_AS[broken] in verdict.broken


def test_an_older_answer_after_a_newer_one_is_seen(story: tuple[str, list[int], Path], tmp_path: Path) -> None:
    dsn, shared, _ = story
    reads = [{"way": "http", "read": {"client": shared[0], "version": n}, "status": 200} for n in (4, 3)]
    (tmp_path / "reader.jsonl").write_text("\n".join(map(json.dumps, reads)))
    with psycopg.connect(dsn) as db:
        assert len(check(db, shared, tmp_path).broken["went_back"]) == 1


@pytest.mark.parametrize(
    "answer",
    [{"status": 400}, {"status": 500}, {"status": 503, "fault": "no Retry-After"}],
    ids=str,
)
def test_an_answer_that_no_caller_can_act_on_is_seen(
    story: tuple[str, list[int], Path], tmp_path: Path, answer: dict[str, Any]
) -> None:
    dsn, shared, _ = story
    (tmp_path / "reader.jsonl").write_text(json.dumps({"way": "http", "read": {}} | answer))
    with psycopg.connect(dsn) as db:
        assert len(check(db, shared, tmp_path).broken["wrong_answers"]) == 1
