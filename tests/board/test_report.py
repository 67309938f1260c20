"""The close report, on paper and as a file for a spreadsheet."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Page, expect

from atlas_stage.cli.report import write_csv
from tests.board.conftest import House, SignIn

MONTH = "2026-05"
PAPER = {"width": 720, "height": 960}  # letter, within its margins
NAMES = (
    '=HYPERLINK("http://x","open")',
    " +1+1",
    "@SUM(A1)",
    "-2+3",
    'Bäckerei "Grünwald", Söhne; & Co.',
    "two\nlines",
    "مؤسسة النور 🦊",
    "Word " * 60,
)


@pytest.fixture(scope="module", autouse=True)
def _closing(house: House) -> None:
    """Clients in the close of the month, with names that a spreadsheet or a page could misread."""
    with psycopg.connect(house.stack.dsn) as db:
        ids = [
            db.execute(
                "insert into clients (name, slug) values (%s, gen_random_uuid()::text) returning id",
                (name,),
            ).fetchone()
            for name in NAMES
        ]
    for row in ids:
        assert row is not None
        house.admin.set_stage(
            row[0],
            to_stage="eom_close",
            reason="May is over",
            expected_version=0,
            close_period=MONTH,
        )


@pytest.fixture
def report(sign_in: SignIn) -> Page:
    page = sign_in(path=f"/?view=report&month={MONTH}", viewport=PAPER)
    expect(page.get_by_role("button", name="Save as CSV")).to_be_enabled()
    return page


def test_on_paper_it_fits_and_has_no_controls(report: Page) -> None:
    report.get_by_text(f"All {len(NAMES)} clients").click()
    report.emulate_media(media="print")
    for control in ("Save as CSV", "Print", "Board", "My queue"):
        expect(report.get_by_role("button", name=control, exact=True)).to_be_hidden()
    beyond = report.evaluate(
        """() => [...document.querySelectorAll("main *")]
          .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
          .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert beyond == []


def test_on_paper_it_is_whole(report: Page) -> None:
    """Nothing is cut at the window's edge: a page that scrolls on the screen takes several sheets."""
    report.get_by_text(f"All {len(NAMES)} clients").click()
    report.emulate_media(media="print")
    cut = report.evaluate(
        """() => [...document.querySelectorAll("html, body, #page, main")]
          .filter(each => each.scrollHeight > each.clientHeight + 1 && getComputedStyle(each).overflowY !== "visible")
          .map(each => each.tagName)"""
    )
    assert cut == []
    assert report.pdf(format="Letter").startswith(b"%PDF")


def test_on_paper_it_has_the_table(report: Page) -> None:
    table = report.locator("main details").get_by_role("table")
    expect(table).to_have_count(0)
    report.pdf()
    expect(table).to_be_visible()


def test_in_the_dark_the_paper_stays_white(sign_in: SignIn) -> None:
    page = sign_in(path=f"/?view=report&month={MONTH}", color_scheme="dark")
    expect(page.get_by_role("button", name="Save as CSV")).to_be_enabled()
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate("['backgroundColor', 'color'].map(each => getComputedStyle(document.body)[each])")
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]


def test_a_spreadsheet_takes_the_file_as_text_and_runs_nothing(report: Page, tmp_path: Path) -> None:
    with report.expect_download() as saved:
        report.get_by_role("button", name="Save as CSV").click()
    assert saved.value.suggested_filename == f"close-{MONTH}.csv"
    content = Path(saved.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    header, *rows = csv.reader(content.decode("utf-8-sig").splitlines(keepends=True))
    found = {row[header.index("name")] for row in rows}
    assert found == {f"'{name}" if name.lstrip()[0] in "=+-@" else name for name in NAMES}


def test_the_file_has_the_rows_of_the_command_line(report: Page, house: House, tmp_path: Path) -> None:
    with report.expect_download() as saved:
        report.get_by_role("button", name="Save as CSV").click()
    zone = ZoneInfo(house.admin.summary().time_zone)
    write_csv(tmp_path / "cli.csv", house.admin.closes(MONTH), zone)

    def read(file: Path) -> list[dict[str, str]]:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return list(csv.DictReader(opened))

    rows = read(Path(saved.value.path()))
    assert rows == read(tmp_path / "cli.csv")
    opened_at = next(iter(house.admin.closes(MONTH))).opened_at
    assert opened_at is not None
    assert rows[0]["opened_at"] == f"{opened_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def test_it_shows_the_counts_of_the_database(report: Page, house: House) -> None:
    (*_, month) = house.admin.closes_by_month(month=MONTH)
    rows = report.get_by_role("region", name="By owner").locator("tbody tr")
    expect(rows).to_have_count(len(month.owners))
    expect(rows.first).to_contain_text(f"no owner{len(NAMES)}")
    bars = report.get_by_role("region", name="Business days to close, by month")
    expect(bars.get_by_role("img")).to_have_attribute("aria-label", re.compile("Dec 25 none.*May 26 none"))
