"""Signing in and out, and where the token is kept."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

from atlas_stage.cli import app
from tests.board.conftest import House, OpenPage, SignIn, enter
from tests.board.looks import card, dialog, move_dialog
from tests.support.stack import ADMIN


def test_a_token_opens_the_board_and_shows_the_actor_and_its_permissions(sign_in: SignIn) -> None:
    page = sign_in()
    page.get_by_label("You are jimmie").click()
    expect(page.get_by_text("admin", exact=True)).to_be_visible()


def test_an_unknown_token_is_refused_with_a_message(open_page: OpenPage) -> None:
    page = open_page()
    enter(page, f"atl_{'x' * 49}")
    expect(page.get_by_role("alert")).to_contain_text("What to do:")
    expect(page.get_by_label("Your token")).to_be_visible()


def test_what_cannot_be_a_token_is_said_without_asking(open_page: OpenPage) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for token, message in (
        ("atl_nobody", "it has 10 characters, and a token has 53"),
        ("two words", "a token has no spaces"),
        ("ein Schlüssel", "a token has no spaces and no letters with accents"),
    ):
        enter(page, token)
        expect(page.get_by_role("alert")).to_contain_text(message)
    assert [url for url in asked if "/rpc/" in url] == []


@pytest.mark.parametrize(
    "around",
    [
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("'{}'", "“{}”")),
        "\u200b{}\ufeff",
        " ATLAS_TOKEN={}\u00a0",
    ],
)
def test_what_copying_adds_to_a_token_is_removed(open_page: OpenPage, house: House, around: str) -> None:
    page = open_page()
    enter(page, around.format(house.stack.token()))
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()


def test_a_token_that_is_kept_on_the_computer_opens_every_tab(open_page: OpenPage, house: House) -> None:
    page = open_page()
    waiting = page.context.new_page()
    waiting.goto("/")
    expect(waiting.get_by_label("Your token")).to_be_visible()
    page.get_by_label("Keep me signed in on this computer").check()
    enter(page, house.stack.token())
    for tab in (page, waiting):
        expect(tab.get_by_role("navigation", name="Views")).to_be_visible()
    page.close()
    later = waiting.context.new_page()
    later.goto("/")
    expect(later.get_by_role("navigation", name="Views")).to_be_visible()

    later.get_by_label("You are jimmie").click()
    later.get_by_role("button", name="Sign out").click()
    expect(waiting.get_by_label("Your token")).to_be_visible()
    assert later.evaluate("localStorage.length") == 0


def test_a_password_manager_can_keep_the_token(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.get_by_label("Your token")).to_have_attribute("autocomplete", "current-password")
    assert page.locator("form[autocomplete]").count() == 0
    expect(page.get_by_label("Keep me signed in on this computer")).not_to_be_checked()


def test_the_command_that_the_form_shows_issues_a_token(
    open_page: OpenPage, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page()
    program, *words = page.locator("code").inner_text().split()
    assert program == "atlas-stage"
    monkeypatch.setenv("ATLAS_DATABASE_URL", house.stack.dsn)
    monkeypatch.setenv("ATLAS_ACTOR", ADMIN)
    issued = CliRunner().invoke(app, words)
    assert issued.exit_code == 0, issued.output
    enter(page, issued.stdout)
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()


def test_the_sentences_of_the_form_are_apart(open_page: OpenPage) -> None:
    expect(open_page().locator("#token-help")).to_contain_text("close this tab. An admin can send you a link")


def test_a_revoked_token_signs_out_and_is_forgotten(open_page: OpenPage, house: House) -> None:
    issued = house.admin.issue_token(ADMIN, never_expires=True)
    assert issued.token is not None
    page = open_page()
    enter(page, issued.token)
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()

    house.admin.revoke_token(issued.id)
    expect(page.get_by_role("alert")).to_contain_text("signed out")
    assert page.evaluate("sessionStorage.length") == 0


def test_what_was_typed_is_there_again_after_the_token_was_renewed(open_page: OpenPage, house: House) -> None:
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

    page.get_by_label("You are jimmie").click()
    page.get_by_role("button", name="Sign out").click()
    page.reload()
    expect(page.get_by_label("Your token")).to_be_visible()
