"""Put one file of sql/ into a database, then run the tests that name its object.

    python tools/try.py sql/rules/lock/lock_client.sql [options of pytest]

The server's folder, .atlas-try/, stays between runs. The deploy puts all of sql/ in place: that takes under a second,
and rights, triggers and the record of the installation are then as after any deploy.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_stage.local.embedded import EmbeddedPostgres  # noqa: E402
from atlas_stage.ops.deploy import DeployError, migrate  # noqa: E402
from tests.support.cluster import FAST_SETTINGS  # noqa: E402

FOLDERS = ("rules", "catalog", "facts", "ops", "jobs")
DATABASE = "try"
MOST = 6  # test files, so that a word that all tests use takes seconds too


def main() -> int:
    """Deploy, then test."""
    file = Path(sys.argv[1]).resolve()
    if not file.is_file() or not file.is_relative_to(ROOT / "sql"):
        sys.exit(
            f"{sys.argv[1] or 'FILE'} isn't a file of sql/. Use: make try FILE=sql/api/set_stage.sql"
        )
    tests = tests_of(file.stem)
    with EmbeddedPostgres(ROOT / ".atlas-try", 18, settings=FAST_SETTINGS) as server:
        try:
            deploy(server.dsn)
        except DeployError as error:
            sys.exit(error.message)
        if not tests:
            print(f"No test names {file.stem} or a function that calls it. Run make quick.")
            return 0
        print(f"{file.stem}:", *(test.relative_to(ROOT) for test in tests[:MOST]))
        if tests[MOST:]:
            print(f"{len(tests) - MOST} more name it less often: make quick runs them.", flush=True)
        settings = {"ATLAS_TEST_POSTGRES": server.dsn, "ATLAS_TEST_TEMPLATE": DATABASE}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-m",
            "not slow",
            *tests[:MOST],
            *sys.argv[2:],
        ]
        return subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=False).returncode


def deploy(server: str) -> None:
    """Bring the database to what the files say today; begin again where a migration was edited."""
    dsn = server.replace("/postgres?", f"/{DATABASE}?")
    with psycopg.connect(server, autocommit=True) as db:
        made = "select from pg_database where datname = %s"
        if db.execute(made, [DATABASE]).fetchone():
            try:
                migrate(dsn)
                return
            except DeployError:
                db.execute(f"drop database {DATABASE} with (force)")
        db.execute(f"create database {DATABASE} template template0 encoding 'UTF8'")
    migrate(dsn)


def tests_of(name: str) -> list[Path]:
    """The test files that name the object, most often first; or else a function that calls it."""
    tests = {
        test: test.read_text() for each in FOLDERS for test in ROOT.glob(f"tests/{each}/test_*.py")
    }
    code = {each.stem: each.read_text() for each in ROOT.glob("sql/**/*.sql")}
    names, seen = {name}, set[str]()
    while names:
        word = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
        often = {test: len(word.findall(text)) for test, text in tests.items()}
        if found := [test for test, times in often.items() if times]:
            return sorted(found, key=lambda test: (-often[test], test))
        seen |= names
        names = {stem for stem, text in code.items() if word.search(text)} - seen
    return []


if __name__ == "__main__":
    sys.exit(main())
