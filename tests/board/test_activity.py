"""The firm's activity on the board: sentences, newest first, with filters and Undo."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.board.conftest import House, SignIn
from tests.board.looks import dialog
from tests.board.test_undo import toast


def activity(page: Page) -> Page:
    page.get_by_role("navigation", name="Views").get_by_role("button", name="Activity").click()
    expect(page.get_by_role("heading", name="Activity")).to_be_visible()
    expect(page.get_by_text("Loading…")).to_have_count(0)
    return page


def lines(page: Page) -> Locator:
    return page.locator(".activity > li")


def test_each_change_is_a_sentence(sign_in: SignIn, house: House) -> None:
    client = house.client("Birch Bakery")
    house.admin.set_flag(client.id, flag="client_blocking", reason="no bank feed")
    house.move(house.now(client), "eom_close", "the month ends")
    page = activity(sign_in())

    first = lines(page).first
    expect(first).to_contain_text(f"jimmie moved {client.name} from Weekly to EOM close for")
    expect(first).to_contain_text(": the month ends")
    expect(lines(page).nth(1)).to_contain_text(f"jimmie set the flag client blocking on {client.name}: no bank feed")
    first.get_by_role("button", name=client.name).click()
    expect(page.get_by_role("dialog", name=client.name)).to_be_visible()


def test_it_is_filtered_by_person_client_and_day(sign_in: SignIn, house: House) -> None:
    one, other = house.client("Filter Alpha"), house.client("Filter Beta")
    page = activity(sign_in())
    page.get_by_label("Client").fill("filter alp")
    page.get_by_label("Client").press("Enter")
    expect(lines(page)).to_have_count(2)
    expect(page.get_by_text(other.name)).to_have_count(0)
    expect(page.get_by_label("Client")).to_have_value(one.name)

    page.get_by_label("Person").fill("nobody")
    page.get_by_label("Person").press("Enter")
    expect(page.get_by_text("No changes found.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("No changes found.")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    expect(lines(page).filter(has_text=other.name).first).to_be_visible()
    page.get_by_label("Day").fill("2026-01-05")
    expect(page.get_by_text("No changes found.")).to_be_visible()


@pytest.mark.parametrize("label", ["Client", "Person"])
def test_what_is_typed_stays_while_changes_come_in(sign_in: SignIn, house: House, label: str) -> None:
    client = house.client("Typing")
    page = activity(sign_in())
    page.get_by_label(label).press_sequentially("filter a")
    house.admin.set_flag(client.id, flag="advisory_due", reason="meanwhile")
    expect(lines(page).first).to_contain_text("meanwhile", timeout=30_000)
    expect(page.get_by_label(label)).to_have_value("filter a")


def test_an_answer_that_comes_late_does_not_replace_that_of_a_newer_filter(sign_in: SignIn, house: House) -> None:
    one, other = house.client("Late Alpha"), house.client("Late Beta")
    page = activity(sign_in())
    held: list[Route] = []
    page.route(
        "**/rpc/activity*",
        lambda route: route.continue_() if "client_id" in (route.request.post_data or "") else held.append(route),
    )
    house.admin.set_flag(other.id, flag="advisory_due")
    while not held:
        page.wait_for_timeout(100)
    page.get_by_label("Client").fill(one.name)
    page.get_by_label("Client").press("Enter")
    expect(lines(page)).to_have_count(2)

    with page.expect_response(held[0].request.url):
        held[0].continue_()
    page.wait_for_timeout(300)
    expect(lines(page)).to_have_count(2)


def test_older_changes_are_shown_on_demand(sign_in: SignIn, house: House) -> None:
    client = house.client("Many Changes")
    for _ in range(30):
        house.admin.set_flag(client.id, flag="advisory_due")
        house.admin.clear_flag(client.id, flag="advisory_due")
    page = activity(sign_in())
    expect(lines(page)).to_have_count(50)
    page.get_by_role("button", name="Show older").click()
    expect(lines(page).nth(60)).to_be_visible()


def test_an_own_new_change_is_undone_and_an_older_one_rolled_back(sign_in: SignIn, house: House) -> None:
    client = house.client("Undone")
    house.admin.grant_permission(actor_id="user:mia", permission="can_set_stage")
    house.move(client, "cleanup", "by mistake")
    page = activity(sign_in())
    lines(page).first.get_by_role("button", name="Undo", exact=True).click()
    expect(toast(page)).to_contain_text(f"Undone: {client.name} is now in Weekly.")
    expect(lines(page).first).to_contain_text(f"undid a change: moved {client.name} from Cleanup")
    expect(lines(page).nth(1)).to_contain_text("undone")

    with house.stack.stage("user:mia") as mia:
        mia.move(client.id, "cleanup", "hers")
    mine = lines(page).filter(has_text="hers")
    mine.get_by_role("button", name="Roll back…").click()
    dialog(page).get_by_label("Why").fill("not yet")
    dialog(page).get_by_role("button", name="Roll back", exact=True).click()
    expect(lines(page).first).to_contain_text("not yet")
    assert house.now(client).stage == "weekly"


def test_a_viewer_reads_it_without_buttons(sign_in: SignIn, house: House) -> None:
    client = house.client("Read Only")
    page = activity(sign_in("user:viewer"))
    expect(lines(page).filter(has_text=client.name).first).to_be_visible()
    expect(page.get_by_role("button", name="Roll back…")).to_have_count(0)


def test_a_bulk_change_is_one_line_and_undone_at_once(sign_in: SignIn, house: House) -> None:
    clients = [house.client(f"Bulk {n}") for n in range(3)]
    house.admin.grant_permission(actor_id="user:mia", permission="can_set_stage")
    with house.stack.stage("user:mia") as mia:
        mia.set_stages(
            [
                {"client_id": each.id, "to_stage": "cleanup", "reason": "a slip", "expected_version": each.version}
                for each in clients
            ]
        )
    page = activity(sign_in("user:mia"))
    first = lines(page).first
    expect(first).to_contain_text("moved 3 clients from Weekly to Cleanup: a slip")
    first.get_by_text("Which clients").click()
    for each in clients:
        expect(first.get_by_role("button", name=each.name)).to_be_visible()

    first.get_by_role("button", name="Undo all").click()
    expect(toast(page)).to_contain_text("Undone for 3 clients.")
    expect(lines(page).first).to_contain_text("undid a change: moved 3 clients from Cleanup to Weekly")
    assert {house.now(each).stage for each in clients} == {"weekly"}
