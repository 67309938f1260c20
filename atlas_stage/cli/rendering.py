"""How answers look: tables and lines for people, JSON for programs, errors in one line."""

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlas_stage.errors import StageError
from atlas_stage.models import json_of
from atlas_stage.text import plain

# The style of a value in a column of this name, and of all other values in it.
_VALUE_STYLES = {
    column: dict(each.split(":") for each in styles.split())
    for column, styles in {
        "stage": "onboarding:cyan cleanup:yellow weekly:green eom_close:blue eom_review:magenta"
        " paused_client:dim paused_internal:dim offboarding:red",
        "state": "active:green done:green ok:green expired:dim revoked:dim failed:red crashed:red missed:red"
        " wrong:red skipped:red due:yellow notice:yellow running:blue",
        "outcome": "new:green changed:yellow unchanged:dim refused:red",
    }.items()
}
_COLUMN_STYLES = {
    "flags": "yellow",
    "attention": "bold red",
    "field": "dim",
    **dict.fromkeys(("would be skipped", "late", "late since"), "red"),
}
_STYLE: dict[str, Any] = {
    "box": box.SIMPLE_HEAD,
    "pad_edge": False,
    "header_style": "bold",
    "title_style": "bold",
    "title_justify": "left",
    "caption_justify": "left",
}
_PIPE_WIDTH = 200
_NUMBERS = {"id", "version", "days", "row", "clients"}
# How our own signs are written in an encoding without them.
_IN_ASCII = str.maketrans({"→": "->", "…": "...", "—": "-", "–": "-"})

# What to do next after a refusal. The database's own hints are for programs.
_HINTS = {
    "client_has_history": "atlas-stage client update CLIENT --inactive",
    "client_inactive": "atlas-stage client update CLIENT --active",
    "client_not_found": "atlas-stage client list --all shows every client",
    "expiry_required": "give either --days N or --never-expires",
    "feed_not_in_order": "run: atlas-stage migrate",
    "history_not_found": "atlas-stage client history CLIENT shows the ids",
    "last_admin": "grant can_admin without --scope to someone else first",
    "operator_only": "grant atlas_operator to the database login, or leave out --as",
    "override_needs_admin": "leave out --override, or ask an admin",
    "permission_not_found": "atlas-stage permission list shows the ids",
    "reason_required": 'add --reason "…"',
    "rollback_blocked": "atlas-stage client history CLIENT shows the newer change",
    "run_not_found": "atlas-stage job runs shows the ids",
    "text_required": "give it a value that isn't blank",
    "token_not_found": "atlas-stage token list shows the ids",
    "transition_not_allowed": "an admin can add --override",
    "unknown_job": "atlas-stage job list",
    "version_conflict": "atlas-stage client show CLIENT shows its present version",
}


def survive_any_encoding() -> None:
    """Escape characters that the output's encoding (cp1252, ASCII) doesn't have. A closed stream is no error."""
    sys.stdin = sys.stdin or Path(os.devnull).open()  # noqa: SIM115 (open until the end)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or Path(os.devnull).open("w")  # noqa: SIM115 (open until the end)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, stream)


def shown(value: object) -> str:
    """A value as one line in the output's encoding."""
    text = plain(value)
    return text if _has_unicode() else text.translate(_IN_ASCII)


def cell(value: object, style: str = "") -> Text:
    """A value as text without markup or control characters; None is empty."""
    return Text("" if value is None else shown(value), style=style)


class Lines(NamedTuple):
    """A cell with several lines; all but the first are dim, and empty ones are left out."""

    first: object
    others: Iterable[str | None]


def listed(values: Iterable[str] | None) -> str:
    """Several values in one cell."""
    return ", ".join(values or ())


def moment(instant: datetime, zone: tzinfo) -> str:
    """An instant in a time zone, to the minute."""
    with suppress(OverflowError):  # at the end of Python's calendar
        instant = instant.astimezone(zone)
    return instant.strftime("%Y-%m-%d %H:%M")


def console(*, stderr: bool = False) -> Console:
    """A console. A pipe or file gets 200 columns, not 80."""
    width = shutil.get_terminal_size((_PIPE_WIDTH, 0)).columns
    return Console(stderr=stderr, highlight=False, width=width)


Columns = Mapping[str, str | Callable[[Any], object]]


