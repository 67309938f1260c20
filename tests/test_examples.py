"""sql/examples: each story prints what is beside it, for an operator login that owns nothing.

After a change, write the new output, and read the difference:

    ATLAS_WRITE_EXAMPLES=1 pytest tests/test_examples.py
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

STORIES = sorted((Path(__file__).parents[1] / "sql" / "examples").glob("*.sql"))


@pytest.fixture
def operator_dsn(fresh_dsn: str) -> Iterator[str]:
    """The database as a login that is only a member of atlas_operator."""
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        name = f"operator_{db.info.backend_pid}"
        db.execute(f"create role {name} login password 'sesame' in role atlas_operator")
        host = urlsplit(fresh_dsn).netloc.rpartition("@")[2]
        yield fresh_dsn.replace(urlsplit(fresh_dsn).netloc, f"{name}:sesame@{host}", 1)
        db.execute(f"drop role {name}")


def normalized(output: str) -> str:
    """The output with ids and times that differ from run to run replaced."""
    output = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(\+00:00|Z)?", "<time>", output)
    output = re.sub(r'("(?:\w+_)?id": )\d+', r"\1<id>", output)
    return re.sub(r"^psql:\S+?:(?=\d+: )", "psql:", output, flags=re.MULTILINE)


def test_there_are_three_stories() -> None:
    assert [story.stem for story in STORIES] == ["close", "refusal", "undo"]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
def test_a_story_prints_what_is_beside_it(operator_dsn: str, story: Path) -> None:
    done = subprocess.run(
        ["psql", "--no-psqlrc", "--echo-all", "--quiet", f"--file={story}", operator_dsn],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8", "PGTZ": "UTC"},
    )
    output = normalized(done.stdout)
    if "ATLAS_WRITE_EXAMPLES" in os.environ:
        story.with_suffix(".out").write_text(output)
    assert done.returncode == 0
    assert output == story.with_suffix(".out").read_text()


def test_the_stories_leave_nothing_behind(operator_dsn: str, fresh_dsn: str) -> None:
    for story in STORIES:
        subprocess.run(["psql", "-X", "-q", "-f", story, operator_dsn], capture_output=True)
    with psycopg.connect(fresh_dsn) as db:
        assert db.execute("select count(*) from clients").fetchone() == (0,)
