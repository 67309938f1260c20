"""Locators for the parts of the page, by the texts that a user sees."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from atlas_stage.models import Client


def column(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def card(within: Page | Locator, client: Client) -> Locator:
    return within.get_by_role("button", name=client.name, exact=True)


def dialog(page: Page) -> Locator:
    """The dialog in front."""
    return page.get_by_role("dialog").last


def move_dialog(page: Page, client: Client) -> Locator:
    """The dialog that moves this client, opened by the button on its card."""
    page.get_by_role("button", name=f"Move {client.name}", exact=True).click()
    expect(dialog(page)).to_be_visible()
    return dialog(page)


def drawer(page: Page, client: Client) -> Locator:
    """The client's drawer, opened from its card."""
    card(page, client).click()
    opened = page.get_by_role("dialog", name=client.name, exact=True)
    expect(opened.get_by_role("heading", name="History")).to_be_visible()
    return opened


def choose(page: Page, *clients: Client) -> None:
    for client in clients:
        page.get_by_role("checkbox", name=f"Select {client.name}", exact=True).check()


def decide(page: Page, to: str, reason: str, button: str = "Move") -> None:
    """Fill in the front dialog and submit it."""
    dialog(page).get_by_role("radio", name=to).check()
    dialog(page).get_by_label("Why").fill(reason)
    dialog(page).get_by_role("button", name=button, exact=True).click()
