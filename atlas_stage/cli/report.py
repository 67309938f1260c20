"""`atlas-stage report`, a month's close as tables or as a file for a spreadsheet; `atlas-stage activity`."""

import csv
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from pathlib import Path

from atlas_stage.cli import base, tables
from atlas_stage.cli.base import Session, command, option
from atlas_stage.cli.rendering import Columns, cell, columns, make_table
from atlas_stage.models import Close, MonthCloses

COLUMNS = (
    *("client_id", "slug", "name", "stage_owner", "stage", "state", "opened_at", "opened_by"),
    *("reviewed_at", "reviewed_by", "sent_back", "reopened", "signed_off_at", "signed_off_by"),
    *("signed_off_through", "business_days", "late", "late_since"),
)
# How a formula begins in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LATE = columns("id=client_id name state owner=stage_owner late_since opened=opened_at days=business_days")
_STATES = ("clients", "closed", "in_review", "open", "paused", "not_opened", "late")
_COUNTS = {**dict(zip(_STATES, _STATES, strict=True)), "days": "median_business_days"}
_BY_MONTH: Columns = {"month": "month", **_COUNTS}
_BY_OWNER: Columns = {
    "owner": lambda each: cell("all", "bold") if isinstance(each, MonthCloses) else cell(each.owner or "no owner"),
    **_COUNTS,
}


@command(base.app)
def report(
    run: Session,
    month: str | None = option("The month; the current close if omitted.", "YYYY-MM"),
    csv_file: Path | None = option("Write a file for a spreadsheet.", "FILE", "--csv"),
) -> None:
    """Show a month's close by owner: how many clients are closed, which are late and since when."""
    pages = list(run.api.pages(run.api.closes, month, page_size=1000))
    period, closes = pages[-1].month, [close for page in pages for close in page]
    if csv_file is not None:
        write_csv(csv_file, closes, run.zone)
        run.output.line(f"wrote {len(closes)} closes of {period} to {csv_file}")
        return
    months = run.api.closes_by_month(month=period).items
    late = sorted(
        (each for each in closes if each.late),
        key=lambda each: each.late_since.timestamp() if each.late_since else 0,
    )
    this = months[-1]
    shown = (
        make_table(_BY_OWNER, [*this.owners, this], title=f"The close of {this.month}"),
        make_table(_LATE, late, title="Late", zone=run.zone) if late else "No client is late.",
        make_table(_BY_MONTH, months, title="Month by month"),
    )
    run.output.result(
        {"month": period, "closes": closes, "months": months},
        *(shown if closes else [f"no client has a close in {period}"]),
    )


@command(base.app)
def activity(
    run: Session,
    actor: str | None = option("Only this actor's changes.", "ACTOR", "--by"),
    client: str | None = option("Only this client's: its id or slug.", "CLIENT"),
    day: date | None = option("Only this day's, in the firm's time zone."),
    before: str | None = option("Continue the page before.", "PLACE"),
    limit: int = base.limit(20),
) -> None:
    """Show the changes of all clients, newest first."""
    page = run.api.activity(
        actor,
        client_id=client,
        day=str(day) if day else None,
        before=before,
        page_size=limit,
    )
    more = f"--before {page.next['before']}" if page.next else None
    run.records("activity", page.items, tables.ACTIVITY, more)


def write_csv(file: Path, closes: Iterable[Close], zone: tzinfo) -> None:
    """Write a file that Excel reads correctly: UTF-8 with a byte order mark, times in this zone, and no formulas."""
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for each in closes:
            writer.writerow([_for_a_sheet(getattr(each, name), zone) for name in COLUMNS])


def _for_a_sheet(value: object, zone: tzinfo) -> object:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
        case str() if value.lstrip(" ").startswith(_FORMULA):
            return f"'{value}"
    return value
