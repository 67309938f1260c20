"""`atlas-stage client import`: clients from a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from atlas_stage.cli.base import Exit, Session, command
from atlas_stage.cli.client import clients
from atlas_stage.cli.rendering import columns, console, make_table


@command(clients, "import")
def import_clients(
    run: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV from a spreadsheet.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Import all rows or none. Without it: a dry run.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "seed huddle",
) -> None:
    """Import the state of all clients from a CSV file.

    Columns: client (id or slug), or name and slug (also adds new clients); then any of stage, owner, collaborators,
    cadence, schedule, tier, reviewers, flags, active, notes. An empty cell changes nothing, "-" empties the field.
    Lists are separated by ";". In flags, "x" sets the flag and "-x" clears it. Moves are an admin's override.
    """
    from atlas_stage.ops import importer, seedfile

    rows = seedfile.read(file)
    stderr = console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    ) as bar:
        task = bar.add_task("importing" if apply else "dry run", total=len(rows))
        report = importer.run(
            run.transactional_api,
            rows,
            reason=reason,
            apply=apply,
            on_row=lambda _: bar.advance(task),
        )
    shown = columns(
        "row client outcome what",
        what=lambda each: each.error or "; ".join(each.changes),
    )
    refused = report.count("refused")
    counts = ", ".join(f"{report.count(each)} {each}" for each in importer.OUTCOMES)
    end = "applied" if report.applied else "nothing was changed"
    if refused:
        end += ". Correct the refused rows first"
    elif not apply:
        end += ". Repeat with --apply"
    run.output.result(report, make_table(shown, report.rows), f"{counts}: {end}")
    raise typer.Exit(Exit.REFUSED if refused else Exit.DONE)
