"""Put one file of sql/ into a database, then run the tests that name its object or the rules that it checks.

    python tools/try.py sql/rules/lock/lock_client.sql [options of pytest]

The server's folder, .atlas-try/, stays between runs. The deploy puts all of sql/ in place: that takes under a second,
and rights, triggers and the record of the installation are then as after any deploy.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_stage.local.embedded import EmbeddedPostgres  # noqa: E402
from atlas_stage.ops.deploy import DeployError, migrate  # noqa: E402
from tests.support.cluster import FAST_SETTINGS  # noqa: E402

FOLDERS = ("rules", "catalog", "facts", "ops", "jobs")
DATABASE = "try"
MOST = 40  # tests, so that a word that all of them use takes seconds too


def main() -> int:
    file = Path(sys.argv[1]).resolve()
    if not file.is_file() or not file.is_relative_to(ROOT / "sql"):
        said = f"{sys.argv[1] or 'FILE'} isn't a file of sql/."
        sys.exit(f"{said} Use: make try FILE=sql/api/set_stage.sql")
    tests = tests_of(file.stem)
    with EmbeddedPostgres(ROOT / ".atlas-try", 18, settings=FAST_SETTINGS) as server:
        try:
            deploy(server.dsn)
        except DeployError as error:
            sys.exit(error.message)
        if not tests:
            print(f"No test names {file.stem} or a function that calls it. Run make quick.")
            return 0
        files = dict.fromkeys(test.partition("::")[0] for test in tests[:MOST])
        print(f"{min(len(tests), MOST)} of {len(tests)} tests of {file.stem}:", *files, flush=True)
        settings = {"ATLAS_TEST_POSTGRES": server.dsn, "ATLAS_TEST_TEMPLATE": DATABASE}
        pytest = [sys.executable, "-m", "pytest", "-q", "-m", "not slow and not rare"]
        command = [*pytest, *tests[:MOST], *sys.argv[2:]]
        return subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=False).returncode


def deploy(server: str) -> None:
    """Bring the database to what the files say today; begin again where a migration was edited."""
    dsn = server.replace("/postgres?", f"/{DATABASE}?")
    with psycopg.connect(server, autocommit=True) as db:
        made = "select 1 from pg_database where datname = %s"
        if db.execute(made, [DATABASE]).fetchone():
            try:
                migrate(dsn)
                return
            except DeployError:
                db.execute(f"drop database {DATABASE} with (force)")
        db.execute(f"create database {DATABASE} template template0 encoding 'UTF8'")
    migrate(dsn)


def tests_of(name: str) -> list[str]:
    """The tests that name the object or a rule that it finds broken, most often first.

    Where none does, those that name a function that calls it.
    """
    tests = dict(test for folder in FOLDERS for test in tests_in(ROOT / "tests" / folder))
    code = {each.stem: each.read_text() for each in ROOT.glob("sql/**/*.sql")}
    rules = re.findall(r"^ +'(\w+)', \d{3},$", code["violation_catalog"], re.MULTILINE)
    names, seen = {name, *(rule for rule in rules if f"'{rule}'" in code[name])}, set[str]()
    while names:
        word = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(names)))})\b")
        often = {test: len(word.findall(text)) for test, text in tests.items()}
        if found := [test for test, times in often.items() if times]:
            return sorted(found, key=lambda test: (-often[test], test))
        seen |= names
        names = {stem for stem, text in code.items() if word.search(text)} - seen
    return []


def tests_in(folder: Path) -> Iterator[tuple[str, str]]:
    """Each test of the folder: what pytest calls it, and its source with its parameters."""
    for file in sorted(folder.glob("test_*.py")):
        lines = file.read_text().splitlines()
        module = ast.parse("\n".join(lines))
        classes = [each for each in module.body if isinstance(each, ast.ClassDef)]
        for parent in (module, *classes):
            place = f"::{parent.name}" if isinstance(parent, ast.ClassDef) else ""
            for each in parent.body:
                if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                    first = min(node.lineno for node in (each, *each.decorator_list))
                    source = "\n".join(lines[first - 1 : each.end_lineno])
                    yield f"{file.relative_to(ROOT)}{place}::{each.name}", source


if __name__ == "__main__":
    sys.exit(main())
