"""Draws which stored function calls which, from the catalog of a deployed database, into docs/calls.md.

    python tools/call_graph.py            write docs/calls.md, by a server of its own
    python tools/call_graph.py --check    exit 1 where docs/calls.md is not what it would write

Run it again whenever what it reads has changed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

import psycopg

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.ops.deploy import migrate

PAGE = Path(__file__).parents[1] / "docs" / "calls.md"

# What a page is drawn for: a move as it is called, and as plain SQL makes it.
ROOTS = {
    "A move, by `api.set_stage`": "api.set_stage",
    "A plain `UPDATE clients`, by the trigger that evaluates and records": "rules.record_plain_changes",
    "A request, before it reaches its function": "rules.pre_request",
}
# Where something is refused, the same few functions follow everywhere; drawn each time they would hide the rest.
REFUSING = {"rules.refuse", "rules.refuse_all"}

Calls = dict[str, list[str]]


def calls(db: psycopg.Connection) -> Calls:
    """Each function of ours with those that its body names, in the order of their first mention."""
    rows = db.execute(
        "select n.nspname || '.' || p.proname, coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)"
        " from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname in ('rules', 'api', 'jobs', 'ops')"
    ).fetchall()
    bodies = {name: re.sub(r"--.*", "", body) for name, body in rows}
    return {
        name: [
            called
            for called in dict.fromkeys(re.findall(r"\b(?:rules|api|jobs|ops)\.\w+(?=\s*\()", body))
            if called in bodies and called != name
        ]
        for name, body in bodies.items()
    }


def reach(graph: Calls, root: str) -> list[str]:
    """Every function that can run below `root`, itself first."""
    found, waiting = [root], [root]
    while waiting:
        for called in graph[waiting.pop(0)]:
            if called not in found:
                found.append(called)
                waiting.append(called)
    return found


def page(graph: Calls) -> str:
    lines = [
        "# Which function calls which",
        "",
        "Drawn from the catalog by `python tools/call_graph.py`; `make check` holds it to the truth."
        " Each function stands in the file of its name under `sql/`. What refuses"
        " (`rules.refuse`, `rules.refuse_all`) is left out of the pictures.",
    ]
    for title, root in ROOTS.items():
        names = [name for name in reach(graph, root) if name not in REFUSING]
        shown = [name for name in names if name == root or name in _below(graph, root)]
        lines += [
            "",
            f"## {title}",
            "",
            f"{len(shown)} functions.",
            "",
            "```mermaid",
            "flowchart LR",
        ]
        lines += [
            f"  {caller} --> {called}"
            for caller in shown
            for called in graph[caller]
            if called in shown
        ]
        lines += ["```"]
    return "\n".join(lines) + "\n"


def _below(graph: Calls, root: str) -> set[str]:
    """What is reached without going through a refusal."""
    open_graph = {
        name: [called for called in called_ if called not in REFUSING]
        for name, called_ in graph.items()
    }
    return set(reach(open_graph, root))


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw which stored function calls which.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check = parser.parse_args().check
    with (
        tempfile.TemporaryDirectory(prefix="atlas-calls-") as folder,
        EmbeddedPostgres(Path(folder) / "data") as server,
    ):
        migrate(server.dsn)
        with psycopg.connect(server.dsn) as db:
            drawn = page(calls(db))
    if check and (not PAGE.exists() or PAGE.read_text() != drawn):
        sys.exit("docs/calls.md is not what the catalog says: run python tools/call_graph.py")
    if not check:
        PAGE.write_text(drawn)


if __name__ == "__main__":
    main()
