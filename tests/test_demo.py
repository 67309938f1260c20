"""The play: runs to its end, again on the same database, and says what happened."""

from __future__ import annotations

import io
from pathlib import Path

import psutil
import pytest
from rich.console import Console
from typer.testing import CliRunner

from atlas_stage import Stage
from atlas_stage.cli import app
from atlas_stage.cli.base import Exit
from atlas_stage.local.demo import play
from atlas_stage.local.demo.cast import (
    ADMIN,
    AGENT,
    BOOKKEEPER,
    MOVED_BY_MISTAKE,
    SENT_BACK,
    STILL_BLOCKED,
    seed,
)
from atlas_stage.local.demo.screen import Screen
from atlas_stage.local.embedded import EmbeddedPostgres


def _played(dsn: str, width: int = 140) -> str:
    shown = io.StringIO()
    with Stage.connect(dsn, ADMIN) as desk:
        play(
            desk, lambda actor: Stage.connect(dsn, actor), Screen(Console(file=shown, width=width))
        )
    return shown.getvalue()


def test_the_seed_has_52_clients_of_all_kinds() -> None:
    rows = [row.cells for row in seed()]
    assert len({row["slug"] for row in rows}) == 52
    assert len({row["stage"] for row in rows}) == 8
    assert {row["tier"] for row in rows} == {
        "recurring_only",
        "recurring_plus_advisory",
        "cleanup_only",
        "full_service",
    }
    assert {row["cadence"] for row in rows} == {"monthly", "quarterly", "annual", "none"}
    assert {row["schedule"] for row in rows} == {"monthly", "quarterly", "annual", "none"}


def test_the_play_closes_a_month(fresh_dsn: str) -> None:
    shown = _played(fresh_dsn)
    assert "[permission_missing]" in shown
    assert "[version_conflict]" in shown
    with Stage.connect(fresh_dsn, ADMIN) as stage:
        clients = {each.slug: each for each in stage.iter_clients(active=None)}
        assert len(clients) == 52
        in_close = [slug for slug, each in clients.items() if each.stage == "eom_close"]
        assert sorted(in_close) == sorted(STILL_BLOCKED)
        assert {*clients[STILL_BLOCKED[0]].flags} == {"client_blocking"}
        assert clients[SENT_BACK].stage == "weekly"
        assert next(stage.iter_history(clients[MOVED_BY_MISTAKE].id)).trigger_type == "rollback"
        for client in clients.values():
            assert client.name in shown


def test_the_play_goes_on_in_the_same_database(fresh_dsn: str) -> None:
    _played(fresh_dsn)
    with Stage.connect(fresh_dsn, ADMIN) as stage:
        stage.create_client("A client of one's own", slug="own")
        before = {each.id: each.version for each in stage.iter_clients(active=None)}
    _played(fresh_dsn)
    with Stage.connect(fresh_dsn, ADMIN) as stage:
        after = {each.slug: each for each in stage.iter_clients(active=None)}
    assert len(after) == 53
    assert after["own"].version == before[after["own"].id]
    assert all(each.version >= before[each.id] for each in after.values())


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal(fresh_dsn: str, width: int) -> None:
    commands_and_errors = ("$ ", "error: ", "hint: ")
    for line in _played(fresh_dsn, width).splitlines():
        assert len(line) <= width or line.startswith(commands_and_errors)


def test_the_command_plays_over_http_and_leaves_nothing_running(tmp_path: Path) -> None:
    data = tmp_path / "data"
    done = CliRunner().invoke(app, ["demo", "--data", str(data)])
    assert done.exit_code == Exit.DONE, done.output
    assert "The API answers at http://127.0.0.1:" in done.stdout
    assert "[version_conflict]" in done.stdout
    assert "To look around in it" in done.stdout
    assert [each for each in psutil.process_iter() if _is_of(each, data)] == []

    with EmbeddedPostgres(data) as server, Stage.connect(server.dsn, ADMIN) as stage:
        tokens = list(stage.iter_tokens())
        moved = next(row for row in stage.iter_history(1) if row.trigger_type != "manual_override")
    assert {each.actor_id for each in tokens} == {ADMIN, BOOKKEEPER, AGENT}
    assert {each.state for each in tokens} == {"revoked"}
    assert moved.channel == "api"
    assert moved.external_id is not None


def _is_of(process: psutil.Process, data: Path) -> bool:
    """Whether it is a part of the stack on this folder."""
    try:
        return any(str(data) in each for each in [*process.cmdline(), *process.environ().values()])
    except psutil.Error:
        return False
