"""The seed huddle's file: tried under the real rules, brought in as one piece."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import openpyxl
import psycopg
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
    return importer.run(stage, seedfile.read(path).rows, reason="seed huddle", apply=apply)


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
    assert "is in row 2 too" in str(errors[2])
    assert errors[3].details == {"row": 6, "column": "client"}
    assert list(stage.iter_clients()) == before


@pytest.mark.parametrize(
    ("lines", "column"),
    [
        (("client,stage,stage", "alpha,weekly,weekly"), "stage"),
        (("name,slug,name", "Alpha,alpha,Beta"), "name"),
    ],
)
def test_a_column_that_is_there_twice_is_refused(
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
        (("client,slug", ",omega"), {"row": 2, "column": "client"}),
        (("name,slug", "Omega,1-Mar"), {"row": 2, "column": "slug"}),
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("told", [True, False], ids=["sep=", "without"])
def test_what_spreadsheets_write_is_read(write: Write, encoding: str, separator: str, told: bool) -> None:
    lines = ["client,notes,,", "alpha,Ñandú,,"]
    first = [f"sep={separator}"] if told else []
    path = write(*first, *(each.replace(",", separator) for each in lines), encoding=encoding)
    (row,) = seedfile.read(path).rows
    assert (row.line, row.cells, row.problem) == (2, {"client": "alpha", "notes": "Ñandú"}, None)


def test_rows_are_numbered_as_a_spreadsheet_does(write: Write) -> None:
    path = write("client,notes", '"alpha","two', 'lines"', "", "beta,x")
    assert [(row.line, row.named) for row in seedfile.read(path).rows] == [
        (2, "alpha"),
        (4, "beta"),
    ]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"PK\x03\x04rest", "The workbook can't be read"),
        (b"\xd0\xcf\x11\xe0rest", "The workbook can't be read"),
        (b"client,notes\nalpha,\0", "isn't text"),
        (b'client\n"open', "isn't CSV"),
        (b"", "needs a column client, or name"),
        (b"slug,stage\nalpha,weekly", "needs a column client, or name"),
    ],
)
def test_what_is_no_csv_is_refused_with_the_cause(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "clients.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=re.escape(cause)):
        seedfile.read(path)


def test_a_workbook_with_a_password_is_told(tmp_path: Path) -> None:
    path = tmp_path / "clients.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0encrypted")  # as Excel begins one
    with pytest.raises(InvalidInput) as caught:
        seedfile.read(path)
    assert "password" in (caught.value.hint or "")


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(f"{tmp_path / name} can't be read")):
        seedfile.read(tmp_path / name)


def test_a_number_is_the_id_of_a_client_and_never_a_slug(stage: Stage, write: Write, fresh_dsn: str) -> None:
    _, second = (each.id for each in stage.iter_clients())
    with psycopg.connect(fresh_dsn) as host:
        host.execute(
            "insert into clients (name, slug) values ('Number', %s), ('Other', '4711')",
            [str(second)],
        )
    (row,) = _bring_in(stage, write("client,notes", f"{second},by id")).rows
    assert (row.client, stage.client(second).client.stage_notes) == ("Beta", "by id")
    (row,) = _bring_in(stage, write("client,stage", "4711,weekly")).rows
    assert "There is no client 4711" in str(row.error)


@pytest.mark.parametrize("apply", [False, True])
@pytest.mark.parametrize("slug", ["{}", "0x{:x}", "0_{}", "+{}", "4711", "24_7", "1e5"])
def test_a_new_slug_that_reads_as_a_number_is_refused(stage: Stage, write: Write, slug: str, apply: bool) -> None:
    first, _ = (each.id for each in stage.iter_clients())
    (row,) = _bring_in(stage, write("name,slug", f"Number,{slug.format(first)}"), apply=apply).rows
    assert row.outcome == "refused"
    assert row.error is not None
    assert (row.error.rule, row.error.details["slug"]) == ("slug_not_valid", slug.format(first))


def test_a_client_of_the_host_s_with_a_number_as_its_slug_is_changed_and_no_other(
    stage: Stage, write: Write, fresh_dsn: str
) -> None:
    first, _ = (each.id for each in stage.iter_clients())
    slug = f"0x{first:x}"
    with psycopg.connect(fresh_dsn) as host:
        host.execute("insert into clients (name, slug) values ('Host', %s)", [slug])
    for line in (("client,notes", f"{slug},one"), ("name,slug,notes", f"Host,{slug},two")):
        (row,) = _bring_in(stage, write(*line)).rows
        assert (row.client, row.outcome) == ("Host", "changed")
    assert stage.client(first).client.stage_notes is None


def test_a_dry_run_uses_up_no_ids(stage: Stage, write: Write) -> None:
    last = max(each.id for each in stage.iter_clients())
    path = write("name,slug,stage", "Gamma,gamma,weekly", "Delta,delta,weekly")
    _bring_in(stage, path, apply=False)
    _bring_in(stage, path)
    assert [each.id for each in stage.iter_clients()][-2:] == [last + 1, last + 2]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_the_report_goes_through_a_pipe_of_any_encoding(stage: Stage, write: Write, encoding: str) -> None:
    path = write("client,stage", "alpha,weekly")
    command = [sys.executable, "-m", "atlas_stage", "client", "import", path, "--apply"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(command, capture_output=True, env=environment)
    arrow = "→" if encoding == "utf-8" else "->"
    assert f"onboarding {arrow} weekly" in done.stdout.decode(encoding)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_command_tries_first_and_applies_when_told(stage: Stage, write: Write) -> None:
    path = write("client,stage", "alpha,weekly")
    tried = _invoke(path)
    assert tried.exit_code == Exit.DONE
    assert "stage onboarding → weekly" in tried.stdout
    assert "nothing was changed. Repeat with --apply" in tried.stdout
    assert {each.stage for each in stage.iter_clients()} == {"onboarding"}
    applied = _invoke(path, "--apply", "--json")
    assert json.loads(applied.stdout)["applied"] is True
    assert "weekly" in {each.stage for each in stage.iter_clients()}


def test_the_command_ends_with_refused_where_a_row_is(stage: Stage, write: Write) -> None:
    done = _invoke(write("client,stage", "alpha,nowhere"), "--apply")
    assert done.exit_code == Exit.REFUSED
    assert '"nowhere" isn\'t a stage' in done.stdout
    assert "nothing was changed. Correct the refused rows first" in done.stdout


def test_somebody_who_is_no_admin_is_refused(stage: Stage, fresh_dsn: str, write: Write) -> None:
    with Stage.connect(fresh_dsn, "agent:tally") as tally:
        (row,) = _bring_in(tally, write("client,stage", "alpha,weekly")).rows
    assert row.error is not None
    assert row.error.rule == "override_needs_admin"


# Client lists as other programs export them: titles, footers, columns of their own.
QUICKBOOKS = """
Blue Heron Bookkeeping,,,,,
Customer Contact List,,,,,
,,,,,
Customer,Phone Numbers,Email,Full Name,Billing Address,Shipping Address
Amber Lane Florists,(555) 010-2000,amber@example.com,Amber Lane Florists,"1 Main St, Austin TX",
O'Hara's Bakery,,,O'Hara's Bakery,,
Total,,,,,
,,,,,
"Sunday, Nov 29, 2026 10:33 AM GMT-06:00",,,,,
""".strip()
XERO = """
*ContactName,AccountNumber,EmailAddress,FirstName,LastName,POCity,SAAddressLine1
Amber Lane Florists,A-1,amber@example.com,Amy,Lane,Austin,
O'Hara's Bakery,,,,,,
""".strip()
KARBON = """
Organization Name;Client Owner;Contact Type;Status
Amber Lane Florists;Ana;Client;Active
O'Hara's Bakery;ben@firm.example;Client;Inactive
""".strip()
DOUBLE = """
Client,Bookkeeper,Reviewer,Stage,Close,Client ID in Double
Amber Lane Florists,Ana,Jimmie,EOM close,Quarterly,77
O'Hara's Bakery,Ben,,Weekly,Monthly,78
""".strip()


@pytest.mark.parametrize(
    ("content", "noticed"),
    [
        (QUICKBOOKS, ["row 4", "Phone Numbers, Email, Full Name", "7 (Total), 9 (Sunday"]),
        (XERO, ["AccountNumber, EmailAddress, FirstName, LastName, POCity"]),
        (KARBON, ["Ignored columns: Contact Type."]),
        (DOUBLE, ["Ignored columns: Client ID in Double."]),
    ],
    ids=["QuickBooks", "Xero", "Karbon", "Double"],
)
def test_the_list_of_another_program_is_taken_as_it_is(
    stage: Stage, tmp_path: Path, content: str, noticed: list[str]
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(content, "utf-8")
    read = seedfile.read(path)
    for words in noticed:
        assert words in " ".join(read.noticed)

    report = importer.run(stage, read.rows, reason="first import", apply=True)
    assert report.applied, [each.error for each in report.rows]
    made = {each.name: each for each in stage.iter_clients(active=None)}
    assert {made[name].slug for name in ("Amber Lane Florists", "O'Hara's Bakery")} == {
        "amber-lane-florists",
        "oharas-bakery",
    }
    if content == DOUBLE:
        client = made["Amber Lane Florists"]
        assert (client.stage, client.stage_owner) == ("eom_close", "user:ana")
        assert (client.eligible_reviewers, client.close_cadence) == ((ADMIN,), "quarterly")
    if content == KARBON:
        assert made["O'Hara's Bakery"].active is False
        assert made["O'Hara's Bakery"].stage_owner == "user:ben"
    # A second time, it finds the same clients.
    assert set(_outcomes(importer.run(stage, read.rows, reason="again", apply=True))) == {"unchanged"}


def test_a_file_of_a_million_columns_is_read(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_text(f"name{',x' * 1_000_000}\nAlpha{',' * 1_000_000}\n")
    assert [row.named for row in seedfile.read(path).rows] == ["Alpha"]


def test_a_workbook_is_read(stage: Stage, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "About"
    sheet = book.create_sheet("Clients", 0)
    for row in (
        ["Blue Heron Bookkeeping"],
        [],
        ["Client name", "Owner", "Notes", "Since"],
        ["Amber Lane Florists", "Ana", 17, date(2026, 3, 1)],
        ["Bayou City Plumbing", "Ben", None, None],
    ):
        sheet.append(row)
    path = tmp_path / "clients.xlsx"
    book.save(path)

    read = seedfile.read(path)
    assert [(row.line, row.named) for row in read.rows] == [
        (4, "Amber Lane Florists"),
        (5, "Bayou City Plumbing"),
    ]
    assert read.rows[0].cells["notes"] == "17"
    assert _outcomes(importer.run(stage, read.rows, reason="r", apply=True)) == ["new", "new"]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1250", ["Łukasz Wójcik", "Zażółć Gęślą Jaźń"]),
        ("mac_roman", ["Café Ñandú", "O’Hara’s Diner"]),
        ("cp1252", ["Café Ñandú", "O’Hara’s Diner"]),
    ],
)
def test_other_encodings_are_found_out_and_told(tmp_path: Path, encoding: str, names: list[str]) -> None:
    path = tmp_path / "clients.csv"
    path.write_text("\n".join(["Name", *names]), encoding)
    read = seedfile.read(path)
    assert [row.named for row in read.rows] == names
    assert f"Read as {encoding}" in read.noticed[0]
    assert [row.named for row in seedfile.read(path, encoding).rows] == names
    assert seedfile.read(path, encoding).noticed == []


def test_what_can_be_utf_8_is(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_text("name\nMüller\u202eX\n", "utf-8")  # with a sign that is rare in text
    read = seedfile.read(path)
    assert ([row.named for row in read.rows], read.noticed) == (["Müller\u202eX"], [])


def test_clients_and_people_that_look_like_others_are_named(stage: Stage, write: Write) -> None:
    path = write("name,owner", "Alfa,ana", "ALPHA,ana", "Gamma & Sons,", "Gamma and Sons,")
    report = _bring_in(stage, path, apply=False)
    assert _outcomes(report) == ["new", "changed", "new", "new"]
    assert report.rows[3].warnings == ("looks like Gamma & Sons: is it the same client?",)
    assert "user:ana isn't known yet" in [text for row in report.rows for text in row.warnings]


def test_names_that_give_one_slug_or_a_number_get_their_own(stage: Stage, write: Write) -> None:
    _bring_in(stage, write("name", "Alpha!", "24 7", "Beta", "Beta (East)"))
    stage.create_client("Gamma East", "delta")
    _bring_in(stage, write("name", "Delta"))
    slugs = {each.name: each.slug for each in stage.iter_clients(active=None)}
    assert slugs["24 7"] == "client-24-7"
    assert slugs["Delta"] == "delta-2"
    assert slugs["Beta (East)"] == "beta-east"
    assert "Alpha!" not in slugs  # it is Alpha
