"""What the benches find, as rows of one kind: so they are printed, kept and drawn alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

console = Console(width=120)


class LeftOutError(Exception):
    """A bench cannot run on this machine."""


@dataclass(frozen=True)
class Row:
    """One thing that was measured, and the floor that was measured in turn with it."""

    what: str
    value: float
    unit: str
    floor: float | None = None
    of: str = ""
    """What the floor is."""
    wanted: float | None = None
    """The ratio to the floor: of a rate at least this, of anything else at most."""
    share: float | None = None
    """The ratio, where it is not that of the two figures but the middle of those of the rounds."""

    @classmethod
    def of_rounds(
        cls,
        what: str,
        values: Sequence[float],
        unit: str,
        floors: Sequence[float],
        of: str,
        wanted: float | None = None,
    ) -> Row:
        """Of rounds in which both were measured in turn: both of a round met the machine in the same state."""
        share = median(value / floor for value, floor in zip(values, floors, strict=True))
        return cls(what, median(values), unit, median(floors), of, wanted, share)

    @property
    def is_rate(self) -> bool:
        return self.unit == "/s"

    @property
    def ratio(self) -> float | None:
        if self.share is not None:
            return self.share
        return self.value / self.floor if self.floor else None

    @property
    def cost(self) -> float | None:
        """How many times the floor it takes, whichever way the ratio is counted."""
        if not self.ratio:
            return None
        return 1 / self.ratio if self.is_rate else self.ratio

    @property
    def is_met(self) -> bool | None:
        """Whether it is as wanted; None where nothing is."""
        if self.wanted is None or self.ratio is None:
            return None
        return self.ratio >= self.wanted if self.is_rate else self.ratio <= self.wanted

    @property
    def goal(self) -> str:
        if self.wanted is None:
            return ""
        return f"{'at least' if self.is_rate else 'at most'} {self.wanted:g}"

    @property
    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        floor = "" if self.floor is None else _figure(self.floor, self.unit)
        return (self.what, floor, _figure(self.value, self.unit), ratio, self.of, self.goal)


HEADINGS = ("measured", "floor", "ours", "ratio", "of", "wanted")


def show(title: str, rows: Iterable[Row]) -> None:
    """Print them; what is not as wanted is red."""
    table = Table(*HEADINGS, title=title)
    for column in (1, 2, 3):
        table.columns[column].justify = "right"
    for row in rows:
        table.add_row(*row.cells, style="red" if row.is_met is False else "")
    console.print(table)


def _figure(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"
