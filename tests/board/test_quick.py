"""How long signing in takes with 2,000 clients, and how much is in the page then."""

from __future__ import annotations

import time

import psycopg
from playwright.sync_api import expect

from tests.board.conftest import House, OpenPage

CLIENTS = 2_000
MOST_NODES = 900
# The best of a few: other work on the machine is not the board's.
TRIES = 4
SECONDS = 1.5


def test_the_board_is_there_in_a_moment(open_page: OpenPage, house: House) -> None:
    with psycopg.connect(house.stack.dsn) as db:
        db.execute(
            "insert into clients (name, slug, stage, stage_owner)"
            " select 'Client ' || n, 'quick-' || n,"
            " (array['weekly', 'cleanup', 'onboarding', 'paused_internal'])[1 + n % 4],"
            " 'user:owner-' || n % 12 from generate_series(1, %s) n",
            (CLIENTS,),
        )
    took = []
    for _ in range(TRIES):
        page = open_page()
        page.get_by_label("Your token").fill(house.stack.token())
        begun = time.monotonic()
        page.get_by_role("button", name="Sign in").click()
        page.locator("[data-card]").first.wait_for()
        took.append(time.monotonic() - begun)
        expect(page.get_by_role("navigation", name="Views")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
    print(f"\nsign-in to board with {CLIENTS:,} clients: {min(took):.2f} s (of {TRIES})")
    assert min(took) < SECONDS, took
