"""axe-core finds nothing serious in any view, light or dark, wide or narrow."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.board.conftest import House, OpenPage, SignIn
from tests.board.looks import card, choose, dialog, drawer, move_dialog

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def findings(page: Page) -> list[str]:
    """The serious and critical violations that axe-core finds, with their elements."""
    found: dict[str, Any] = Axe().run(page).response
    return [
        f"{each['id']}: {node['html'][:120]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


LIGHT, DARK = "light", "dark"
slow_light, slow_dark = (pytest.param(each, marks=pytest.mark.slow) for each in (LIGHT, DARK))


@pytest.mark.parametrize(
    ("scheme", "viewport"),
    [
        pytest.param(LIGHT, DESKTOP, id="light-desktop"),
        pytest.param(LIGHT, PHONE, id="light-phone", marks=pytest.mark.slow),
        pytest.param(DARK, DESKTOP, id="dark-desktop", marks=pytest.mark.slow),
        pytest.param(DARK, PHONE, id="dark-phone"),
    ],
)
def test_the_board(sign_in: SignIn, house: House, scheme: str, viewport: dict[str, int]) -> None:
    flagged = house.client("Flagged", "weekly", "eom_close")
    house.admin.set_flag(flagged.id, flag="client_blocking")
    page = sign_in(color_scheme=scheme, viewport=viewport)
    choose(page, flagged)
    assert findings(page) == []


@pytest.mark.parametrize("scheme", [slow_light, DARK])
def test_the_sign_in_form(open_page: OpenPage, scheme: str) -> None:
    assert findings(open_page(color_scheme=scheme)) == []


@pytest.mark.parametrize("view", ["queue", "report", "people", "activity", "firm"])
@pytest.mark.parametrize("scheme", [LIGHT, slow_dark])
def test_the_other_views(sign_in: SignIn, house: House, scheme: str, view: str) -> None:
    house.client("Seen", "weekly", "eom_close")
    page = sign_in(path=f"/?view={view}", color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Loading")).to_have_count(0)
    assert findings(page) == []


@pytest.mark.parametrize("scheme", [slow_light, DARK])
def test_the_drawer_and_a_refusal_in_the_dialog(sign_in: SignIn, house: House, scheme: str) -> None:
    client = house.client()
    page = sign_in(color_scheme=scheme)
    drawer(page, client).get_by_label("Notes").fill("typed")
    assert findings(page) == []
    page.keyboard.press("Escape")

    move_dialog(page, client).get_by_label("Why").fill("too late")
    dialog(page).get_by_role("radio", name="Cleanup").check()
    house.move(client, "eom_close")
    dialog(page).get_by_role("button", name="Move", exact=True).click()
    expect(dialog(page).get_by_role("alert")).to_be_visible()
    assert findings(page) == []


def test_reduced_motion_stops_animations(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in(reduced_motion="reduce")
    seen = card(page, client).evaluate("it => getComputedStyle(it.closest('li')).animationDuration")
    assert seen in ("0s", "auto")


def test_forced_colors_keep_every_state_visible(sign_in: SignIn, house: House) -> None:
    client = house.client("Forced", "weekly", "eom_close")
    house.admin.set_flag(client.id, flag="client_blocking")
    page = sign_in(forced_colors="active")
    choose(page, client)
    page.keyboard.press("Tab")
    expect(card(page, client)).to_be_focused()
    shown = card(page, client).evaluate(
        """it => {
          const card = it.closest("li");
          const bar = card.querySelector(".bar"), badge = card.querySelector(".badge");
          const look = getComputedStyle;
          return {
            bar: look(bar.firstChild).backgroundColor !== look(bar).backgroundColor,
            badge: look(badge).borderStyle !== "none" && look(badge).borderColor !== look(badge).backgroundColor,
            chosen: look(card).outlineStyle !== "none",
            focus: look(it).outlineStyle !== "none",
          };
        }"""
    )
    assert shown == {"bar": True, "badge": True, "chosen": True, "focus": True}
    assert findings(page) == []
