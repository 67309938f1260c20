"""What became of the clients since the play began, read from their history."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from atlas_stage.cli.rendering import Columns, cell, make_table, stage_cell
from atlas_stage.cli.tables import change_of
from atlas_stage.models import Client, HistoryRow
from atlas_stage.stage import Stage

LEGEND = "⚑ a flag set, ⚐ cleared, ↩ rolled back"

_SHORT = {
    "eom_close": "close",
    "eom_review": "review",
    "paused_client": "paused by client",
    "paused_internal": "paused by us",
}


def rows_since(stage: Stage, start: Client) -> list[HistoryRow]:
    """What was recorded after the client was as in `start`, oldest first."""
    rows = []
    for row in stage.iter_history(start.id):
        if row.version <= start.version:
            break
        rows.append(row)
    return rows[::-1]


def story(start: Client, rows: Sequence[HistoryRow]) -> Text:
    """A client's way in a line; see LEGEND for the signs."""
    way = _step("", start.stage)
    for row in rows:
        if row.to_stage:
            way.append(_step(" ↩ " if row.trigger_type == "rollback" else " → ", row.to_stage))
        if row.flag_added:
            way.append(" ⚑", "yellow")
        if row.flag_removed:
            way.append(" ⚐", "yellow")
    return way


def overview(told: Sequence[tuple[Client, Client, Sequence[HistoryRow]]]) -> Table:
    """A line for each client, given as it was, as it is, and what was recorded in between."""
    rows = (
        (
            client.name,
            cell(client.close_cadence, "dim"),
            story(start, rows) if client.active else cell("inactive", "dim"),
            client.flags,
        )
        for start, client, rows in told
    )
    return make_table(("client", "closes", "story", "flags now"), rows)


def history(client: Client, rows: Sequence[HistoryRow]) -> Table:
    """Some of a client's history, a row a change."""
    columns: Columns = {
        "v": lambda each: cell(each.version, "dim"),
        "change": change_of,
        "who": "actor_id",
        "kind": lambda each: cell(each.trigger_type, "dim"),
        "reason": "reason",
    }
    return make_table(columns, rows, title=client.name)


def _step(sign: str, stage: str) -> Text:
    return Text.assemble(sign, (_SHORT.get(stage, stage), stage_cell(stage).style))
