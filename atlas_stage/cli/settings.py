"""`atlas-stage settings …` and `atlas-stage calendar …`: what the firm can set."""

from datetime import datetime
from typing import Annotated

import typer

from atlas_stage.cli.base import Session, app, command, completes, option
from atlas_stage.cli.rendering import make_table
from atlas_stage.errors import InvalidInput

settings = typer.Typer(
    no_args_is_help=True, help="The time zone, the days of the calendar rules, the stage limits."
)
calendar = typer.Typer(no_args_is_help=True, help="The firm's holidays, and when closes open.")
app.add_typer(settings, name="settings")
app.add_typer(calendar, name="calendar")

Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], metavar="DAY", help="2026-11-27")]


@command(settings, "show")
def show_settings(run: Session) -> None:
    """Show every setting, and how long a client can be in each stage."""
    shown = run.api.settings()
    found, stages = shown.settings, shown.stages
    limits = (
        [each["stage"], each["max_days"] or "no limit", each["waiting_flags"]] for each in stages
    )
    run.output.result(
        {"settings": found, "stages": stages},
        make_table(("setting", "value"), found.items()),
        make_table(("stage", "days", "not stuck with"), limits),
    )


@command(settings, "set")
def set_setting(
    run: Session,
    name: Annotated[
        str, typer.Argument(help="A name in `atlas-stage settings show`.", **completes("SETTING"))
    ],
    value: Annotated[str, typer.Argument(help="Such as America/New_York, 20, 06:00 or true.")],
) -> None:
    """Change a setting, effective immediately."""
    now = run.api.set_setting(name, value)["settings"]
    said = ("no", "yes")[now[name]] if isinstance(now[name], bool) else now[name]
    run.output.result({"settings": now}, f"{name} is {said}")


@command(settings, "sla")
def set_sla(
    run: Session,
    stage: Annotated[str, typer.Argument(help="The stage.", **completes("STAGE"))],
    days: Annotated[str, typer.Argument(help="Days, or: none.")],
) -> None:
    """Change how many days a client can be in a stage before it is stuck."""
    if days != "none" and not days.isdecimal():
        raise InvalidInput(f'"{days}" isn\'t a number of days. Use a number, or none.')
    now = run.api.set_stage_limit(stage, max_days=None if days == "none" else int(days))
    run.output.result(now, f"{stage}: {'no limit' if days == 'none' else f'{days} days'}")


@command(settings, "moves")
def show_moves(run: Session) -> None:
    """Show which stage can follow which, and the permission that each move needs."""
    found = run.api.settings().transitions
    rows = (
        [each[name] for name in ("from_stage", "to_stage", "permission", "note")] for each in found
    )
    run.output.result(
        {"transitions": found}, make_table(("from", "to", "permission", "note"), rows)
    )


@command(
    settings,
    "move",
    needs=option("The permission that it needs: can_set_stage, …"),
    note=option("What the move means."),
    remove=option("No longer allow it.", "--remove", kind=bool),
)
def set_move(
    run: Session,
    from_stage: Annotated[str, typer.Argument(help="From this stage.", **completes("STAGE"))],
    to_stage: Annotated[str, typer.Argument(help="To this stage.", **completes("STAGE"))],
    needs: str | None,
    note: str | None,
    remove: bool | None,
) -> None:
    """Allow a move between two stages, change it, or remove it."""
    if bool(needs) == bool(remove):
        raise InvalidInput("Say which permission the move needs (--needs), or --remove it.")
    now = run.api.set_transition(from_stage, to_stage, permission=needs, note=note)
    said = "is no longer allowed" if remove else f"needs {needs}"
    run.output.result(now, f"{from_stage} → {to_stage} {said}")


@command(calendar, "show")
def show_calendar(
    run: Session,
    year: Annotated[
        int | None, typer.Option(min=1, max=9999, help="The year; this year if omitted.")
    ] = None,
) -> None:
    """Show a year's holidays, and the last business day of each month, when its close opens."""
    shown = run.api.settings(year=year)
    holidays, closes = shown.holidays, shown.closes
    run.output.result(
        {"holidays": holidays, "closes": closes},
        make_table(
            ("holiday", "name"), (each.values() for each in holidays), title=str(shown.year)
        ),
        make_table(("month", "last business day"), (each.values() for each in closes)),
    )


@command(calendar, "add")
def add_holiday(
    run: Session, day: Day, name: Annotated[str, typer.Argument(help="Its name.")]
) -> None:
    """Add a holiday."""
    run.api.set_holiday(f"{day:%Y-%m-%d}", name=name)
    run.output.result({"day": day.date(), "name": name}, f"closed on {day.date()}: {name}")


@command(calendar, "remove")
def remove_holiday(run: Session, day: Day) -> None:
    """Remove a holiday."""
    run.api.set_holiday(f"{day:%Y-%m-%d}")
    run.output.result({"day": day.date(), "name": None}, f"open on {day.date()}")
