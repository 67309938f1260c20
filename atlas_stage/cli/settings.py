"""`atlas-stage settings …` and `atlas-stage calendar …`: what the firm can set."""

from datetime import date

from atlas_stage.cli import base
from atlas_stage.cli.base import Session, argument, command, option
from atlas_stage.cli.rendering import make_table
from atlas_stage.errors import InvalidInput

settings = base.group("settings", "The time zone, the days of the calendar rules, the stage limits.")
calendar = base.group("calendar", "The firm's holidays, and when closes open.")

# A value such as -3 is no option: the database says why it can't be.
_NEGATIVE = {"ignore_unknown_options": True}
DAY = argument("YYYY-MM-DD, such as 2026-11-27.", "DAY")


@command(settings, "show")
def show_settings(run: Session) -> None:
    """Show every setting, and how long a client can be in each stage."""
    shown = run.api.settings()
    limits = ([each["stage"], each["max_days"] or "no limit", each["waiting_flags"]] for each in shown.stages)
    run.output.result(
        {"settings": shown.settings, "stages": shown.stages},
        make_table(("setting", "value"), shown.settings.items()),
        make_table(("stage", "days", "not stuck with"), limits),
    )


@command(settings, "set", context_settings=_NEGATIVE)
def set_setting(
    run: Session,
    name: str = argument("A name in `atlas-stage settings show`.", "SETTING"),
    value: str = argument("Such as America/New_York, 20, 06:00 or true."),
) -> None:
    """Change a setting, effective immediately."""
    now = run.api.set_setting(name, value)["settings"]
    said = ("no", "yes")[now[name]] if isinstance(now[name], bool) else now[name]
    run.output.result({"settings": now}, f"{name} is {said}")


@command(settings, "sla", context_settings=_NEGATIVE)
def set_sla(
    run: Session,
    stage: str = argument("The stage.", "STAGE"),
    days: str = argument("Days, or: none."),
) -> None:
    """Change how many days a client can be in a stage before it is stuck."""
    try:
        limit = None if days == "none" else int(days)
    except ValueError as error:
        raise InvalidInput(f'"{days}" isn\'t a number of days. Use a number, or none.') from error
    now = run.api.set_stage_limit(stage, max_days=limit)
    run.output.result(now, f"{stage}: {'no limit' if days == 'none' else f'{days} days'}")


@command(settings, "moves")
def show_moves(run: Session) -> None:
    """Show which stage can follow which, and the permission that each move needs."""
    found = run.api.settings().transitions
    rows = ([each[name] for name in ("from_stage", "to_stage", "permission", "note")] for each in found)
    run.output.result({"transitions": found}, make_table(("from", "to", "permission", "note"), rows))


@command(settings, "move")
def set_move(
    run: Session,
    from_stage: str = argument("From this stage.", "STAGE"),
    to_stage: str = argument("To this stage.", "STAGE"),
    needs: str | None = option("The permission that it needs: can_set_stage, …"),
    note: str | None = option("What the move means."),
    remove: bool | None = option("No longer allow it."),
) -> None:
    """Allow a move between two stages, change it, or remove it."""
    if bool(needs) == bool(remove):
        raise InvalidInput("Say which permission the move needs (--needs), or --remove it.")
    now = run.api.set_transition(from_stage, to_stage, permission=needs, note=note)
    said = "is no longer allowed" if remove else f"needs {needs}"
    run.output.result(now, f"{from_stage} → {to_stage} {said}")


@command(calendar, "show")
def show_calendar(run: Session, year: int | None = option("The year; this year if omitted.", min=1, max=9999)) -> None:
    """Show a year's holidays, and the last business day of each month, when its close opens."""
    shown = run.api.settings(year=year)
    run.output.result(
        {"holidays": shown.holidays, "closes": shown.closes},
        make_table(("holiday", "name"), (each.values() for each in shown.holidays), title=str(shown.year)),
        make_table(("month", "last business day"), (each.values() for each in shown.closes)),
    )


@command(calendar, "add")
def add_holiday(run: Session, day: date = DAY, name: str = argument("Its name.")) -> None:
    """Add a holiday."""
    run.api.set_holiday(str(day), name=name)
    run.output.result({"day": day, "name": name}, f"closed on {day}: {name}")


@command(calendar, "remove")
def remove_holiday(run: Session, day: date = DAY) -> None:
    """Remove a holiday."""
    run.api.set_holiday(str(day))
    run.output.result({"day": day, "name": None}, f"open on {day}")
