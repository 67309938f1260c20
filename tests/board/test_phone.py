"""On a phone, by touch: clients are moved with the menu instead of dragging."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.board.conftest import House, SignIn
from tests.board.looks import card, choose, column, decide, dialog
from tests.support.stack import ADMIN

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


@pytest.mark.parametrize("width", [390, 800])
@pytest.mark.parametrize("view", ["board", "queue", "report", "people", "activity", "firm"])
def test_no_page_is_wider_than_its_screen(sign_in: SignIn, house: House, view: str, width: int) -> None:
    client = house.client("Oak & Iron Carpentry and Cabinet Makers", "weekly", "eom_close", "eom_review")
    house.admin.update_client(client.id, owner=ADMIN)
    page = sign_in(path=f"/?view={view}", **PHONE | {"viewport": {"width": width, "height": 844}})
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Loading")).to_have_count(0)
    # The board's columns, views and filters are scrolled sideways, and look cut off.
    beyond = page.evaluate(
        """() => [...document.querySelectorAll("#page *")]
          .filter(each => each.checkVisibility() && !each.closest(".columns, .views, form.filters, .unseen, thead"))
          .filter(each => each.getBoundingClientRect().right > innerWidth + 1)
          .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert beyond == []
    assert page.locator(".page").evaluate_all("all => all.filter(each => each.scrollWidth > each.clientWidth)") == []
    assert page.evaluate("document.documentElement.scrollHeight") == 844
    assert page.evaluate("innerWidth") == width


def test_the_filters_of_the_activity_are_whole(sign_in: SignIn, house: House) -> None:
    for _ in range(15):
        house.client("Busy")
    page = sign_in(path="/?view=activity", **PHONE)
    expect(page.locator(".activity > li").nth(12)).to_be_attached()
    for label in ("Person", "Client", "Day"):
        expect(page.get_by_label(label, exact=True)).to_be_in_viewport(ratio=1)


def test_no_button_of_the_queue_covers_a_text(sign_in: SignIn, house: House) -> None:
    client = house.client("Reviewed", "weekly", "eom_close", "eom_review")
    house.admin.update_client(client.id, owner=ADMIN)
    page = sign_in(path="/?view=queue", **PHONE)
    item = page.get_by_role("listitem").filter(has_text=client.name)
    expect(item.get_by_role("button", name="Sign off")).to_be_visible()
    texts = [_box(each) for each in (item.locator(".card-foot"), item.locator(".queue-who"))]
    assert all(box["width"] > 300 for box in texts)
    assert not any(_overlap(_box(item.locator(".buttons")), box) for box in texts)


def test_the_selection_does_not_cover_the_last_change(sign_in: SignIn, house: House) -> None:
    moved, chosen = house.client("Moved and with a name that takes more than one line"), house.client("Chosen")
    page = sign_in(path="/?stage=weekly", **PHONE)
    page.get_by_role("button", name=f"Move {moved.name}", exact=True).tap()
    decide(page, "Cleanup", "a long reason")
    choose(page, chosen)
    change, selection = (page.get_by_role("region", name=name) for name in ("Last change", "Selected clients"))
    expect(change).to_be_in_viewport(ratio=1)
    expect(selection).to_be_in_viewport(ratio=1)
    assert not _overlap(_box(change), _box(selection))


def _box(place: Locator) -> FloatRect:
    box = place.bounding_box()
    assert box is not None
    return box


def _overlap(one: FloatRect, other: FloatRect) -> bool:
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    )
