"""The seed huddle's file: tried under the real rules, brought in as one piece."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from atlas_stage import InvalidInput, Stage
from atlas_stage.cli import app
from atlas_stage.cli.base import Exit
from atlas_stage.ops import importer, seedfile

ADMIN = "user:jimmie"

Write = Callable[..., Path]


@pytest.fixture
def stage(fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The admin's stage, with two clients in onboarding."""
    monkeypatch.setenv("ATLAS_DATABASE_URL", fresh_dsn)
    monkeypatch.setenv("ATLAS_ACTOR", ADMIN)
    monkeypatch.setenv("COLUMNS", "220")
    with Stage.connect() as made:
        made.create_client("Alpha", slug="alpha")
        made.create_client("Beta", slug="beta")
        yield made


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a CSV file."""

    def write_it(*lines: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "clients.csv"
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return path

    return write_it


def _bring_in(stage: Stage, path: Path, *, apply: bool = True) -> importer.Report:
    return importer.run(stage, seedfile.read(path), reason="seed huddle", apply=apply)


def _outcomes(report: importer.Report) -> list[str]:
    return [each.outcome for each in report.rows]


def _invoke(*words: object) -> Result:
    return CliRunner().invoke(app, ["client", "import", *map(str, words)])


def test_every_column_is_brought_in(stage: Stage, write: Write) -> None:
    path = write(
        "client,stage,owner,collaborators,cadence,schedule,tier,reviewers,flags,active,notes",
        "alpha,eom_review,user:jimmie,agent:tally; agent:echo,quarterly,annual,full_service,"
        'user:jimmie,client_blocking,yes,"two, words"',
    )
    report = _bring_in(stage, path)
    assert report.applied
    assert _outcomes(report) == ["changed"]
    client = next(each for each in stage.iter_clients() if each.slug == "alpha")
    assert client.stage == "eom_review"
    assert client.stage_owner == ADMIN
    assert client.stage_collaborators == ("agent:echo", "agent:tally")
    assert (client.close_cadence, client.sales_tax_schedule) == ("quarterly", "annual")
    assert client.service_tier == "full_service"
    assert client.eligible_reviewers == (ADMIN,)
    assert client.flags == ("client_blocking",)
    assert client.stage_notes == "two, words"
    assert "stage onboarding → eom_review" in report.rows[0].changes


def test_a_move_is_an_override_with_the_reason(stage: Stage, write: Write) -> None:
    _bring_in(stage, write("client,stage", "alpha,eom_review"))
    client = next(each for each in stage.iter_clients() if each.slug == "alpha")
    row = next(stage.iter_history(client.id))
    assert (row.trigger_type, row.reason) == ("manual_override", "seed huddle")


def test_new_clients_are_taken_on(stage: Stage, write: Write) -> None:
    path = write(
        "name,slug,stage,tier,flags,active",
        "Gamma Ñ,gamma,paused_client,full_service,advisory_due,no",
        "Alpha,alpha,weekly,,,",
    )
    report = _bring_in(stage, path)
    assert _outcomes(report) == ["new", "changed"]
    found = {each.slug: each for each in stage.iter_clients(active=None)}
    assert found["gamma"].stage == "paused_client"
    assert not found["gamma"].active
    assert found["gamma"].flags == ("advisory_due",)
    assert found["alpha"].stage == "weekly"


def test_bringing_in_the_same_file_again_changes_nothing(stage: Stage, write: Write) -> None:
    path = write("name,slug,stage,owner", "Gamma,gamma,weekly,user:jimmie", "Beta,beta,cleanup,")
    _bring_in(stage, path)
    versions = [each.version for each in stage.iter_clients()]
    assert _outcomes(_bring_in(stage, path)) == ["unchanged", "unchanged"]
    assert [each.version for each in stage.iter_clients()] == versions


def test_an_empty_cell_leaves_the_value_and_a_dash_empties_it(stage: Stage, write: Write) -> None:
    _bring_in(stage, write("client,owner,notes,reviewers", "alpha,user:jimmie,words,user:jimmie"))
    _bring_in(stage, write("client,owner,notes,reviewers", "alpha,,-,-"))
    client = next(each for each in stage.iter_clients() if each.slug == "alpha")
    assert client.stage_owner == ADMIN
    assert client.stage_notes is None
    assert client.eligible_reviewers is None


def test_flags_are_set_and_cleared(stage: Stage, write: Write) -> None:
    _bring_in(stage, write("client,flags", "alpha,client_blocking;advisory_due"))
    _bring_in(stage, write("client,flags", "alpha,-client_blocking"))
    client = next(each for each in stage.iter_clients() if each.slug == "alpha")
    assert client.flags == ("advisory_due",)


def test_a_sleeping_client_is_woken_moved_and_put_to_sleep(stage: Stage, write: Write) -> None:
    _bring_in(stage, write("client,active", "alpha,no"))
    assert _bring_in(stage, write("client,stage", "alpha,weekly")).rows[0].outcome == "refused"
    assert _bring_in(stage, write("client,stage,active", "alpha,weekly,yes")).applied
    assert _bring_in(stage, write("client,stage,active", "alpha,cleanup,no")).applied


def test_a_dry_run_tells_everything_and_leaves_nothing(stage: Stage, write: Write) -> None:
    before = list(stage.iter_clients())
    path = write("name,slug,stage", "Gamma,gamma,weekly", "Alpha,alpha,eom_close")
    report = _bring_in(stage, path, apply=False)
    assert not report.applied
    assert _outcomes(report) == ["new", "changed"]
    assert list(stage.iter_clients()) == before


def test_one_refused_row_refuses_all_and_every_error_is_told(stage: Stage, write: Write) -> None:
    before = list(stage.iter_clients())
    path = write(
        "client,stage,tier,active",
        "alpha,weekly,,",
        "beta,nowhere,,",
        "gamma,weekly,,",
        "1,weekly,,",
        "2,,gold,maybe",
        "2,,gold,",
    )
    report = _bring_in(stage, path)
    assert not report.applied
    assert _outcomes(report) == ["changed", "refused", "refused", "refused", "refused", "refused"]
    errors = [each.error for each in report.rows if each.error]
    assert errors[0].rule == "unknown_stage"
    assert "gamma" in str(errors[1])
    assert "stands in row 2 already" in str(errors[2])
    assert errors[3].details == {"row": 6, "column": "client"}
    assert list(stage.iter_clients()) == before


@pytest.mark.parametrize(
    ("lines", "column"),
    [
        (("client,colour", "alpha,blue"), "colour"),
        (("client,stage,stage", "alpha,weekly,weekly"), "stage"),
        (("client,,stage", "alpha,,weekly"), "number 2"),
    ],
)
def test_an_unknown_or_double_column_is_refused(
    stage: Stage, write: Write, lines: tuple[str, ...], column: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        seedfile.read(write(*lines))
    assert caught.value.details == {"row": 1, "column": column}


@pytest.mark.parametrize(
    ("lines", "details"),
    [
        (("client,stage", "alpha,weekly,more"), {"row": 2, "column": "number 3"}),
        (("client,stage", "alpha"), {"row": 2, "column": "number 2"}),
        (("client,active", "alpha,perhaps"), {"row": 2, "column": "active"}),
        (("client,name", "alpha,Omega"), {"row": 2, "column": "name"}),
        (("client,stage", ",weekly"), {"row": 2, "column": "client"}),
        (("client,name,slug", ",Omega,"), {"row": 2, "column": "client"}),
    ],
)
def test_a_bad_cell_is_refused_with_row_and_column(
    stage: Stage, write: Write, lines: tuple[str, ...], details: dict[str, object]
) -> None:
    (row,) = _bring_in(stage, write(*lines)).rows
    assert row.error is not None
    assert row.error.details == details


def test_what_excel_writes_is_read(stage: Stage, write: Write) -> None:
    path = write("Client,Stage", "alpha,weekly", "", " , ", encoding="utf-8-sig")
    assert _outcomes(_bring_in(stage, path)) == ["changed"]


def test_what_is_no_csv_in_utf8_is_refused(write: Write, tmp_path: Path) -> None:
    for path in (
        write("client,notes", "alpha,Ñ", encoding="latin-1"),
        write("client", '"open'),
        write(""),
        tmp_path / "missing.csv",
        tmp_path,
    ):
        with pytest.raises(InvalidInput):
            seedfile.read(path)


def test_the_command_tries_first_and_applies_when_told(stage: Stage, write: Write) -> None:
    path = write("client,stage", "alpha,weekly")
    tried = _invoke(path)
    assert tried.exit_code == Exit.DONE
    assert "stage onboarding → weekly" in tried.stdout
    assert "nothing was changed; repeat with --apply" in tried.stdout
    assert {each.stage for each in stage.iter_clients()} == {"onboarding"}
    applied = _invoke(path, "--apply", "--json")
    assert json.loads(applied.stdout)["applied"] is True
    assert "weekly" in {each.stage for each in stage.iter_clients()}


def test_the_command_ends_with_refused_where_a_row_is(stage: Stage, write: Write) -> None:
    done = _invoke(write("client,stage", "alpha,nowhere"), "--apply")
    assert done.exit_code == Exit.REFUSED
    assert "no such stage" in done.stdout
    assert "nothing was changed, mend the refused rows first" in done.stdout


def test_somebody_who_is_no_admin_is_refused(stage: Stage, fresh_dsn: str, write: Write) -> None:
    with Stage.connect(fresh_dsn, "agent:tally") as tally:
        (row,) = _bring_in(tally, write("client,stage", "alpha,weekly")).rows
    assert row.error is not None
    assert row.error.rule == "override_needs_admin"
