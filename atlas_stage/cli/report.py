"""`atlas-stage report`: how the close of a month stands, as tables or as a file for a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from atlas_stage.cli.base import session
from atlas_stage.cli.rendering import cell, make_table
from atlas_stage.models import Close, CloseCounts, MonthCloses
from atlas_stage.stage import Stage

STATES = ("closed", "in_review", "open", "not_opened")
COLUMNS = (
    *("client_id", "slug", "name", "stage_owner", "stage", "state", "opened_at", "opened_by"),
    *("reviewed_at", "reviewed_by", "sent_back", "signed_off_at", "signed_off_by", "business_days"),
    *("late", "late_since"),
)
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def report(
    ctx: typer.Context,
    month: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="Which close (default: the one that is going on)."),
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write it for a spreadsheet.")
    ] = None,
) -> None:
    """Show how a month's close stands: who is closed, who is late and since when, by owner."""
    run = session(ctx)
    with run.stage() as api:
        period, closes = _closes(api, month)
        months = () if csv_file else api.closes_by_month(month=period).items
        zone = run.zone(api)
    if csv_file is not None:
        write_csv(csv_file, closes)
        run.output.line(f"wrote {len(closes)} closes of {period} to {csv_file}")
        return
    late = [each for each in closes if each.late]
    shown = (
        owners_table(months[-1]),
        late_table(late, zone) if late else "Nobody is late.",
        months_table(months),
    )
    run.output.result(
        {"month": period, "closes": closes, "months": months},
        *(shown if closes else [f"nobody closes in {period}"]),
    )


def _closes(api: Stage, month: str | None) -> tuple[str, list[Close]]:
    """The month, and all its closes."""
    pages = list(api.pages(api.closes, month, page_size=1000))
    return pages[-1].month, [close for page in pages for close in page]


def owners_table(month: MonthCloses) -> Table:
    """How many of each owner's are how far; the last row is the firm."""
    rows = [(cell(each.owner or "nobody"), each) for each in month.owners]
    return _counts_table(
        "owner", [*rows, (cell("all", "bold"), month)], f"The close of {month.month}"
    )


def months_table(months: Sequence[MonthCloses]) -> Table:
    """The month beside those before it."""
    return _counts_table("month", [(cell(each.month), each) for each in months], "Month by month")


def _counts_table(first: str, rows: Iterable[tuple[object, CloseCounts]], title: str) -> Table:
    return make_table(
        (first, "clients", *STATES, "late", "days"),
        (
            [name, each.clients]
            + [getattr(each, state) for state in STATES]
            + [each.late, each.median_business_days]
            for name, each in rows
        ),
        title=title,
    )


def late_table(closes: Iterable[Close], zone: tzinfo) -> Table:
    """Who is late, the longest first; instants in this zone."""
    ordered = sorted(closes, key=lambda each: each.late_since.timestamp() if each.late_since else 0)
    columns = {
        "id": "client_id",
        "name": "name",
        "state": "state",
        "owner": "stage_owner",
        "late since": "late_since",
        "opened": "opened_at",
        "days": "business_days",
    }
    return make_table(columns, ordered, title="Late", zone=zone)


def write_csv(file: Path, closes: Iterable[Close]) -> None:
    """A file that Excel opens right: its mark before the UTF-8, and no cell that runs as a formula."""
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        writer.writerows([_for_a_sheet(getattr(each, name)) for name in COLUMNS] for each in closes)


def _for_a_sheet(value: object) -> object:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds")
        case str() if value.lstrip(" ").startswith(_FORMULA):
            return f"'{value}"
        case _:
            return value
