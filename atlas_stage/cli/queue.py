"""`atlas-stage queue`: what an actor should do next."""

from typing import Annotated

import typer

from atlas_stage.cli.base import session
from atlas_stage.cli.tables import queue_table


def show_queue(
    ctx: typer.Context,
    actor: Annotated[
        str | None, typer.Argument(metavar="[ACTOR]", help="Whose (default: your own).")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many.")] = None,
) -> None:
    """Show what to do next, most pressing first, and why."""
    run = session(ctx)
    with run.stage() as api:
        items = api.queue(actor, page_size=limit)
        run.output.records("queue", items, lambda: queue_table(items, run.zone(api)))
