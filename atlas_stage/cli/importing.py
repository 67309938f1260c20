"""`atlas-stage client import`: the seed huddle's file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from atlas_stage.cli.base import Exit, session
from atlas_stage.cli.rendering import Columns, console, make_table

if TYPE_CHECKING:
    from atlas_stage.ops import importer

_OUTCOMES = ("new", "changed", "unchanged", "refused")


def import_clients(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.csv", help="A CSV file, as spreadsheets write it.")
    ],
    apply: Annotated[
        bool, typer.Option("--apply", help="Bring it in, all or nothing. Without it: a dry run.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "seed huddle",
) -> None:
    """Bring in how all clients stand, from a CSV file.

    Columns: client (id or slug), or name and slug (takes on new clients too); then any of stage, owner, collaborators,
    cadence, schedule, tier, reviewers, flags, active, notes. An empty cell leaves the value as it is, "-" empties it;
    lists are separated by ";"; in flags, "x" sets and "-x" clears. Moves are an admin's override with the reason.
    """
    from atlas_stage.ops import importer, seedfile

    run = session(ctx)
    rows = seedfile.read(file)
    with run.stage(transactions=True) as api, progress_bar() as bar:
        task = bar.add_task("importing" if apply else "trying", total=len(rows))
        report = importer.run(
            api, rows, reason=reason, apply=apply, on_row=lambda _: bar.advance(task)
        )
    run.output.result(report, report_table(report), summary(report, apply=apply))
    raise typer.Exit(Exit.REFUSED if report.count("refused") else Exit.DONE)


def progress_bar() -> Progress:
    """A progress bar on stderr that leaves nothing behind; silent where stderr is no terminal."""
    shown = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=shown,
        transient=True,
        disable=not shown.is_terminal,
    )


def report_table(report: importer.Report) -> Table:
    """The report, one row of the file a row."""
    columns: Columns = {
        "row": "row",
        "client": "client",
        "outcome": "outcome",
        "what": lambda each: each.error or "; ".join(each.changes),
    }
    return make_table(columns, report.rows)


def summary(report: importer.Report, *, apply: bool) -> str:
    """The report in one line: the counts, and whether anything stays."""
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in _OUTCOMES)
    if report.applied:
        return f"{counts}: applied"
    if report.count("refused"):
        return f"{counts}: nothing was changed, mend the refused rows first"
    return f"{counts}: nothing was changed" + ("" if apply else "; repeat with --apply")
