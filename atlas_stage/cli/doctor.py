"""`atlas-stage doctor`: what is wrong with this installation. `atlas-stage prune`: delete old rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from atlas_stage.cli.base import Exit, Session, app, command
from atlas_stage.cli.rendering import cell, make_table

if TYPE_CHECKING:
    from atlas_stage.ops import doctor as checks


@command(app)
def doctor(run: Session) -> None:
    """Check this installation. Run it as a superuser, who can see everything."""
    from atlas_stage.ops import doctor as checks

    findings = checks.examine(run.connection)
    wrong = sum(bool(each.found) and each.severity != "notice" for each in findings)
    rows = (row for each in findings for row in _rows(each))
    run.output.result(
        {"checks": findings},
        make_table(("check", "state", "what is wrong, and what to do"), rows),
        f"{wrong} of {len(findings)} checks found something" if wrong else "all is well",
    )
    raise typer.Exit(Exit.REFUSED if wrong else Exit.DONE)


def _rows(finding: checks.Finding) -> Iterator[tuple[object, object, object]]:
    state = "ok" if not finding.found else "notice" if finding.severity == "notice" else "wrong"
    first, *others = [*finding.found, cell(f"→ {finding.advice}", "dim")] if finding.found else [""]
    yield finding.name, state, first
    for other in others:
        yield "", "", other


@command(app)
def prune(run: Session) -> None:
    """Delete idempotency keys and job runs older than the settings say. History is kept."""
    keys = runs = 0
    # Autocommit: each call is a transaction of at most a few thousand rows.
    while (
        row := run.connection.execute("select p.keys, p.runs from ops.prune() p").fetchone()
    ) != (0, 0):
        assert row is not None
        keys, runs = keys + row[0], runs + row[1]
    run.output.result({"keys": keys, "runs": runs}, f"deleted {keys} keys and {runs} job runs")
