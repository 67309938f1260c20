"""How the play looks: a heading an act, tables, progress bars, and errors as the command line shows them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from atlas_stage.cli.rendering import cell, error_lines
from atlas_stage.errors import StageError

Item = TypeVar("Item")


class Screen:
    """Prints the play on a console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._acts = 0

    def act(self, title: str, story: str) -> None:
        """Begin an act: its number and title, and a sentence on what happens in it."""
        self._acts += 1
        heading = Text.assemble((f"{self._acts}  ", "bold cyan"), (title, "bold"))
        self.console.print()
        self.console.print(Rule(heading, align="left", style="cyan"))
        self.say(story, style="italic")

    def say(self, text: str, style: str = "") -> None:
        """A sentence."""
        self.console.print(cell(text, style))

    def table(self, table: Table) -> None:
        """A table."""
        self.console.print(table)

    def command(self, line: str) -> None:
        """A command as its user would type it."""
        self.console.print(Text.assemble(("$ ", "green"), line), soft_wrap=True)

    def error(self, error: StageError) -> None:
        """A refusal as its user sees it."""
        for line in error_lines(error):
            style = "red" if line.startswith("error") else "dim"
            self.console.print(cell(line, style), soft_wrap=True)
        self.console.print()

    def each(self, items: Sequence[Item], doing: str) -> Iterator[Item]:
        """Go through the items under a progress bar that stays on the screen."""
        with self.progress(doing, len(items)) as step:
            for item in items:
                yield item
                step()

    @contextmanager
    def progress(self, doing: str, total: int) -> Iterator[Callable[..., None]]:
        """A progress bar; call what it gives after each step."""
        columns = (
            TextColumn("{task.description:<44}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as bar:
            task = bar.add_task(doing, total=total)
            yield lambda *_: bar.advance(task)
