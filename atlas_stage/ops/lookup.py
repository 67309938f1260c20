"""What the commands look up: the firm's time zone."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from atlas_stage.errors import StageError
from atlas_stage.stage import Stage


def firm_zone(stage: Stage) -> tzinfo:
    """The firm's time zone; this machine's if the caller can't read it."""
    for ask in (_zone_of_settings, _zone_of_summary):
        try:
            return ZoneInfo(ask(stage))
        except (StageError, ZoneInfoNotFoundError):
            continue
    return datetime.now().astimezone().tzinfo or UTC


def _zone_of_settings(stage: Stage) -> str:
    """Cheap, but needs a database login that can read the settings."""
    with stage.transaction() as work:
        row = work.connection.execute("select time_zone from public.stage_settings").fetchone()
    return str(row[0])


def _zone_of_summary(stage: Stage) -> str:
    return stage.summary().time_zone
