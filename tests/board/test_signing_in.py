"""Signing in and out, and where the token is kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.board.conftest import House, OpenPage, SignIn, enter
from tests.board.looks import card, dialog, move_dialog
from tests.support.stack import ADMIN


def test_a_token_opens_the_board_and_shows_the_actor_and_its_permissions(sign_in: SignIn) -> None:
    page = sign_in()
    page.get_by_label(f"You are {ADMIN}").click()
    expect(page.get_by_text("admin", exact=True)).to_be_visible()


@pytest.mark.parametrize("token", ["atl_nobody", "two words", "ein Schlüssel"])
def test_an_invalid_token_is_refused_with_a_message(open_page: OpenPage, token: str) -> None:
    page = open_page()
    enter(page, token)
    expect(page.get_by_role("alert")).to_contain_text("What to do:")
    expect(page.get_by_label("Your token")).to_be_visible()


def test_a_revoked_token_signs_out_and_is_forgotten(open_page: OpenPage, house: House) -> None:
    issued = house.admin.issue_token(ADMIN, never_expires=True)
    assert issued.token is not None
    page = open_page()
    enter(page, issued.token)
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()

    house.admin.revoke_token(issued.id)
    expect(page.get_by_role("alert")).to_contain_text("signed out")
    assert page.evaluate("sessionStorage.length") == 0


def test_what_was_typed_is_there_again_after_the_token_was_renewed(
    open_page: OpenPage, house: House
) -> None:
    client = house.client()
    issued = house.admin.issue_token(ADMIN, never_expires=True)
    assert issued.token is not None
    page = open_page()
    enter(page, issued.token)
    move_dialog(page, client).get_by_label("Why").fill("typed before")

    house.admin.revoke_token(issued.id)
    expect(page.get_by_label("Your token")).to_be_visible()
    enter(page, house.stack.token())
    expect(dialog(page).get_by_label("Why")).to_have_value("typed before")


def test_the_token_lives_in_its_tab_and_nowhere_else(sign_in: SignIn) -> None:
    page = sign_in()
    kept = page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]")
    assert kept == [1, 0, ""]
    assert "atl_" not in page.url


def test_a_reload_stays_signed_in_and_signing_out_ends_it(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    page.reload()
    expect(card(page, client)).to_be_visible()

    page.get_by_label(f"You are {ADMIN}").click()
    page.get_by_role("button", name="Sign out").click()
    page.reload()
    expect(page.get_by_label("Your token")).to_be_visible()
