"""The seed file: a CSV file with one row per client.

Columns: `client` (id or slug), or `name` and `slug`, which also add a new client; then any of `stage owner
collaborators cadence schedule tier reviewers notes flags active`. An empty cell changes nothing; `-` empties owner,
collaborators, reviewers or notes. Lists are separated by `;`. In `flags`, `x` sets the flag and `-x` clears it.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charset_normalizer import from_bytes

from atlas_stage.errors import InvalidInput, StageError

IDENTITY = ("client", "name", "slug")
LISTS = ("collaborators", "reviewers")
FIELDS = ("owner", "collaborators", "cadence", "schedule", "tier", "reviewers", "notes")
CLEARABLE = ("owner", "collaborators", "reviewers", "notes")
COLUMNS = (*IDENTITY, "stage", *FIELDS, "flags", "active")

_TRUTH = {
    **dict.fromkeys(("yes", "true", "1", "y"), True),
    **dict.fromkeys(("no", "false", "0", "n"), False),
}


@dataclass(frozen=True)
class Row:
    """A row of the file: its number, and its cells that aren't empty."""

    line: int
    cells: Mapping[str, str]
    problem: StageError | None = None

    @property
    def named(self) -> str:
        """The client's name in the file."""
        return next(
            (self.cells[name] for name in ("client", "slug", "name") if name in self.cells), ""
        )

    def refused(self, column: str, words: str) -> InvalidInput:
        """An error that points at a cell."""
        return InvalidInput(words, details={"row": self.line, "column": column})

    def fields(self) -> dict[str, Any]:
        """Arguments for `update_client`; `clear` lists the fields to empty."""
        fields: dict[str, Any] = {}
        cleared = [name for name in CLEARABLE if self.cells.get(name) == "-"]
        for name in FIELDS:
            if name in self.cells and name not in cleared:
                fields[name] = _list(self.cells[name]) if name in LISTS else self.cells[name]
        return {**fields, "clear": cleared} if cleared else fields

    def active(self) -> bool | None:
        """Whether the client should be active; None if the cell is empty. Raises InvalidInput."""
        said = self.cells.get("active")
        if said is not None and said.lower() not in _TRUTH:
            raise self.refused("active", f'"{said}" isn\'t yes or no.')
        return None if said is None else _TRUTH[said.lower()]

    def flags(self) -> list[tuple[str, bool]]:
        """The flags to set (True) and to clear (False), in order."""
        named = _list(self.cells.get("flags", ""))
        return [(flag.removeprefix("-"), not flag.startswith("-")) for flag in named]


def read(path: Path) -> list[Row]:
    """Read a file as spreadsheets write it: UTF-8, UTF-16 or Windows-1252; commas, semicolons or tabs.

    Raises InvalidInput if it isn't a CSV file with these columns; a wrong row has its problem.
    """
    try:
        text = _text(path.read_bytes())
        first, rest = (*text.split("\n", 1), "")[:2]
        told = re.fullmatch(r"sep=(.)\r?", first)  # Excel doesn't show this line as a row
        separator = told[1] if told else _separator(first)
        lines = io.StringIO(rest if told else text, newline="")
        return list(_rows(csv.reader(lines, strict=True, delimiter=separator)))
    except csv.Error as error:
        raise InvalidInput(f"The file isn't CSV: {error}.") from error
    except OSError as error:
        raise InvalidInput(f"The file can't be read: {error.strerror}.") from error


_SAVE_AS = "In the spreadsheet, save it as: CSV UTF-8 (comma delimited)"
# How a workbook begins.
_WORKBOOKS = {b"PK\x03\x04": ".xlsx", b"\xd0\xcf\x11\xe0": ".xls"}


def _text(content: bytes) -> str:
    if (kind := _WORKBOOKS.get(content[:4])) is not None:
        raise InvalidInput(f"The file is an Excel workbook ({kind}), not CSV.", hint=_SAVE_AS)
    # charset-normalizer recognizes binary data, but on short texts it guesses: so only these encodings.
    found = from_bytes(content, cp_isolation=["utf_8", "utf_16", "cp1252"], threshold=1).best()
    if found is None or "\0" in str(found):
        raise InvalidInput("The file isn't text in UTF-8, UTF-16 or Windows-1252.", hint=_SAVE_AS)
    return str(found)


def _separator(header: str) -> str:
    try:
        return csv.Sniffer().sniff(header, delimiters=",;\t").delimiter
    except csv.Error:
        return ","  # one column


def _rows(lines: Iterator[list[str]]) -> Iterator[Row]:
    header = _header(next(lines, []))
    # Numbered as in a spreadsheet, where a cell with a line break is one row.
    for number, values in enumerate(lines, start=2):
        if not any(value.strip() for value in values):
            continue
        cells = {
            name: value.strip()
            for name, value in zip(header, values, strict=False)
            if value.strip()
        }
        row = Row(number, cells)
        if len(values) < len(header) or any(value.strip() for value in values[len(header) :]):
            place = min(len(values), len(header)) + 1
            problem = row.refused(
                f"number {place}", "The row has more or fewer cells than the header."
            )
            row = Row(row.line, cells, problem)
        yield row


def _header(names: Sequence[str]) -> list[str]:
    """The column names, without empty ones at the end. Raises InvalidInput."""
    header = [name.strip().lower() for name in names]
    while header and not header[-1]:
        header.pop()
    for place, name in enumerate(header, start=1):
        if name not in COLUMNS or header.index(name) != place - 1:
            raise InvalidInput(
                "A column is unknown, or there twice.",
                details={"row": 1, "column": name or f"number {place}"},
                hint="columns: " + ", ".join(COLUMNS),
            )
    if "client" not in header and not {"name", "slug"} <= set(header):
        raise InvalidInput("The file needs a column client, or the columns name and slug.")
    return header


def _list(cell: str) -> list[str]:
    return [each.strip() for each in cell.split(";") if each.strip()]
