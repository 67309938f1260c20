"""`atlas-stage settings …` and `atlas-stage calendar …`: what the firm can set."""

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
    no_args_is_help=True, help="The time zone, the days of the calendar rules, the stage limits."
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
    """Show every setting, and how long a client can be in each stage."""
    run = session(ctx)
    with _opened(run) as firm:
        found, stages = firm.settings(), firm.stages()
    columns: Columns = {
        "stage": itemgetter("stage"),
        "days": lambda each: "no limit" if each["max_days"] is None else each["max_days"],
        "not stuck with": itemgetter("waiting_flags"),
    }
    run.output.result(
        {"settings": found, "stages": stages},
        make_table(("setting", "value"), found.items()),
        make_table(columns, stages),
    )


@settings.command("set")
def set_setting(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A name in `atlas-stage settings show`.")],
    value: Annotated[str, typer.Argument(help="Such as America/New_York, 20, 06:00 or true.")],
) -> None:
    """Change a setting, effective immediately."""
    run = session(ctx)
    with _opened(run) as firm:
        firm.change(name, value)
        now = firm.settings()
    said = ("no", "yes")[now[name]] if isinstance(now[name], bool) else now[name]
    run.output.result({"settings": now}, f"{name} is {said}")


@settings.command("sla")
def set_sla(
    ctx: typer.Context,
    stage: Annotated[str, typer.Argument(help="The stage.")],
    days: Annotated[str, typer.Argument(help="Days, or: none.")],
) -> None:
    """Change how many days a client can be in a stage before it is stuck."""
    run = session(ctx)
    if days != "none" and not days.isdecimal():
        raise InvalidInput(f'"{days}" isn\'t a number of days. Use a number, or none.')
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
        int | None, typer.Option(min=1, max=9999, help="The year; this year if omitted.")
    ] = None,
) -> None:
    """Show a year's holidays, and the last business day of each month, when its close opens."""
    run = session(ctx)
    chosen = year or datetime.now().year
    with _opened(run) as firm:
        holidays, closes = firm.holidays(chosen), firm.closes(chosen)
    run.output.result(
        {"holidays": holidays, "closes": closes},
        make_table(("holiday", "name"), (each.values() for each in holidays), title=str(chosen)),
        make_table(("month", "last business day"), (each.values() for each in closes)),
    )


@calendar.command("add")
def add_holiday(
    ctx: typer.Context, day: Day, name: Annotated[str, typer.Argument(help="Its name.")]
) -> None:
    """Add a holiday."""
    run = session(ctx)
    with _opened(run) as firm:
        firm.add_holiday(day.date(), name)
    run.output.result({"day": day.date(), "name": name}, f"closed on {day.date()}: {name}")


@calendar.command("remove")
def remove_holiday(ctx: typer.Context, day: Day) -> None:
    """Remove a holiday."""
    run = session(ctx)
    with _opened(run) as firm:
        firm.remove_holiday(day.date())
    run.output.result({"day": day.date(), "name": None}, f"open on {day.date()}")
