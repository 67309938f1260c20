"""Other actors' changes appear automatically. An outage is shown, and nothing is lost in it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.board.conftest import House, OpenPage, SignIn, enter
from tests.board.looks import card, column, decide, dialog, drawer, move_dialog


def test_another_actors_change_appears_automatically(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    house.move(client, "eom_close", "seen from elsewhere")
    moved = column(page, "EOM close").get_by_role("listitem").filter(has_text=client.name)
    expect(moved).to_contain_text("seen from elsewhere")


def test_what_happens_while_the_board_opens_is_not_missed(open_page: OpenPage, house: House) -> None:
    client = house.client()
    page = open_page()

    def meanwhile(route: Route) -> None:
        page.wait_for_timeout(500)
        house.move(client, "eom_close")
        route.continue_()

    page.route("**/rpc/summary", meanwhile, times=1)
    enter(page, house.stack.token())
    expect(card(column(page, "EOM close"), client)).to_be_visible()


def test_what_happened_before_the_board_opened_is_no_news(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    with page.expect_response("**/rpc/changes") as polled:
        expect(card(page, client)).to_be_visible()
    assert polled.value.json()["changes"] == []


def test_an_open_drawer_follows_what_others_do(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    opened = drawer(page, client)
    house.move(client, "eom_close", "seen in the history")
    expect(opened.get_by_role("listitem").filter(has_text="seen in the history")).to_be_visible()


def test_what_happens_while_the_drawer_opens_is_in_its_history(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()

    def meanwhile(route: Route) -> None:
        time.sleep(0.5)  # by now the drawer's other requests are answered
        house.move(client, "eom_close", "seen in the history")
        route.continue_()

    page.route(re.compile(r"/rpc/client([?]|$)"), meanwhile, times=1)
    opened = drawer(page, client)
    expect(opened.get_by_role("listitem").filter(has_text="seen in the history")).to_be_visible()


def test_an_outage_is_shown_and_the_board_is_current_afterwards(sign_in: SignIn, house: House) -> None:
    client, other = house.client(), house.client()
    page = sign_in()
    move_dialog(page, client).get_by_label("Why").fill("typed while away")
    page.context.set_offline(True)
    expect(page.get_by_text("Can't reach the server")).to_be_attached()
    house.move(other, "cleanup")
    page.context.set_offline(False)

    expect(page.get_by_text("Can't reach the server")).to_have_count(0)
    expect(card(column(page, "Cleanup"), other)).to_be_attached()
    expect(dialog(page).get_by_label("Why")).to_have_value("typed while away")


def test_a_change_made_while_the_server_is_away_can_be_sent_again(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    move_dialog(page, client)
    expect(dialog(page).get_by_role("radio", name="Cleanup")).to_be_visible()
    page.context.set_offline(True)
    decide(page, "Cleanup", "kept for later")
    expect(dialog(page).get_by_role("alert")).to_contain_text("The server can't be reached")

    page.context.set_offline(False)
    dialog(page).get_by_role("button", name="Try again").click()
    expect(card(column(page, "Cleanup"), client)).to_be_visible()
    assert house.now(client).version == client.version + 1


def test_a_feed_that_waits_for_a_transaction_is_shown_and_the_board_stays_current(
    sign_in: SignIn, house: House
) -> None:
    client = house.client()
    page = sign_in()
    notice = page.get_by_text("Live updates are delayed")
    with house.database() as other_program:
        other_program.execute("select pg_current_xact_id()")
        house.move(client, "cleanup")
        expect(card(column(page, "Weekly"), client)).to_be_visible()
        expect(notice).to_have_count(0)
        page.clock.set_system_time(datetime.now(UTC) + timedelta(seconds=70))

        expect(notice).to_be_visible()
        expect(card(column(page, "Cleanup"), client)).to_be_visible()
    page.get_by_role("button", name="Reload now").click()
    expect(notice).to_have_count(0)


@pytest.mark.slow
def test_while_nothing_changes_a_poll_asks_one_short_question(sign_in: SignIn, house: House) -> None:
    house.client()
    page = sign_in()
    _wait_for_a_poll(page)
    asked = _asked(page)
    page.wait_for_timeout(9_000)
    assert set(asked) == {"changes"}
    assert 1 <= len(asked) <= 3


@pytest.mark.slow
def test_a_hidden_tab_asks_nothing_and_catches_up_when_it_is_seen(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    _wait_for_a_poll(page)
    _show(page, visible=False)
    asked = _asked(page)
    house.move(client, "cleanup")
    page.wait_for_timeout(6_000)
    assert asked == []

    _show(page, visible=True)
    expect(card(column(page, "Cleanup"), client)).to_be_visible()


def _wait_for_a_poll(page: Page) -> None:
    """The first poll comes after all requests that opening the page makes."""
    with page.expect_response("**/rpc/changes"):
        pass


def _asked(page: Page) -> list[str]:
    """The functions of the later calls."""
    names: list[str] = []

    def note(request: Request) -> None:
        if "/rpc/" in request.url:
            names.append(request.url.rpartition("/")[2])

    page.on("request", note)
    return names


def _show(page: Page, *, visible: bool) -> None:
    """Tell the page whether its tab is visible: headless Chromium has no tabs to hide."""
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        not visible,
    )
