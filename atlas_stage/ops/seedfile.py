"""The file of clients: our own columns, or the client list of another program; as CSV or as a workbook.

`atlas-stage client import --help` describes the columns.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from charset_normalizer import from_bytes
from slugify import slugify

from atlas_stage.errors import InvalidInput, StageError

LISTS = ("collaborators", "reviewers")
FIELDS = ("owner", "collaborators", "cadence", "schedule", "tier", "reviewers", "notes")
CLEARABLE = ("owner", "collaborators", "reviewers", "notes")
COLUMNS = ("client", "name", "slug", "stage", *FIELDS, "flags", "active")
ACTORS = ("owner", *LISTS)
WORDS = ("stage", "cadence", "schedule", "tier", "flags")  # as the board shows them: "EOM close"

# What other programs (QuickBooks, Xero, Karbon, Double) call these columns, without capitals and signs.
_CALLED = {
    "name": "client, client name, customer, customer name, customer full name, contact name, contactname, display name,"
    " company, company name, organization, organisation, organization name, organisation name, full name",
    "slug": "short name",
    "owner": "client owner, account owner, client manager, account manager, bookkeeper, assigned to, assignee,"
    " preparer",
    "reviewers": "reviewer",
    "cadence": "close, close cadence",
    "schedule": "sales tax, sales tax schedule",
    "tier": "service tier",
    "notes": "note",
    "status": "status, client status",
}
_COLUMN = {name.replace("_", " "): name for name in COLUMNS} | {
    other: name for name, others in _CALLED.items() for other in others.split(", ")
}
_TRUTH = {
    **dict.fromkeys(("yes", "true", "1", "y", "active"), True),
    **dict.fromkeys(("no", "false", "0", "n", "inactive", "archived"), False),
}
# The header is looked for below titles, in so many rows.
_MOST_TITLES = 20
# What reports put below their rows.
_FOOTER = re.compile(r"(grand )?totals?\b|.*\bGMT[+-]\d|(accrual|cash) basis\b", re.IGNORECASE)
# What a spreadsheet makes of a short name such as mar-1.
_MADE_A_DATE = re.compile(r"\d{1,2}-[A-Za-z]{3}|\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Row:
    """A row of the file: its number, and its cells that aren't empty."""

    line: int
    cells: dict[str, str]
    problem: StageError | None = None

    @property
    def named(self) -> str:
        """The client's name in the file."""
        named = (self.cells[name] for name in ("client", "slug", "name") if name in self.cells)
        return next(named, "")

    def refused(self, column: str, words: str) -> InvalidInput:
        """An error that points at a cell."""
        return InvalidInput(words, details={"row": self.line, "column": column})

    def fields(self) -> dict[str, Any]:
        """Arguments for `update_client`; `clear` lists the fields to empty."""
        cleared = [name for name in CLEARABLE if self.cells.get(name) == "-"]
        fields: dict[str, Any] = {
            name: _list(self.cells[name]) if name in LISTS else self.cells[name]
            for name in FIELDS
            if name in self.cells and name not in cleared
        }
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


@dataclass(frozen=True)
class File:
    """The rows of a file, and what was noticed while reading it, in sentences."""

    rows: Sequence[Row]
    noticed: Sequence[str] = ()


def read(path: Path, encoding: str | None = None) -> File:
    """Read a CSV file in any common encoding, or the first sheet of a workbook that isn't empty.

    Raises InvalidInput if no row has the name of a column for the client; a wrong row has its problem.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}.") from error
    is_workbook = content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
    lines, noticed = _sheet(content) if is_workbook else _csv(content, encoding)
    return _table(lines, noticed)


def form(text: str) -> str:
    """A name without capitals, accents and signs: two names that look alike have one form. A new client's slug."""
    made = str(slugify(re.sub("['’ʼ`]", "", text)))
    return made if made[:1].isalpha() else f"client-{made}"


