"""`atlas-stage report`: a month's close in the terminal, and as a file for a spreadsheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from atlas_stage import Stage
from atlas_stage.cli import app

ADMIN = "user:jimmie"
MONTH = "2026-05"
FORMULA = '=HYPERLINK("http://x","y")'

Run = Callable[..., Result]


@pytest.fixture
def run(fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `report` on a firm with two clients in the close of the month; the name of one is a formula."""
    monkeypatch.setenv("ATLAS_DATABASE_URL", fresh_dsn)
    monkeypatch.setenv("ATLAS_ACTOR", ADMIN)
    monkeypatch.setenv("COLUMNS", "200")
    with Stage.connect(fresh_dsn, ADMIN) as stage:
        for number, (name, owner) in enumerate(((FORMULA, "user:ada"), ("Bäckerei, Grünwald", None))):
            client = stage.create_client(name, slug=f"s-{number}", stage="weekly", owner=owner).client
            stage.set_stage(
                client.id,
                to_stage="eom_close",
                reason="May is over",
                expected_version=client.version,
                close_period=MONTH,
            )
    return lambda *words: CliRunner().invoke(app, ["report", "--month", MONTH, *map(str, words)])


def test_the_terminal_shows_how_far_each_owner_is(run: Run) -> None:
    shown = run()
    assert shown.exit_code == 0
    ada, *_late = [line for line in shown.stdout.splitlines() if "user:ada" in line]
    (everybody,) = [line for line in shown.stdout.splitlines() if line.split()[:1] == ["all"]]
    assert ada.split()[1:5] == ["1", "0", "0", "1"]
    assert everybody.split()[1:5] == ["2", "0", "0", "2"]


def test_the_terminal_shows_the_months_before(run: Run) -> None:
    months = [line.split()[0] for line in run().stdout.splitlines() if line.startswith(" 202")]
    assert months == ["2025-12", "2026-01", "2026-02", "2026-03", "2026-04", MONTH]


def test_a_program_gets_the_closes_as_json(run: Run) -> None:
    told = json.loads(run("--json").stdout)
    assert told["month"] == MONTH
    assert {each["state"] for each in told["closes"]} == {"open"}
    assert (told["months"][-1]["month"], told["months"][-1]["open"]) == (MONTH, 2)


def test_the_file_opens_in_a_spreadsheet_and_no_cell_of_it_is_a_formula(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "close.csv"
    assert run("--csv", file).exit_code == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["name"] for row in rows] == [f"'{FORMULA}", "Bäckerei, Grünwald"]
    assert [row["opened_by"] for row in rows] == [ADMIN, ADMIN]
