"""The board by keyboard alone."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.board.conftest import House, OpenPage, SignIn
from tests.board.looks import card, column, dialog


def press_until(page: Page, key: str, condition: str, name: str) -> None:
    """Press a key until the condition is true for the focused element."""
    for _ in range(60):
        if page.evaluate(f"name => {condition}", name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} doesn't reach {name}")


def test_from_the_token_to_a_move_without_a_mouse(open_page: OpenPage, house: House) -> None:
    house.client("Above")
    client = house.client("Below")
    page = open_page()
    expect(page.get_by_label("Your token")).to_be_focused()
    page.keyboard.type(house.stack.token())
    page.keyboard.press("Enter")
    expect(card(page, client)).to_be_visible()

    press_until(page, "Tab", "document.activeElement.innerText?.startsWith(name)", "Above")
    press_until(page, "ArrowDown", "document.activeElement.innerText === name", client.name)
    page.keyboard.press("m")
    expect(dialog(page).get_by_role("radio").first).to_be_focused()
    page.keyboard.press("Space")
    press_until(page, "ArrowDown", "document.activeElement.value === name", "eom_close")
    press_until(page, "Tab", "document.activeElement.tagName === name", "TEXTAREA")
    page.keyboard.type("no mouse")
    page.keyboard.press("Control+Enter")

    expect(card(column(page, "EOM close"), client)).to_be_visible()
    assert house.now(client).stage == "eom_close"


def test_arrows_go_from_client_to_client_and_enter_opens_one(sign_in: SignIn, house: House) -> None:
    here, there = house.client("Arrow here", "cleanup"), house.client("Arrow there", "weekly")
    page = sign_in(path="/?stage=cleanup,weekly&search=arrow")
    card(page, here).focus()
    page.keyboard.press("ArrowRight")
    expect(card(page, there)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=there.name)).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page, there)).to_be_focused()


def test_a_dialog_keeps_the_focus_and_gives_it_back(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    card(page, client).focus()
    page.keyboard.press("m")
    expect(dialog(page)).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('dialog') || document.activeElement === document.body")
    page.keyboard.press("Escape")
    expect(card(page, client)).to_be_focused()


def test_clients_selected_with_x_are_moved_together(sign_in: SignIn, house: House) -> None:
    clients = [house.client("Pair", "cleanup"), house.client("Pair", "cleanup")]
    page = sign_in(path="/?search=pair")
    for client in clients:
        card(page, client).focus()
        page.keyboard.press("x")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="Move 2 clients")).to_be_visible()
