"""5,000 clients in one stage: few are rendered at a time, and all can be reached."""

from __future__ import annotations

import re

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.board.conftest import House, SignIn
from tests.board.looks import column, decide, dialog

CLIENTS = 5_000
MOST_IN_THE_PAGE = 60


@pytest.fixture(scope="module", autouse=True)
def _many(house: House) -> None:
    with psycopg.connect(house.stack.dsn) as db:
        db.execute(
            "insert into clients (name, slug) select 'Client ' || n, 'many-' || n from generate_series(1, %s) n",
            (CLIENTS,),
        )


@pytest.fixture
def stage(sign_in: SignIn) -> Locator:
    stage = column(sign_in(), "Weekly")
    expect(stage.locator("[data-card]").first).to_be_visible()
    return stage


@pytest.fixture
def page_of(stage: Locator) -> Page:
    return stage.page


def place_of(card: Locator) -> int:
    return int(card.get_attribute("aria-posinset") or 0)


def scroll_to_the_end(stage: Locator) -> set[str]:
    """Scroll to the end; return every client that was rendered on the way."""
    return set(
        stage.locator(".cards").evaluate(
            """async (scroller, most) => {
              const seen = new Set();
              for (let still = 0; still < 60;) {
                await new Promise(requestAnimationFrame);
                const cards = [...scroller.querySelectorAll("[data-card]")];
                if (cards.length > most) throw new Error(`${cards.length} cards are in the page`);
                for (const card of cards) seen.add(card.dataset.card);
                const before = scroller.scrollTop;
                scroller.scrollBy(0, 1200);
                const isLoading = scroller.querySelector(".more") !== null;
                still = scroller.scrollTop > before || isLoading ? 0 : still + 1;
              }
              return [...seen];
            }""",
            MOST_IN_THE_PAGE,
        )
    )


@pytest.mark.slow  # 9 s of CPU; the End key reaches the last one too
def test_scrolling_reaches_all_and_renders_few(stage: Locator, page_of: Page) -> None:
    asked = []
    page_of.on("request", lambda call: asked.append(call) if call.url.endswith("/clients") else 0)
    assert len(scroll_to_the_end(stage)) == CLIENTS
    assert len(asked) < 12


def test_the_page_stays_small(stage: Locator, page_of: Page) -> None:
    page_of.wait_for_load_state("networkidle")
    assert page_of.evaluate("document.querySelectorAll('*').length") <= 900


def test_all_clients_of_a_stage_are_chosen_not_only_the_loaded_ones(stage: Locator, page_of: Page) -> None:
    stage.get_by_role("checkbox", name="Select all in Weekly").check()
    stage.get_by_role("button", name=re.compile("Select all [45],")).click()
    chosen = page_of.get_by_role("region", name="Selected clients")
    expect(chosen).to_contain_text(re.compile(r"^([4]\d{3}|4,\d{3}|5,000) selected"))


def test_each_card_tells_its_place_among_all(stage: Locator) -> None:
    cards = stage.locator("[data-card]")
    assert place_of(cards.first) == 1
    assert {card.get_attribute("aria-setsize") for card in cards.all()} == {str(CLIENTS)}


def test_the_focus_stays_while_others_are_scrolled_into_view(stage: Locator, page_of: Page) -> None:
    first = stage.locator("[data-card]").first
    first.locator(".card-name").focus()
    client = first.get_attribute("data-card")
    stage.locator(".cards").evaluate("it => it.scrollTo(0, 7000)")
    expect(stage.locator("[aria-posinset='70']")).to_be_visible()
    expect(stage.locator("[aria-posinset='30']")).to_have_count(0)
    focused = page_of.evaluate("document.activeElement.closest('[data-card]').dataset.card")
    assert focused == client
    page_of.keyboard.press("ArrowDown")
    expect(stage.locator("[aria-posinset='2'] .card-name")).to_be_focused()
    expect(stage.locator("[aria-posinset='2']")).to_be_in_viewport()


def test_page_keys_pass_ten_and_home_returns(stage: Locator, page_of: Page) -> None:
    stage.locator("[data-card] .card-name").first.focus()
    for key, place in (("PageDown", 11), ("PageDown", 21), ("PageUp", 11), ("Home", 1)):
        page_of.keyboard.press(key)
        expect(stage.locator(f"[aria-posinset='{place}'] .card-name")).to_be_focused()


def test_the_last_one_is_reached_by_the_end_key_and_moves(stage: Locator, page_of: Page, house: House) -> None:
    stage.locator("[data-card] .card-name").first.focus()
    last = stage.locator(f"[aria-posinset='{CLIENTS}']")
    for _ in range(60):
        page_of.keyboard.press("End")
        page_of.wait_for_timeout(200)
        if last.count():
            break
    expect(last.locator(".card-name")).to_be_focused()
    expect(last).to_be_in_viewport()
    name = last.locator(".card-name").inner_text()

    page_of.keyboard.press("m")
    expect(dialog(page_of).get_by_role("heading", name=f"Move {name}")).to_be_visible()
    decide(page_of, "Cleanup", "the last of many")
    moved = column(page_of, "Cleanup").get_by_role("button", name=name, exact=True)
    expect(moved).to_be_focused()


@pytest.mark.slow  # 7 s of CPU for 1,600 clients
def test_more_than_one_call_takes_are_flagged_and_the_refused_are_listed(sign_in: SignIn, house: House) -> None:
    house.admin.grant_permission(
        actor_id="user:half",
        permission="can_set_flag",
        scope={"clients": list(range(2, 2_000, 2))},
    )
    page = sign_in("user:half", path="/?sort=id")
    stage = column(page, "Weekly")
    for loaded in ("100", "200", "400", "800"):
        expect(stage.get_by_title(f"Select the {loaded} loaded clients")).to_be_visible()
        stage.locator(".cards").evaluate("it => it.scrollTo(0, it.scrollHeight)")
    expect(stage.get_by_title("Select the 1,600 loaded clients")).to_be_visible()
    stage.get_by_role("checkbox", name="Select all in Weekly").check()
    page.get_by_role("button", name="Set a flag…").click()
    decide(page, "Advisory due", "many at once", "Set the flag")
    dialog(page).get_by_role("button", name="Set the flag 1,600 clients").click()

    outcomes = dialog(page)
    done = outcomes.get_by_role("heading", name="800 of 1,600 clients done")
    expect(done).to_be_visible(timeout=60_000)
    expect(outcomes.locator(".outcomes > .refused")).to_have_count(800)
    expect(outcomes.locator(".outcomes > .refused").first).to_contain_text("permission")
    outcomes.get_by_role("button", name="Close", exact=True).last.click()
    expect(page.get_by_role("region", name="Selected clients")).to_contain_text("800 selected")
    flagged = {each.flag: each.clients for each in house.admin.summary().flags}
    assert flagged["advisory_due"] == 800
