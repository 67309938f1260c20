"""How answers look: tables and lines for people, JSON for programs, errors in one plain line."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlas_stage.errors import StageError
from atlas_stage.models import Record
from atlas_stage.text import plain

# How a value looks in a column of this name, and how all others in it do.
_VALUE_STYLES = {
    "stage": {
        "onboarding": "cyan",
        "cleanup": "yellow",
        "weekly": "green",
        "eom_close": "blue",
        "eom_review": "magenta",
        "paused_client": "dim",
        "paused_internal": "dim",
        "offboarding": "red",
    },
    "state": {
        **dict.fromkeys(("active", "done"), "green"),
        **dict.fromkeys(("expired", "revoked"), "dim"),
        **dict.fromkeys(("failed", "crashed", "missed"), "bold red"),
        "running": "blue",
        "due": "yellow",
        "skipped": "red",
    },
    "outcome": {"new": "green", "changed": "yellow", "unchanged": "dim", "refused": "bold red"},
}
_COLUMN_STYLES = {
    "flags": "yellow",
    "attention": "bold red",
    "would be skipped": "red",
    "late": "red",
    "late since": "red",
    "flags now": "yellow",
    "field": "dim",
}
_PIPE_WIDTH = 200
_READABLE = 8  # so wide a column of words is at least
# Columns of numbers, and columns whose cells are not broken into lines as long as there is room.
_NUMBERS = {"id", "version", "v", "days", "row", "clients"}
_WHOLE = (
    _NUMBERS | {"slug", "stage", "who", "change", "kind"} | {"due", "token", "state", "permission"}
)
# How our own signs are written where they cannot be.
_IN_ASCII = str.maketrans({"→": "->", "…": "...", "—": "-", "–": "-"})


def survive_any_encoding() -> None:
    """What a terminal, a pipe or a file cannot be written in (cp1252, ASCII) becomes an escape, and no error. Where
    there is nothing to write to, nothing is written.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 (to the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def shown(value: object) -> str:
    """A value as one line that can be printed here."""
    text = plain(value)
    return text if _unicode_goes() else text.translate(_IN_ASCII)


def cell(value: object, style: str = "") -> Text:
    """A value as text that is never read as markup and cannot steer the terminal; None is empty."""
    return Text("" if value is None else shown(value), style=style)


def stage_cell(stage: str | None) -> Text:
    """A stage in its colour."""
    return cell(stage, _VALUE_STYLES["stage"].get(stage or "", ""))


def listed(values: Iterable[str] | None) -> str:
    """Several values in one cell."""
    return ", ".join(values or ())


def moment(instant: datetime | None, zone: tzinfo, form: str = "%Y-%m-%d %H:%M") -> str:
    """An instant in a time zone, to the minute."""
    if instant is None:
        return ""
    try:
        return instant.astimezone(zone).strftime(form)
    except OverflowError:  # the last of all instants
        return instant.strftime(form)


def console(*, stderr: bool = False) -> Console:
    """A console; what goes into a pipe or a file is not squeezed into 80 columns."""
    stream = sys.stderr if stderr else sys.stdout
    wide = not stream.isatty() and not os.environ.get("COLUMNS")
    return Console(
        stderr=stderr, highlight=False, soft_wrap=False, width=_PIPE_WIDTH if wide else None
    )


Columns = Mapping[str, str | Callable[[Any], object]]


def make_table(
    columns: Columns | Sequence[str],
    rows: Iterable[Any],
    *,
    title: str | None = None,
    zone: tzinfo | None = None,
    spare: Sequence[str] = (),
) -> Table:
    """A table in the style of all tables here, without the columns that would be empty.

    `columns` says what of a row stands in each column: an attribute, or what a function makes of the row; where it only
    names them, a row is its values. Columns in `spare` give way, one after another, where the terminal is too narrow
    for all; where it is too narrow for the others too, each row is a few lines of its own. `zone` is that of the times
    in it, and said below.
    """
    names = list(columns)
    if isinstance(columns, Mapping):
        parts = [attrgetter(each) if isinstance(each, str) else each for each in columns.values()]
        rows = ([part(row) for part in parts] for row in rows)
    cells = [[_shown_in(*each, zone) for each in zip(names, row, strict=True)] for row in rows]
    used = [place for place in range(len(names)) if any(row[place].plain for row in cells)]
    screen = console()
    unbounded = screen.options.update(max_width=10_000)
    giving_way = list(spare)
    while True:
        table = _table([names[place] for place in used], title, zone)
        for row in cells:
            table.add_row(*(row[place] for place in used))
        if screen.measure(table, options=unbounded).maximum <= screen.width:
            return table
        if not giving_way:
            return (
                table if _fits(names, used, cells, screen.width) else _upright(names, cells, table)
            )
        gone = giving_way.pop(0)
        used = [place for place in used if names[place] != gone]


def _fits(
    names: Sequence[str], used: Sequence[int], cells: Sequence[Sequence[Text]], width: int
) -> bool:
    """Whether all columns have room to be read, if not for their longest values."""
    needed = 0
    for place in used:
        longest = max(row[place].cell_len for row in cells)
        whole = names[place] in _WHOLE
        needed += max(len(names[place]), longest if whole else min(longest, _READABLE)) + 2
    return needed <= width


def _upright(names: Sequence[str], cells: Sequence[Sequence[Text]], wide: Table) -> Table:
    """The rows below each other, a line for each of their values."""
    table = _table(("field", "value"), None, None)
    table.title, table.caption = wide.title, wide.caption
    for row in cells:
        for name, value in zip(names, row, strict=True):
            if value.plain:
                table.add_row(cell(name, "dim"), value)
        table.add_section()
    return table


def _shown_in(column: str, value: object, zone: tzinfo | None) -> Text:
    """What stands in a column of that name."""
    if isinstance(value, Text):
        return value
    if isinstance(value, datetime) and zone is not None:
        value = moment(value, zone)
    if isinstance(value, tuple | list):
        value = listed(map(str, value))
    if isinstance(value, bool):
        value = "yes" if value else "no"
    return cell(
        value, _VALUE_STYLES.get(column, {}).get(str(value)) or _COLUMN_STYLES.get(column, "")
    )


def _table(columns: Iterable[str], title: str | None, zone: tzinfo | None) -> Table:
    table = Table(
        title=title,
        title_style="bold",
        title_justify="left",
        caption=f"times: {zone}" if zone else None,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        header_style="bold",
        pad_edge=False,
    )
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in _NUMBERS else "left"
        table.add_column(column, justify=justify, no_wrap=column in _WHOLE, overflow="fold")
    return table


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
        """Print a JSON document; records may stand anywhere in it."""
        text = json.dumps(value, indent=2, ensure_ascii=not _unicode_goes(), default=_written)
        print(text, flush=True)

    def records(self, name: str, records: Sequence[Record], table: Callable[[], Table]) -> None:
        """Print records: `{name: [...]}` for programs, the table for people."""
        if self.as_json:
            self.json({name: records})
        elif records:
            self.console.print(table())
        else:
            self.line(f"no {name}")

    def result(self, answer: object, *shown: str | Table) -> None:
        """Print one answer: its JSON for programs, lines and tables for people."""
        if self.as_json:
            self.json(answer)
            return
        for each in shown:
            if isinstance(each, str):
                self.line(each)
            else:
                self.console.print(each)

    def line(self, text: str, style: str = "") -> None:
        """Print a line for people (nothing with `as_json`)."""
        if not self.as_json:
            self.console.print(cell(text, style), soft_wrap=True)

    def aside(self, text: str) -> None:
        """Tell people something that is not the answer, on stderr."""
        if not self.as_json:
            print(shown(text), file=sys.stderr)

    def error(self, error: StageError) -> None:
        """Print an error on stderr: plain lines, or one line of JSON with `as_json`."""
        if self.as_json:
            print(json.dumps(error.as_json(), default=str), file=sys.stderr)
        else:
            print("\n".join(map(shown, error_lines(error))), file=sys.stderr)


def _written(value: object) -> Any:
    """What JSON has no form for."""
    return value.as_json() if isinstance(value, Record) else str(value)


def _unicode_goes() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
