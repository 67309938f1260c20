"""How quick the board is, measured in the browser, and what a poll costs when nothing has changed.

    python bench/board.py [--clients 52] [--rounds 5]

Chromium on the whole stack of one machine: an embedded PostgreSQL, PostgREST, Caddy. Needs /usr/bin/chromium, and
playwright from `[dev]`. Medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import psycopg
from playwright.sync_api import Page, Response, expect, sync_playwright
from rich.console import Console
from rich.table import Table

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.local.serving.gateway import gateway
from atlas_stage.ops.deploy import migrate

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
QUIET_SECONDS = 15

CLIENTS = """
insert into public.clients (name, slug)
select 'Client ' || n, 'client-' || n from generate_series(1, %s) as n
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=52)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="atlas-bench-") as folder,
        EmbeddedPostgres(Path(folder) / "data") as server,
    ):
        migrate(server.dsn)
        with psycopg.connect(server.dsn) as db:
            db.execute(CLIENTS, (wanted.clients,))
        with Stage(PsycopgTransport(server.dsn, "user:jimmie")) as stage:
            token = stage.issue_token("user:jimmie", never_expires=True).token
        assert token is not None
        with gateway(server.dsn, Path(folder), 0, lambda _: None) as running:
            show(wanted.clients, measured(running.url, token, wanted.rounds))


def measured(url: str, token: str, rounds: int) -> dict[str, str]:
    """What was measured, and how much of it."""
    opened, moved = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for _ in range(rounds):
            context = browser.new_context(base_url=url)
            page = context.new_page()
            page.goto("/")
            page.evaluate("token => sessionStorage.setItem('atlas-token', token)", token)
            page.reload(wait_until="commit")
            opened.append(first_cards(page))
            moved.append(move(page))
            context.close()
        page = browser.new_page(base_url=url)
        page.goto("/")
        page.evaluate("token => sessionStorage.setItem('atlas-token', token)", token)
        page.reload()
        page.wait_for_load_state("networkidle")
        polls = quiet_polls(page)
        browser.close()
    return {
        "the board with its clients, from the start of the page": ms(opened),
        "a move, from its button until the card is in its new column": ms(moved),
        f"polls in {QUIET_SECONDS} seconds without a change": str(len(polls)),
        "bytes of such an answer, with its headers": f"{statistics.median(polls):,.0f}",
    }


def first_cards(page: Page) -> float:
    """Milliseconds from the start of the page until cards are painted."""
    page.wait_for_selector("[data-card]")
    return float(
        page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => done(performance.now())))"
        )
    )


def move(page: Page) -> float:
    """Milliseconds that a move takes, after everything was typed."""
    card = page.locator("[data-stage=weekly] [data-card]").first
    name = card.locator(".card-name").inner_text()
    card.get_by_role("button", name="Move").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Cleanup").check()
    dialog.get_by_label("Why").fill("bench")
    there = page.locator("[data-stage=cleanup]").get_by_role("button", name=name, exact=True)
    begin = time.perf_counter()
    dialog.get_by_role("button", name="Move", exact=True).click()
    expect(there).to_be_visible()
    return (time.perf_counter() - begin) * 1000


def quiet_polls(page: Page) -> list[float]:
    """The sizes of the answers while nothing changes."""
    sizes: list[float] = []

    def note(answer: Response) -> None:
        size = answer.request.sizes()
        sizes.append(size["responseHeadersSize"] + size["responseBodySize"])

    page.on("response", note)
    page.wait_for_timeout(QUIET_SECONDS * 1000)
    return sizes


def ms(times: list[float]) -> str:
    """Their median, with the slowest."""
    return f"{statistics.median(times):,.0f} ms (slowest {max(times):,.0f})"


def show(clients: int, rows: dict[str, str]) -> None:
    """Print what was measured."""
    table = Table("measured", "result", title=f"The board with {clients:,} clients")
    for what, result in rows.items():
        table.add_row(what, result)
    Console().print(table)


if __name__ == "__main__":
    main()
