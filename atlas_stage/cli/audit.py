"""`atlas-stage audit`: who changed grants, tokens, settings and rules."""

from typing import Annotated

import typer

from atlas_stage.cli.base import session
from atlas_stage.cli.tables import administration_table


def audit(
    ctx: typer.Context,
    about: Annotated[
        str | None,
        typer.Argument(metavar="[TABLE]", help="Only of this one: agent_permissions, stages, …"),
    ] = None,
    actor: Annotated[str | None, typer.Option("--by", help="Only what this actor did.")] = None,
    before: Annotated[int | None, typer.Option(help="Only what came before this id.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many (20).")] = None,
) -> None:
    """Show who changed grants, tokens, settings and rules, the newest first."""
    run = session(ctx)
    with run.stage() as api:
        page = api.administration(about, actor_id=actor, before_id=before, page_size=limit)
        run.output.records(
            "records", page.records, lambda: administration_table(page.records, run.zone(api))
        )
    if page.next_before_id is not None:
        run.output.aside(f"older ones: --before {page.next_before_id}")
