"""A firm without clients."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.board.conftest import House, SignIn
from tests.board.looks import card


def test_an_empty_firm_says_once_how_to_add_clients(sign_in: SignIn, house: House) -> None:
    page = sign_in()
    expect(page.get_by_text("no active clients")).to_have_count(1)
    expect(page.get_by_text("atlas-stage client import")).to_be_visible()
    expect(page.get_by_text("No clients", exact=True)).to_have_count(0)
    page.get_by_role("main").get_by_role("button", name="Firm").click()
    expect(page.get_by_role("heading", name="Add a client")).to_be_visible()

    page.get_by_role("button", name="Board", exact=True).click()
    expect(card(page, house.client())).to_be_visible(timeout=30_000)
