"""The seed huddle's file: a CSV that says how clients stand, a client a row.

Columns: `client` (id or slug) for a client that is there, or `name` and `slug`, which also take on a new one; then any
of `stage owner collaborators cadence schedule tier reviewers notes flags active`. An empty cell leaves the value as it
is; `-` empties owner, collaborators, reviewers or notes. Lists are separated by `;`. In `flags`, `x` sets and `-x`
clears.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """A row of the file: its number, and its cells that are not empty."""

    line: int
    cells: Mapping[str, str]
    problem: StageError | None = None

    @property
    def named(self) -> str:
        """What the file calls the client."""
        return next(
            (self.cells[name] for name in ("client", "slug", "name") if name in self.cells), ""
        )

    def refused(self, column: str, words: str) -> InvalidInput:
        """An error that points at a cell."""
        return InvalidInput(words, details={"row": self.line, "column": column})

    def fields(self) -> dict[str, Any]:
        """The arguments of the plain fields; `clear` names those to empty."""
        fields: dict[str, Any] = {}
        cleared = [name for name in CLEARABLE if self.cells.get(name) == "-"]
        for name in FIELDS:
            if name in self.cells and name not in cleared:
                fields[name] = _list(self.cells[name]) if name in LISTS else self.cells[name]
        return {**fields, "clear": cleared} if cleared else fields

    def active(self) -> bool | None:
        """Whether the client is to be active; None where the row does not say. Raises InvalidInput."""
        said = self.cells.get("active")
        if said is not None and said.lower() not in _TRUTH:
            raise self.refused("active", f"active must be yes or no, not {said}")
        return None if said is None else _TRUTH[said.lower()]

    def flags(self) -> list[tuple[str, bool]]:
        """The flags to set (True) and to clear (False), in the order of the cell."""
        named = _list(self.cells.get("flags", ""))
        return [(flag.removeprefix("-"), not flag.startswith("-")) for flag in named]


def read(path: Path) -> list[Row]:
    """Read the file, as spreadsheets write it: UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab.

    Raises InvalidInput where it is no CSV of these columns; a bad row carries its problem.
    """
    try:
        text = _text(path.read_bytes())
        lines = list(io.StringIO(text, newline=""))
        separator = _separator(lines)
        if lines and lines[0].startswith("sep="):
            del lines[0]  # a spreadsheet does not show it as a row
        return list(_rows(csv.reader(lines, strict=True, delimiter=separator)))
    except csv.Error as error:
        raise InvalidInput(f"the file is not CSV: {error}") from error
    except OSError as error:
        raise InvalidInput(f"the file cannot be read: {error.strerror}") from error


# How the files begin that are no text, and what they are.
_NO_TEXT = {
    b"PK\x03\x04": "an Excel workbook (.xlsx)",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
}


def _text(content: bytes) -> str:
    for beginning, what in _NO_TEXT.items():
        if content.startswith(beginning):
            raise InvalidInput(
                f"the file is {what}, not CSV", hint="save it as: CSV UTF-8 (comma delimited)"
            )
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InvalidInput(
        "the file is not text in UTF-8, UTF-16 or Windows-1252",
        hint="save it as: CSV UTF-8 (comma delimited)",
    )


def _separator(lines: Sequence[str]) -> str:
    """What the first line says, else what stands in it most often."""
    first = lines[0].rstrip("\r\n") if lines else ""
    if first.startswith("sep=") and len(first) == len("sep=;"):
        return first[-1]
    return max(",;\t", key=first.count)


def _rows(lines: Iterator[list[str]]) -> Iterator[Row]:
    header = _header(next(lines, []))
    # Numbered as a spreadsheet does, where a cell with a line break is still one row.
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
                f"number {place}", "the row has more or fewer cells than the header"
            )
            row = Row(row.line, cells, problem)
        yield row


def _header(names: Sequence[str]) -> list[str]:
    """The names of the columns, without empty ones at the end. Raises InvalidInput."""
    header = [name.strip().lower() for name in names]
    while header and not header[-1]:
        header.pop()
    for place, name in enumerate(header, start=1):
        if name not in COLUMNS or header.index(name) != place - 1:
            raise InvalidInput(
                "a column is unknown or stands there twice",
                details={"row": 1, "column": name or f"number {place}"},
                hint="columns: " + ", ".join(COLUMNS),
            )
    if "client" not in header and not {"name", "slug"} <= set(header):
        raise InvalidInput("the file needs a column client, or the columns name and slug")
    return header


def _list(cell: str) -> list[str]:
    return [each.strip() for each in cell.split(";") if each.strip()]
