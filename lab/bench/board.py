"""How quick the board is, measured in the browser, and what a poll costs when nothing has changed.

    python lab/bench/board.py [--clients 52] [--many 5000] [--rounds 5]

Chromium on the whole stack of one machine: an embedded PostgreSQL, PostgREST, Caddy. Needs /usr/bin/chromium, and
playwright from `[dev]`. Medians. A column of many is scrolled from end to end, 1,200 pixels a frame.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg
from house import CLIENTS, command, throwaway
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright
from rows import LeftOutError, Row

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.local.serving.gateway import gateway

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
QUIET_SECONDS = 15

SCROLL = """async scroller => {
  const times = [];
  for (let still = 0; still < 30;) {
    times.push(await new Promise(requestAnimationFrame));
    const before = scroller.scrollTop;
    scroller.scrollBy(0, 1200);
    const isThere = scroller.scrollTop === before && !scroller.querySelector(".more");
    still = isThere ? still + 1 : 0;
  }
  return { times: times.slice(0, -30), cards: scroller.querySelectorAll("[data-card]").length };
}"""


def measure(clients: int = 52, many: int = 5_000, rounds: int = 5) -> list[Row]:
    """The board of a small firm, and a long column."""
    if not CHROMIUM.exists():
        raise LeftOutError(f"{CHROMIUM} is missing: apt install chromium")
    with throwaway() as server, psycopg.connect(server.dsn, autocommit=True) as db:
        with Stage(PsycopgTransport(server.dsn, "user:jimmie")) as stage:
            token = stage.issue_token("user:jimmie", never_expires=True).token
        folder = server.data.parent
        with gateway(server.dsn, folder, 0, lambda _: None) as running, chromium() as browser:
            db.execute(CLIENTS, (1, clients))
            rows = small(browser, running.url, token, rounds)
            db.execute(CLIENTS, (clients + 1, many))
            return rows + long_column(signed_in(browser, running.url, token), many)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def signed_in(browser: Browser, url: str, token: str) -> Page:
    """The board, from the moment that its page begins."""
    page = browser.new_context(base_url=url).new_page()
    page.goto("/")
    page.evaluate("token => sessionStorage.setItem('atlas-token', token)", token)
    page.reload(wait_until="commit")
    return page


def small(browser: Browser, url: str, token: str, rounds: int) -> list[Row]:
    """From the page's start to its cards, a move, and a poll while nothing changes."""
    opened, moved = [], []
    for _ in range(rounds):
        page = signed_in(browser, url, token)
        opened.append(first_cards(page))
        moved.append(move(page))
        page.context.close()
    page = signed_in(browser, url, token)
    page.wait_for_load_state("networkidle")
    polls = quiet_polls(page)
    page.context.close()
    return [
        Row("the board with its clients, from the start of the page", median(opened), "ms"),
        Row("the same, the slowest", max(opened), "ms"),
        Row("a move, from its button until the card is there", median(moved), "ms"),
        Row("the same, the slowest", max(moved), "ms"),
        Row(f"polls in {QUIET_SECONDS} s without a change", len(polls), ""),
        Row("an answer to such a poll, with its headers", median(polls), "bytes"),
    ]


def first_cards(page: Page) -> float:
    """Milliseconds from the start of the page until cards are painted."""
    page.wait_for_selector("[data-card]")
    painted = "() => new Promise(done => requestAnimationFrame(() => done(performance.now())))"
    return float(page.evaluate(painted))


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
    sizes: list[float] = []

    def note(answer: Response) -> None:
        size = answer.request.sizes()
        sizes.append(size["responseHeadersSize"] + size["responseBodySize"])

    page.on("response", note)
    page.wait_for_timeout(QUIET_SECONDS * 1000)
    return sizes


def long_column(page: Page, many: int) -> list[Row]:
    """Scrolled to its end: how long a frame takes there, against one at its beginning."""
    page.wait_for_selector("[data-card]")
    found = page.locator("[data-stage=weekly] .cards").evaluate(SCROLL)
    times = found["times"]
    frames = [after - before for before, after in itertools.pairwise(times)]
    tenth = len(frames) // 10
    begin, end = median(frames[:tenth]), median(frames[-tenth:])
    what = f"{many:,} in a column"
    return [
        Row(f"{what}: scrolled to the end", (times[-1] - times[0]) / 1000, "s"),
        Row(f"{what}: a frame at the end", end, "ms", begin, "one at the beginning", wanted=1.5),
        Row(f"{what}: cards in the page", found["cards"], ""),
    ]


if __name__ == "__main__":
    command("the board of a small firm, and a long column", measure)
