"""A firm with 5,000 clients in one stage."""

from __future__ import annotations

import itertools

import psycopg
from playwright.sync_api import expect

from tests.board.conftest import House, SignIn
from tests.board.looks import column, dialog

CLIENTS = 5_000
PAGE = 100


def test_5000_clients_are_there_by_scrolling_and_the_last_one_moves(
    sign_in: SignIn, house: House
) -> None:
    with psycopg.connect(house.stack.dsn) as db:
        db.execute(
            "insert into clients (name, slug)"
            " select 'Client ' || n, 'many-' || n from generate_series(1, %s) n",
            (CLIENTS,),
        )
    page = sign_in()
    stage = column(page, "Weekly")
    expect(stage.locator(".count")).to_have_text(f"{CLIENTS:,} clients")
    cards = stage.locator("[data-card]")
    expect(cards).to_have_count(PAGE)

    cards_at = stage.get_by_role("list")
    shown = PAGE
    while shown < CLIENTS:
        cards_at.evaluate("it => it.scrollTo(0, it.scrollHeight)")
        page.wait_for_function(
            "([place, shown]) => place.querySelectorAll('[data-card]').length > shown",
            arg=[cards_at.element_handle(), shown],
        )
        shown = cards.count()
    assert shown == CLIENTS

    # A frame is what the page needs to go on with the next thing that somebody does.
    frames = cards_at.evaluate(
        """it => new Promise(done => {
          const times = [];
          let at = it.scrollHeight;
          const step = time => {
            times.push(time);
            it.scrollTo(0, (at -= 900));
            if (times.length < 60) requestAnimationFrame(step); else done(times);
          };
          requestAnimationFrame(step);
        })"""
    )
    gaps = sorted(after - before for before, after in itertools.pairwise(frames))
    assert gaps[len(gaps) // 2] < 250

    last = cards.last.locator(".card-name")
    name = last.text_content()  # off the screen it has no inner text
    last.focus()
    page.keyboard.press("m")
    dialog(page).get_by_role("radio", name="Cleanup").check()
    dialog(page).get_by_label("Why").fill("the last of many")
    dialog(page).get_by_role("button", name="Move", exact=True).click()
    expect(column(page, "Cleanup").get_by_role("button", name=name, exact=True)).to_be_visible()
