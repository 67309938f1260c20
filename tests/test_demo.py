"""The demo plays a month to its end, prints what happened, and leaves nothing."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from atlas_stage import Stage
from demo import month_end
from demo.month_end import ADMIN, BY_MISTAKE, CLIENTS, SENT_BACK, STILL_BLOCKED

PROGRAM = Path(month_end.__file__)


def test_the_seed_has_52_clients_of_all_kinds() -> None:
    with CLIENTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["slug"] for row in rows}) == 52
    assert {row["stage"] for row in rows} == set(month_end.NAMES)
    assert len({row["tier"] for row in rows}) == 4
    assert {row["cadence"] for row in rows} == {"monthly", "quarterly", "annual", "none"}
    assert {row["schedule"] for row in rows} == {"monthly", "quarterly", "annual", "none"}


@pytest.mark.parametrize("width", [80, 140])
def test_the_play_closes_a_month(
    fresh_dsn: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month_end.console, "width", width)
    month_end.play(fresh_dsn)
    shown = capsys.readouterr().out
    assert "refused (permission_missing)" in shown
    assert "refused (version_conflict)" in shown
    assert "Second start: nothing to do" in shown
    tables = [line for line in shown.splitlines() if line[:1] in "┏┃┡│└"]
    assert [line for line in tables if len(line) > width] == []
    with Stage.connect(fresh_dsn, ADMIN) as stage:
        clients = {each.slug: each for each in stage.iter_clients(active=None)}
        assert len(clients) == 52
        assert [slug for slug, each in clients.items() if each.stage == "eom_close"] == [STILL_BLOCKED]
        assert {*clients[STILL_BLOCKED].flags} == {"client_blocking"}
        assert clients[SENT_BACK].stage == "weekly"
        kinds = [row.trigger_type for row in stage.iter_history(BY_MISTAKE)]
        assert "rollback" in kinds


def test_the_program_leaves_nothing_running_and_no_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM],
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "One close is still open" in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert [each for each in psutil.process_iter() if _is_of(each, tmp_path)] == []


def test_it_keeps_a_named_folder_and_refuses_one_that_exists(tmp_path: Path) -> None:
    command = [sys.executable, PROGRAM, "--data", tmp_path / "kept"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"make serve DATA={tmp_path / 'kept'}" in done.stdout
    assert (tmp_path / "kept" / "pgdata" / "PG_VERSION").is_file()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "already exists. Choose a new folder." in again.stderr


def _is_of(process: psutil.Process, folder: Path) -> bool:
    """Whether it works in this folder."""
    try:
        return any(str(folder) in each for each in process.cmdline())
    except psutil.Error:
        return False
