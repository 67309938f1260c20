"""`atlas-stage doctor`: what is wrong with this installation, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from atlas_stage.cli.base import Exit, session
from atlas_stage.cli.rendering import cell, make_table

if TYPE_CHECKING:
    from atlas_stage.ops import doctor as checks


def doctor(ctx: typer.Context) -> None:
    """Say what is wrong with this installation. Run it as a superuser, who may see everything."""
    from atlas_stage.ops import doctor as checks

    run = session(ctx)
    with run.connection() as connection:
        findings = checks.examine(connection)
    wrong = sum(bool(each.found) and each.severity != "notice" for each in findings)
    shown = (row for each in findings for row in _rows(each))
    run.output.result(
        {"checks": findings},
        make_table(("check", "", "what is wrong, and what to do"), shown),
        f"{wrong} of {len(findings)} checks found something" if wrong else "all is well",
    )
    raise typer.Exit(Exit.REFUSED if wrong else Exit.DONE)


def _rows(finding: checks.Finding) -> Iterator[tuple[Text, Text, Text]]:
    if not finding.found:
        yield cell(finding.name), cell("ok", "green"), cell("")
        return
    notice = finding.severity == "notice"
    name = cell(finding.name)
    state = cell("notice", "yellow") if notice else cell("wrong", "bold red")
    for words in finding.found:
        yield name, state, cell(words)
        name = state = cell("")
    yield name, state, cell(f"→ {finding.advice}", "dim")