def columns(names: str, **made: Callable[[Any], object]) -> Columns:
    """Columns by name, or `name=attribute`; a name's _ is shown as a space. `made` are functions of the row."""
    pairs = (each.partition("=") for each in names.split())
    return {name.replace("_", " "): made.get(name) or attribute or name for name, _, attribute in pairs}


def make_table(
    columns: Columns | Sequence[str],
    rows: Iterable[Any],
    *,
    title: str | None = None,
    zone: tzinfo | None = None,
) -> Table:
    """A table of the columns that have values.

    `columns` gives the attribute of a row for each column, or a function of the row; if it only has names, a row is a
    sequence of values. `zone` is for times, and is shown below the table.
    """
    if isinstance(columns, Mapping):
        parts = [attrgetter(each) if isinstance(each, str) else each for each in columns.values()]
        rows = ([part(row) for part in parts] for row in rows)
    names = list(columns)
    cells = [[_cell_in(*each, zone) for each in zip(names, row, strict=True)] for row in rows]
    used = [place for place in range(len(names)) if any(row[place].plain for row in cells)]
    table = Table(title=title, caption=f"times: {zone}" if zone else None, **_STYLE)
    for name in (names[place] for place in used):
        number = name in _NUMBERS
        side: Any = "right" if number else "left"
        table.add_column(name, justify=side, no_wrap=number, overflow="fold")
    for row in cells:
        table.add_row(*(row[place] for place in used))
    return table


def _cell_in(column: str, value: object, zone: tzinfo | None) -> Text:
    match value:
        case Text():
            return value
        case Lines(first, others):
            dim = (cell(line, "dim") for line in others if line)
            return Text("\n").join([_cell_in(column, first, zone), *dim])
        case datetime() if zone is not None:
            value = moment(value, zone)
        case tuple() | list():
            value = listed(map(str, value))
        case bool():
            value = "yes" if value else "no"
    style = _VALUE_STYLES.get(column, {}).get(str(value)) or _COLUMN_STYLES.get(column, "")
    return cell(value, style)


def error_lines(error: StageError) -> list[str]:
    """An error as people see it: a line, and a hint if there is one."""
    hint = _HINTS.get(error.rule) if "text" in error.details else error.hint
    login = str(error.details.get("actor_id", ""))
    if login.startswith("system:db:"):
        hint = f"you act as {login}, your database login: add --as user:…, or set ATLAS_ACTOR"
    codes = _codes_of(error.details.get("known") or error.details.get("allowed_stages"))
    said = str(error)
    if any(code not in said for code in codes):  # the sentence has the board's names
        hint = "; ".join(filter(None, [f"use one of {listed(codes)}", hint]))
    return [f"error: {said} [{error.rule}]", *([f"hint: {plain(hint)}"] if hint else [])]


def _codes_of(known: Any) -> list[str]:
    """The words that the database accepts: a list, or a list for each argument."""
    lists = known.values() if isinstance(known, dict) else [known]
    return [str(code) for each in lists for code in each or ()]


@dataclass(frozen=True)
class Output:
    """Where answers go: tables and lines, or with `as_json` one JSON document on stdout."""

    as_json: bool = False
    console: Console = field(default_factory=console)

    def result(self, answer: object, *shown: str | Table | Callable[[], Table]) -> None:
        """Print one answer: as JSON, else these lines and tables. A table without rows is left out."""
        if self.as_json:
            print(json.dumps(answer, indent=2, ensure_ascii=not _has_unicode(), default=json_of), flush=True)
            return
        for each in shown:
            made = each() if callable(each) else each
            if isinstance(made, str):
                self.line(made)
            elif made.row_count:
                self.console.print(made)

    def line(self, text: str) -> None:
        """Print a line for people (nothing with `as_json`)."""
        if not self.as_json:
            self.console.print(cell(text), soft_wrap=True)

    def aside(self, text: str) -> None:
        """Print a line on stderr that isn't part of the answer (nothing with `as_json`)."""
        if not self.as_json:
            print(shown(text), file=sys.stderr)

    def error(self, error: StageError) -> None:
        """Print an error on stderr: lines, or one line of JSON with `as_json`."""
        if self.as_json:
            print(json.dumps(error.as_json(), default=str), file=sys.stderr)
        else:
            print("\n".join(map(shown, error_lines(error))), file=sys.stderr)


def _has_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
