"""On a phone, by touch: clients are moved with the menu instead of dragging."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.board.conftest import House, SignIn
from tests.board.looks import card, column, dialog

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# The minimum size of a target in WCAG, in pixels.
FINGER = 24


@pytest.fixture
def phone(sign_in: SignIn) -> Page:
    return sign_in(**PHONE)


def test_a_client_is_moved_by_tapping(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in(**PHONE)
    page.get_by_role("button", name=f"Move {client.name}", exact=True).tap()
    dialog(page).get_by_text("EOM close", exact=True).tap()
    dialog(page).get_by_label("Why").fill("by a finger")
    dialog(page).get_by_role("button", name="Move", exact=True).tap()
    expect(card(column(page, "EOM close"), client)).to_be_attached()
    assert house.now(client).stage == "eom_close"


def test_a_finger_scrolls_a_column_and_drags_nothing(sign_in: SignIn, house: House) -> None:
    clients = [house.client("Scrolled", "cleanup") for _ in range(15)]
    page = sign_in(path="/?stage=cleanup", **PHONE)
    cards = column(page, "Cleanup").locator(".cards")
    box = cards.bounding_box()
    assert box is not None
    touch = page.context.new_cdp_session(page)
    for step, kind in enumerate(["touchStart", *["touchMove"] * 10, "touchEnd"]):
        finger = {"x": box["x"] + 100, "y": box["y"] + 400 - 30 * step}
        points = [] if kind == "touchEnd" else [finger]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("it => it.scrollTop > 100", arg=cards.element_handle())
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert {house.now(client).stage for client in clients} == {"cleanup"}


def test_everything_that_is_tapped_is_as_large_as_a_fingertip(phone: Page, house: House) -> None:
    house.client()
    expect(phone.get_by_role("button", name="Move ").first).to_be_visible()
    small = phone.evaluate(
        """least => [...document.querySelectorAll("button, summary, select, input")]
          .map(each => [each.closest("label") ?? each, each.getAttribute("aria-label") ?? each.outerHTML.slice(0, 60)])
          .filter(([each]) => each.checkVisibility())
          .map(([each, name]) => [each.getBoundingClientRect(), name])
          .filter(([box]) => box.width < least || box.height < least)
          .map(([box, name]) => `${name}: ${box.width} x ${box.height}`)""",
        FINGER,
    )
    assert small == []


def test_the_page_is_no_wider_than_the_phone(phone: Page) -> None:
    for view in ("My queue", "Close report", "People", "Firm", "Board"):
        phone.get_by_role("button", name=view, exact=True).tap()
        expect(phone.get_by_text("Loading")).to_have_count(0)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
