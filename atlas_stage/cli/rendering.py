"""How answers look: tables and lines for people, JSON for programs, errors in one plain line."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlas_stage.errors import StageError
from atlas_stage.models import Record
from atlas_stage.text import plain

_STAGE_STYLES = {
    "onboarding": "cyan",
    "cleanup": "yellow",
    "weekly": "green",
    "eom_close": "blue",
    "eom_review": "magenta",
    "paused_client": "dim",
    "paused_internal": "dim",
    "offboarding": "red",
}
_PIPE_WIDTH = 200
# Columns of numbers, and columns whose cells are not broken into lines as long as there is room.
_NUMBERS = {"id", "version", "v", "days", "row", "clients"}
_WHOLE = _NUMBERS | {
    "slug",
    "stage",
    "who",
    "change",
    "kind",
    "due",
    "token",
    "state",
    "permission",
}


def cell(value: object, style: str = "") -> Text:
    """A value as text that is never read as markup and cannot steer the terminal; None is empty."""
    return Text("" if value is None else plain(value), style=style)


def stage_cell(stage: str | None) -> Text:
    """A stage in its colour."""
    return cell(stage, _STAGE_STYLES.get(stage or "", ""))


def listed(values: Iterable[str] | None) -> str:
    """Several values in one cell."""
    return ", ".join(values or ())


def moment(instant: datetime | None) -> str:
    """An instant in the time zone of this machine, to the minute."""
    return "" if instant is None else instant.astimezone().strftime("%Y-%m-%d %H:%M")


def console(*, stderr: bool = False) -> Console:
    """A console; what goes into a pipe or a file is not squeezed into 80 columns."""
    stream = sys.stderr if stderr else sys.stdout
    wide = not stream.isatty() and not os.environ.get("COLUMNS")
    return Console(
        stderr=stderr, highlight=False, soft_wrap=False, width=_PIPE_WIDTH if wide else None
    )


def make_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Text]],
    *,
    title: str | None = None,
    spare: Sequence[str] = (),
) -> Table:
    """A table in the style of all tables here, without the columns that would be empty.

    Columns in `spare` give way, one after another, where the terminal is too narrow for all.
    """
    cells = [list(row) for row in rows]
    used = [place for place in range(len(columns)) if any(row[place].plain for row in cells)]
    screen = console()
    unbounded = screen.options.update(max_width=10_000)
    giving_way = list(spare)
    while True:
        shown = _table([columns[place] for place in used], title)
        for row in cells:
            shown.add_row(*(row[place] for place in used))
        if not giving_way or screen.measure(shown, options=unbounded).maximum <= screen.width:
            return shown
        gone = giving_way.pop(0)
        used = [place for place in used if columns[place] != gone]


def _table(columns: Iterable[str], title: str | None) -> Table:
    shown = Table(
        title=title,
        title_style="bold",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        header_style="bold",
        pad_edge=False,
    )
    for column in columns:
        shown.add_column(
            column,
            justify="right" if column in _NUMBERS else "left",
            no_wrap=column in _WHOLE,
            overflow="fold",
        )
    return shown


def error_lines(error: StageError) -> list[str]:
    """An error as a user sees it: one plain line, and a line with the hint where there is one."""
    hint = [f"hint: {plain(error.hint)}"] if error.hint else []
    return [f"error: {error} [{error.rule}]", *hint]


@dataclass(frozen=True)
class Output:
    """Where answers go: as tables, or with `as_json` as one JSON document on stdout."""

    as_json: bool = False
    console: Console = field(default_factory=console)

    def json(self, value: Any) -> None:
        """Print a JSON document."""
        print(json.dumps(value, indent=2, ensure_ascii=not _unicode_goes(), default=str))

    def records(self, name: str, records: Sequence[Record], shown: Table) -> None:
        """Print records: `{name: [...]}` for programs, the table for people."""
        if self.as_json:
            self.json({name: [each.as_json() for each in records]})
        elif records:
            self.console.print(shown)
        else:
            self.line(f"no {name}")

    def result(self, record: Record, line: str) -> None:
        """Print one answer: its JSON for programs, a line for people."""
        if self.as_json:
            self.json(record.as_json())
        else:
            self.line(line)

    def line(self, text: str, style: str = "") -> None:
        """Print a line for people (nothing with `as_json`)."""
        if not self.as_json:
            self.console.print(cell(text, style), soft_wrap=True)

    def aside(self, text: str) -> None:
        """Tell people something that is not the answer, on stderr."""
        if not self.as_json:
            print(plain(text), file=sys.stderr)

    def error(self, error: StageError) -> None:
        """Print an error on stderr: plain lines, or one line of JSON with `as_json`."""
        if self.as_json:
            print(json.dumps(error.as_json(), default=str), file=sys.stderr)
        else:
            print("\n".join(error_lines(error)), file=sys.stderr)


def _unicode_goes() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
