"""Undoing a change from the message that reports it, and changing many clients at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
from playwright.sync_api import Locator, Page, expect

from atlas_stage.models import Client
from tests.board.conftest import House, SignIn
from tests.board.looks import card, choose, column, decide, dialog, drawer, move_dialog


def toast(page: Page) -> Locator:
    return page.get_by_role("region", name="Last change")


def undo(page: Page) -> None:
    toast(page).get_by_role("button", name="Undo").click()


@contextlib.contextmanager
def undo_minutes(house: House, minutes: int) -> Iterator[None]:
    with psycopg.connect(house.stack.dsn, autocommit=True) as db:
        db.execute("update stage_settings set undo_minutes = %s", (minutes,))
        yield
        db.execute("update stage_settings set undo_minutes = default")


def move_many(page: Page, clients: list[Client], to: str = "EOM close") -> None:
    choose(page, *clients)
    page.get_by_role("button", name="Move…", exact=True).click()
    decide(page, to, "all at once")


def test_a_move_is_undone_where_it_is_reported(sign_in: SignIn, house: House) -> None:
    client = house.client("Misclick")
    page = sign_in()
    move_dialog(page, client)
    decide(page, "EOM close", "a slip")
    expect(toast(page)).to_contain_text(f"{client.name} is now in EOM close")

    undo(page)
    expect(toast(page)).to_contain_text(f"Undone: {client.name} is now in Weekly.")
    expect(card(column(page, "Weekly"), client)).to_be_visible()
    expect(toast(page).get_by_role("button", name="Undo")).to_have_count(0)
    assert house.now(client).stage == "weekly"


def test_a_flag_is_undone_by_a_key(sign_in: SignIn, house: House) -> None:
    client = house.client("Flagged")
    page = sign_in()
    card(page, client).focus()
    page.keyboard.press("f")
    dialog(page).get_by_role("radio", name="Client blocking").check()
    dialog(page).get_by_role("button", name="Set the flag").click()
    expect(toast(page)).to_contain_text(f"{client.name} now has the flag client blocking.")
    page.keyboard.press("u")
    expect(toast(page)).to_contain_text("no longer has the flag client blocking")
    assert house.now(client).flags == ()


def test_a_move_from_the_drawer_is_undone_in_the_drawer(sign_in: SignIn, house: House) -> None:
    client = house.client("Opened")
    page = sign_in()
    opened = drawer(page, client)
    opened.get_by_role("group", name="Moves").get_by_role("button", name="Cleanup").click()
    dialog(page).get_by_label("Why").fill("a slip")
    dialog(page).get_by_role("button", name="Move", exact=True).click()
    undo(page)
    expect(opened.get_by_role("listitem").first).to_contain_text("Cleanup → Weekly")
    assert house.now(client).stage == "weekly"


def test_many_are_undone_at_once_and_no_list_is_shown(sign_in: SignIn, house: House) -> None:
    clients = [house.client("Bulk") for _ in range(3)]
    page = sign_in()
    move_many(page, clients)
    expect(toast(page)).to_contain_text("3 clients are now in EOM close.")
    expect(page.get_by_role("dialog")).to_have_count(0)

    undo(page)
    expect(toast(page)).to_contain_text("Undone for 3 clients.")
    assert {house.now(client).stage for client in clients} == {"weekly"}


def test_what_could_not_be_undone_is_named(sign_in: SignIn, house: House) -> None:
    stays, returns = house.client("Stays"), house.client("Returns")
    page = sign_in()
    move_many(page, [stays, returns])
    expect(toast(page)).to_contain_text("2 clients are now in EOM close.")
    house.move(house.now(stays), "eom_review")
    undo(page)
    expect(toast(page)).to_contain_text("Undone for 1 client. Not undone")
    expect(toast(page)).to_contain_text(stays.name)
    expect(toast(page)).not_to_contain_text(returns.name)
    assert (house.now(stays).stage, house.now(returns).stage) == ("eom_review", "weekly")


def test_a_change_that_another_actor_changed_is_not_undone(sign_in: SignIn, house: House) -> None:
    client = house.client("Overtaken")
    page = sign_in()
    move_dialog(page, client)
    decide(page, "EOM close", "a slip")
    expect(toast(page)).to_be_visible()
    house.move(house.now(client), "eom_review")
    undo(page)
    expect(toast(page).get_by_role("alert")).to_contain_text(f"{client.name} has changed since")
    assert house.now(client).stage == "eom_review"


def test_too_late_is_the_databases_word(sign_in: SignIn, house: House) -> None:
    client = house.client("Late")
    page = sign_in()
    move_dialog(page, client)
    decide(page, "EOM close", "meant so")
    expect(toast(page)).to_be_visible()
    with undo_minutes(house, 0):
        undo(page)
        expect(toast(page).get_by_role("alert")).to_contain_text("Ask an admin to roll it back.")
        expect(toast(page).get_by_role("button", name="Undo")).to_have_count(0)
    assert house.now(client).stage == "eom_close"


def test_no_undo_is_offered_where_the_firm_has_none(sign_in: SignIn, house: House) -> None:
    client = house.client("Final")
    with undo_minutes(house, 0):
        page = sign_in()
        move_dialog(page, client)
        decide(page, "EOM close", "meant so")
        expect(toast(page)).to_contain_text("is now in EOM close")
        expect(toast(page).get_by_role("button", name="Undo")).to_have_count(0)


def test_more_than_25_are_asked_about_once_more(sign_in: SignIn, house: House) -> None:
    clients = [house.client("Crowd", "cleanup") for _ in range(26)]
    for each in clients[:20]:
        house.admin.update_client(each.id, owner="user:ana")
    page = sign_in(path="/?search=crowd")
    page.get_by_role("checkbox", name="Select all in Cleanup").check()
    page.get_by_role("button", name="Move…", exact=True).click()
    decide(page, "Weekly", "all clean")
    asked = dialog(page).get_by_role("alert")
    expect(asked).to_contain_text("26 clients at once")
    expect(asked).to_contain_text("ana (20), no owner (6)")
    assert {house.now(each).stage for each in clients} == {"cleanup"}

    dialog(page).get_by_role("button", name="Move 26 clients", exact=True).click()
    expect(toast(page)).to_contain_text("26 clients are now in Weekly.")
    assert {house.now(each).stage for each in clients} == {"weekly"}