def _sheet(content: bytes) -> tuple[list[list[str]], list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = [(name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    except (CalamineError, OSError) as error:
        hint = "it has a password, or is damaged: save it again in the spreadsheet, without a password"
        raise InvalidInput("The workbook can't be read.", hint=hint) from error
    name, rows = next((each for each in sheets if each[1]), ("", []))
    noticed = [f'Read the sheet "{name}", and no other.'] if len(sheets) > 1 else []
    return [[_cell(value) for value in row] for row in rows], noticed


def _cell(value: object) -> str:
    """A typed cell as text."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case date():
            return value.isoformat()[:10]
    return str(value)


def _csv(content: bytes, encoding: str | None) -> tuple[list[list[str]], list[str]]:
    text, found = _text(content, encoding)
    first, _, rest = text.partition("\n")
    told = re.fullmatch(r"sep=(.)\r?", first)  # Excel doesn't show this line as a row
    lines = rest if told else text
    # The row with most separators is likely to be the header.
    top = lines.splitlines()[:_MOST_TITLES]
    likely = max(",;\t", key=lambda each: max((line.count(each) for line in top), default=0))
    try:
        rows = csv.reader(io.StringIO(lines, newline=""), strict=True, delimiter=told[1] if told else likely)
        filled = list(rows)
    except csv.Error as error:
        raise InvalidInput(f"The file isn't CSV: {error}.") from error
    is_sure = encoding or found.startswith("utf")
    hint = f"Read as {found}. If names look wrong, give another --encoding, such as mac_roman."
    return filled, [] if is_sure else [hint]


# What is likely if it isn't UTF-8, in this order where a short text could be either.
_ENCODINGS = ["utf_16", "cp1252", "cp1250", "mac_roman"]


def _text(content: bytes, encoding: str | None) -> tuple[str, str]:
    """The text and its encoding."""
    found = encoding or "utf_8"
    if encoding is None:
        try:
            content.decode(found)  # no other encoding looks like it, whatever signs it has
        except UnicodeDecodeError:
            ranked = sorted(
                from_bytes(content, cp_isolation=_ENCODINGS, threshold=1),
                key=lambda each: (each.chaos, -each.coherence, _ENCODINGS.index(each.encoding)),
            )
            found = ranked[0].encoding if ranked else ""
    try:
        text = content.decode(found or "ascii")
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidInput(
            f"The file isn't text in {found or 'an encoding that is known here'}.",
            hint="in the spreadsheet, save it as: CSV UTF-8 (comma delimited)",
        ) from error
    if "\0" in text:
        raise InvalidInput("The file isn't text.")
    return text.removeprefix("\ufeff"), found


def _table(lines: Sequence[Sequence[str]], noticed: Sequence[str]) -> File:
    place, header, ignored = _header(lines)
    said = [*noticed, f"The header is in row {place + 1}."] if place else [*noticed]
    rows: list[Row] = []
    left_out = []
    # Numbered as in a spreadsheet, where a cell with a line break is one row.
    for number, values in enumerate(lines[place + 1 :], start=place + 2):
        filled = [value.strip() for value in values if value.strip()]
        if not filled:
            continue
        if _FOOTER.match(filled[0]) and (len(filled) == 1 or filled[0].lower().endswith("total")):
            left_out.append(f"{number} ({filled[0]})")
            continue
        rows.append(_row(number, header, values))
    if ignored:
        said.append(f"Ignored columns: {', '.join(ignored)}.")
    if left_out:
        said.append(f"Left out, because they are no clients: row {', '.join(left_out)}.")
    return File(_with_status(rows), said)


def _header(lines: Sequence[Sequence[str]]) -> tuple[int, list[str | None], list[str]]:
    """The header's place, the column of each of its cells (None: ignored), and the ignored names."""
    for place, names in enumerate(lines[:_MOST_TITLES]):
        known = [_column(name) for name in names]
        if {"client", "name", "slug"}.isdisjoint(known):
            continue
        exact = [name.strip() for name in names if name.strip() in COLUMNS]
        for twice in (each for each in COLUMNS if exact.count(each) > 1):
            where = {"row": place + 1, "column": twice}
            raise InvalidInput("A column is there twice.", details=where)
        first = {each: nth for nth, each in reversed([*enumerate(known)])}
        header = [each if first[each] == nth else None for nth, each in enumerate(known)]
        ignored = [name.strip() for name, each in zip(names, header, strict=True) if each is None]
        if "name" not in header and "client" not in header:
            break
        return place, header, [name for name in ignored if name]
    hint = "columns: " + ", ".join(COLUMNS)
    raise InvalidInput("The file needs a column client, or name.", hint=hint)


def _column(name: str) -> str | None:
    if name.strip() == "client":
        return "client"  # ids and slugs of existing clients; "Client" of another program is a name
    plain = re.sub(r"[^a-z]+", " ", name.lower()).strip()
    column = _COLUMN.get(plain)
    return "name" if column == "client" else column


def _row(number: int, header: Sequence[str | None], values: Sequence[str]) -> Row:
    cells = {
        name: _in_our_words(name, value.strip())
        for name, value in zip(header, values, strict=False)
        if name and value.strip()
    }
    row = Row(number, cells)
    if len(values) < len(header) or any(value.strip() for value in values[len(header) :]):
        place = min(len(values), len(header)) + 1
        return replace(row, problem=row.refused(f"number {place}", "The row has more or fewer cells than the header."))
    for column in ("client", "slug"):
        if _MADE_A_DATE.fullmatch(cells.get(column, "")):
            words = f'"{cells[column]}" is a date that a spreadsheet made of a short name. Format the cells as text.'
            return replace(row, problem=row.refused(column, words))
    return row


def _in_our_words(column: str, value: str) -> str:
    """People by their ids; stages and other words as they are stored, not as the board shows them."""
    if value == "-" or column not in (*ACTORS, *WORDS):
        return value

    def stored(shown: str) -> str:
        if column in ACTORS:  # a name, an address of mail, or an id already
            return shown if ":" in shown else f"user:{slugify(shown.partition('@')[0])}"
        # "EOM close" is eom_close. A flag that is cleared keeps its "-".
        clears = "-" * shown.startswith("-")
        return clears + re.sub("[ -]+", "_", shown.removeprefix("-").lower())

    return "; ".join(map(stored, _list(value)))


def _with_status(rows: list[Row]) -> list[Row]:
    """A column "status" says who is active, or something else that is ignored, such as the status of a project."""
    said = {row.cells["status"].lower() for row in rows if "status" in row.cells}
    for row in rows:
        status = row.cells.pop("status", None)
        if status is not None and said <= _TRUTH.keys():
            row.cells["active"] = status
    return rows


def _list(cell: str) -> list[str]:
    return [each.strip() for each in cell.split(";") if each.strip()]
