"""`atlas-stage settings …` and `atlas-stage calendar …`: what the firm may set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated

import typer

from atlas_stage.cli.base import Session, session
from atlas_stage.cli.rendering import Columns, make_table
from atlas_stage.errors import InvalidInput

if TYPE_CHECKING:
    from atlas_stage.ops.settings import FirmSettings

settings = typer.Typer(
    no_args_is_help=True, help="The time zone, the days of the calendar rules, the days in a stage."
)
calendar = typer.Typer(no_args_is_help=True, help="The firm's holidays, and when closes open.")

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DAY", help="2026-11-27")]


@contextmanager
def _opened(run: Session) -> Iterator[FirmSettings]:
    from atlas_stage.ops.settings import FirmSettings

    with run.connection() as connection:
        yield FirmSettings(connection)


@settings.command("show")
def show_settings(ctx: typer.Context) -> None:
    """Show every setting, and how long a client may be in each stage."""
    run = session(ctx)
    with _opened(run) as firm:
        found, stages = firm.settings(), firm.stages()
    columns: Columns = {
        "stage": itemgetter("stage"),
        "days": lambda each: "no limit" if each["max_days"] is None else each["max_days"],
        "waits with": itemgetter("waiting_flags"),
    }
    run.output.result(
        {"settings": found, "stages": stages},
        make_table(("setting", "value"), found.items()),
        make_table(columns, stages),
    )


@settings.command("set")
def set_setting(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="One of `atlas-stage settings show`.")],
    value: Annotated[str, typer.Argument(help="For example America/New_York, 20, 06:00, true.")],
) -> None:
    """Change a setting; it holds from now on."""
    run = session(ctx)
    with _opened(run) as firm:
        firm.change(name, value)
        now = firm.settings()
    run.output.result({"settings": now}, f"{name} is {_words(now[name])}")


@settings.command("sla")
def set_sla(
    ctx: typer.Context,
    stage: Annotated[str, typer.Argument(help="The stage.")],
    days: Annotated[str, typer.Argument(help="A client may be in it for so many; or: none.")],
) -> None:
    """Change how long a client may be in a stage before it is stuck."""
    run = session(ctx)
    if days != "none" and not days.isdecimal():
        raise InvalidInput("the days must be a number, or: none", details={"days": days})
    with _opened(run) as firm:
        firm.set_max_days(stage, None if days == "none" else int(days))
        now = firm.stages()
    run.output.result(
        {"stages": now}, f"{stage}: {'no limit' if days == 'none' else f'{days} days'}"
    )


@calendar.command("show")
def show_calendar(
    ctx: typer.Context,
    year: Annotated[
        int | None, typer.Option(min=1, max=9999, help="Of this year; else of the present one.")
    ] = None,
) -> None:
    """Show the holidays of a year, and the last business day of each month, on which its close opens."""
    run = session(ctx)
    with _opened(run) as firm:
        chosen = year or datetime.now().year
        holidays, closes = firm.holidays(chosen), firm.closes(chosen)
    days, months = ((each.values() for each in rows) for rows in (holidays, closes))
    run.output.result(
        {"holidays": holidays, "closes": closes},
        make_table(("holiday", "name"), days, title=str(chosen)),
        make_table(("month", "last business day"), months),
    )


@calendar.command("add")
def add_holiday(
    ctx: typer.Context, day: Day, name: Annotated[str, typer.Argument(help="What it is.")]
) -> None:
    """Have the firm closed on a day."""
    run = session(ctx)
    with _opened(run) as firm:
        firm.add_holiday(day.date(), name)
    run.output.result({"day": day.date(), "name": name}, f"closed on {day.date()}: {name}")


@calendar.command("remove")
def remove_holiday(ctx: typer.Context, day: Day) -> None:
    """Have the firm open on a day that was a holiday."""
    run = session(ctx)
    with _opened(run) as firm:
        firm.remove_holiday(day.date())
    run.output.result({"day": day.date(), "name": None}, f"open on {day.date()}")


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
