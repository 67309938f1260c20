"""README.md and docs/runbook.md: their commands do what they say, as they stand, with the environment that is named."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import typer

from atlas_stage.cli import app
from atlas_stage.local.embedded.programs import binaries_of
from tests.support.cluster import DEBIAN_BIN
from tests.support.stack import Stack, stack

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the programs that the documents call, and the seed file of the runbook's huddle."""
    home = tmp_path_factory.mktemp("home")
    program = home / "atlas-stage"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m atlas_stage "$@"\n')
    program.chmod(0o755)
    if shutil.which("psql") is None:
        tools = DEBIAN_BIN if (DEBIAN_BIN / "psql").exists() else binaries_of(18)
        (home / "psql").symlink_to(tools / "psql")
    return home


def run(text: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ATLAS_", "PG"))}
    quiet = "curl() { command curl --noproxy '*' \"$@\"; }\n"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", quiet + text],
        env=kept | {"PATH": f"{home}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)} | settings,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )


def test_every_block_of_the_runbook_is_run(fresh_dsn: str, home: Path) -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 5
    (home / "seed.csv").write_text("client,stage\nfirst,cleanup\n")
    with psycopg.connect(fresh_dsn) as db:
        db.execute("insert into clients (name, slug) values ('First', 'first')")

    with stack(fresh_dsn) as running:
        named = "\n".join(blocks)
        named = named.replace("postgresql://postgres@db/atlas", shlex.quote(fresh_dsn))
        named = named.replace("http://127.0.0.1:8080", running.url)
        done = run(named, home)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "all is well" in done.stdout
    assert "ATLAS_INGEST_TOKEN works as system:legacy" in done.stdout
    assert "user:ledger" in done.stdout
    with psycopg.connect(fresh_dsn) as db:
        assert db.execute("select stage from clients where slug = 'first'").fetchone() == ("cleanup",)


def test_the_smoke_test_in_sql_is_run(fresh_dsn: str, home: Path) -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    (block,) = re.findall(r"^```sql\n(begin;.*?)^```", text, re.DOTALL | re.MULTILINE)

    done = run(f"psql -v ON_ERROR_STOP=1 {shlex.quote(fresh_dsn)} <<'SQL'\n{block}SQL\n", home)

    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    with psycopg.connect(fresh_dsn) as db:
        assert db.execute("select count(*) from clients").fetchone() == (0,)


def test_the_commands_of_the_readme_are_run(fresh_dsn: str, home: Path) -> None:
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"(?:^    .*\n)+", text.split("## Five minutes")[1], re.MULTILINE)
    lines = [
        line
        for block in blocks
        if re.search(r"^    (atlas-stage|curl) ", block)
        for line in re.sub(r"^    ", "", block, flags=re.MULTILINE).splitlines()
    ]
    assert len(lines) >= 7
    commands = "\n".join(lines).replace(" demo/", f" {ROOT}/demo/")

    with stack(fresh_dsn) as running:
        token = Stack(fresh_dsn, running.url).token()
        done = run(
            commands,
            home,
            ATLAS_URL=running.url,
            ATLAS_TOKEN=token,
            ATLAS_DATABASE_URL=fresh_dsn,
            ATLAS_ACTOR="user:jimmie",
        )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "unauthenticated" not in done.stdout


DOCUMENTS = ["README.md", *sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs").glob("*.md"))]
# Whole words, with dashes and underscores: `client undo_batch` is no command.
WORD = r"[a-z][\w-]*(?![\w-])"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_that_is_named_is_one(document: str) -> None:
    """Those that are not run as well: in PowerShell, in the middle of a sentence, and without the program's name."""
    text = (ROOT / document).read_text()
    root = typer.main.get_command(app)
    groups = "|".join(name for name, each in root.commands.items() if hasattr(each, "commands"))
    named = set(re.findall(rf"(?<![\w/.-])atlas-stage ({WORD}(?: {WORD})?)", text))
    named |= set(re.findall(rf"`((?:{groups}) {WORD})", text))

    for words in sorted(named):
        first, *second = words.split()
        command = root.commands.get(first)
        assert command is not None, f"{document} names atlas-stage {words}, which is no command"
        if hasattr(command, "commands") and second:
            assert second[0] in command.commands, f"{document}: atlas-stage {words}"


def test_a_hint_says_how_to_be_somebody(fresh_dsn: str, home: Path) -> None:
    done = run("atlas-stage token issue user:jimmie --days 1", home, ATLAS_DATABASE_URL=fresh_dsn)

    assert done.returncode == 1
    assert "ATLAS_ACTOR" in done.stderr
