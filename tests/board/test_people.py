"""The people of the firm on the board: inviting, roles, handing over, leaving; details of many clients at once."""

from __future__ import annotations

from datetime import date, timedelta

from playwright.sync_api import Locator, Page, expect

from tests.board.conftest import House, OpenPage, SignIn
from tests.board.looks import choose, dialog
from tests.board.test_undo import toast, undo


def people(page: Page) -> Page:
    page.get_by_role("navigation", name="Views").get_by_role("button", name="People").click()
    expect(page.get_by_role("heading", name="People")).to_be_visible()
    return page


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def test_a_link_signs_a_new_bookkeeper_in_once(sign_in: SignIn, open_page: OpenPage, house: House) -> None:
    admin = people(sign_in())
    admin.get_by_role("button", name="Invite someone…").click()
    dialog(admin).get_by_label("Name").fill("nina")
    dialog(admin).get_by_role("radio", name="Bookkeeper moves").check()
    dialog(admin).get_by_role("button", name="Make the link").click()
    link = dialog(admin).get_by_label("Link").input_value()
    dialog(admin).get_by_role("button", name="Close", exact=True).last.click()
    expect(row(admin, "nina")).to_contain_text("Bookkeeper")

    path = link.removeprefix(house.stack.url)
    page = open_page(path)
    expect(page.get_by_text("You're invited.")).to_be_visible()
    assert "invite" not in page.url
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("You are nina")).to_be_visible()

    again = open_page(path)
    again.get_by_role("button", name="Sign in").click()
    expect(again.get_by_role("alert")).to_contain_text("This link was used already")
    expect(again.get_by_label("Your token")).to_be_visible()


def test_a_role_is_changed_where_it_is_shown(sign_in: SignIn, house: House) -> None:
    house.admin.set_role("user:rolf", "bookkeeper")
    page = people(sign_in())
    row(page, "rolf").get_by_role("button", name="Role rolf").click()
    expect(dialog(page).get_by_role("radio", name="Bookkeeper moves")).to_be_checked()
    dialog(page).get_by_role("radio", name="Reviewer a").check()
    dialog(page).get_by_role("button", name="Change the role").click()

    expect(toast(page)).to_contain_text("rolf is now reviewer.")
    expect(row(page, "rolf")).to_contain_text("Reviewer")


def test_who_leaves_hands_over_in_one_dialog(sign_in: SignIn, house: House) -> None:
    house.admin.set_role("user:leo", "bookkeeper")
    clients = [house.client("Leaving") for _ in range(3)]
    for each in clients:
        house.admin.update_client(each.id, owner="user:leo")
    page = people(sign_in())
    row(page, "leo").get_by_role("button", name="Leave leo").click()
    expect(dialog(page)).to_contain_text("owns 3 clients")
    dialog(page).get_by_label("Who takes over").fill("user:jimmie")
    dialog(page).get_by_label("Why").fill("left the firm")
    dialog(page).get_by_role("button", name="End the access").click()

    expect(toast(page)).to_contain_text("leo no longer has access. 3 clients handed over.")
    expect(row(page, "leo")).to_have_count(0)
    assert {house.now(each).stage_owner for each in clients} == {"user:jimmie"}


def test_a_vacation_is_covered_and_taken_back(sign_in: SignIn, house: House) -> None:
    house.admin.set_role("user:vera", "bookkeeper")
    client = house.client("Vacation")
    house.admin.update_client(client.id, owner="user:vera")
    page = people(sign_in())
    row(page, "vera").get_by_role("button", name="Hand over vera").click()
    dialog(page).get_by_label("Who takes over").fill("jimmie")
    dialog(page).get_by_label("Why").fill("on vacation")
    dialog(page).get_by_role("button", name="Hand over").click()
    expect(toast(page)).to_contain_text("1 client handed over.")
    assert house.now(client).stage_owner == "user:jimmie"

    undo(page)
    expect(toast(page)).to_contain_text("Undone: 1 client as before.")
    assert house.now(client).stage_owner == "user:vera"


def test_a_vacation_until_a_day_is_shown_changed_and_ended(sign_in: SignIn, house: House) -> None:
    house.admin.set_role("user:wanda", "bookkeeper")
    client = house.client("Covered")
    house.admin.update_client(client.id, owner="user:wanda")
    back, later = (date.today() + timedelta(days=days) for days in (20, 30))
    page = people(sign_in())
    row(page, "wanda").get_by_role("button", name="Hand over wanda").click()
    dialog(page).get_by_label("Who takes over").fill("jimmie")
    dialog(page).get_by_label("Give back on").fill(back.isoformat())
    dialog(page).get_by_label("Why").fill("on vacation")
    dialog(page).get_by_role("button", name="Hand over").click()
    expect(toast(page)).to_contain_text("1 client handed over until")
    covers = page.get_by_role("region", name="Vacation cover")
    expect(covers).to_contain_text(f"jimmie covers for wanda until {back:%b} {back.day}, {back.year}")

    covers.get_by_role("button", name="End the cover for wanda").click()
    dialog(page).get_by_label("Another day").fill(later.isoformat())
    dialog(page).get_by_role("button", name="Change the day").click()
    expect(covers).to_contain_text(f"until {later:%b} {later.day}, {later.year}")
    covers.get_by_role("button", name="End the cover for wanda").click()
    dialog(page).get_by_role("button", name="Give back now").click()
    expect(toast(page)).to_contain_text("1 client given back to wanda.")
    expect(covers).to_have_count(0)
    assert house.now(client).stage_owner == "user:wanda"

    page.goto(f"/?client={client.id}")
    history = page.get_by_role("dialog", name=client.name)
    expect(history).to_contain_text("Given back")
    expect(history).to_contain_text("Handed over until")


def test_a_viewer_sees_names_and_no_buttons(sign_in: SignIn, house: House) -> None:
    house.admin.set_role("user:otto", "bookkeeper")
    page = people(sign_in("user:viewer"))
    expect(row(page, "otto")).to_be_visible()
    expect(page.get_by_role("button", name="Invite someone…")).to_have_count(0)
    expect(row(page, "otto").get_by_role("button")).to_have_count(0)


def test_the_owner_of_many_is_changed_and_undone(sign_in: SignIn, house: House) -> None:
    house.admin.set_role("user:olga", "bookkeeper")
    clients = [house.client("Bulk") for _ in range(3)]
    page = sign_in()
    choose(page, *clients)
    page.get_by_role("button", name="Change details…").click()
    dialog(page).get_by_label("Owner").fill("user:olga")
    dialog(page).get_by_role("button", name="Change", exact=True).click()
    expect(toast(page)).to_contain_text("3 clients: owner changed.")
    assert {house.now(each).stage_owner for each in clients} == {"user:olga"}

    undo(page)
    expect(toast(page)).to_contain_text("Undone for 3 clients.")
    assert {house.now(each).stage_owner for each in clients} == {None}


def test_an_owner_nobody_knows_is_asked_about(sign_in: SignIn, house: House) -> None:
    client = house.client("Typo")
    page = sign_in()
    page.get_by_role("button", name=client.name, exact=True).click()
    dialog(page).get_by_label("Owner").fill("user:jimie")
    dialog(page).get_by_role("button", name="Save", exact=True).click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("user:jimie isn't known here yet")
    assert house.now(client).stage_owner is None

    dialog(page).get_by_label("Owner").fill("user:jimmie")
    dialog(page).get_by_role("button", name="Save", exact=True).click()
    expect(toast(page)).to_contain_text("details changed")
    assert house.now(client).stage_owner == "user:jimmie"
