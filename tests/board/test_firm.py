"""The page of the firm: findings, jobs, settings, holidays, a new client."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.board.conftest import House, SignIn
from tests.board.looks import dialog
from tests.board.test_undo import toast


def firm(page: Page) -> Page:
    page.get_by_role("navigation", name="Views").get_by_role("button", name="Firm").click()
    expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    return page


def test_a_job_is_tried_run_and_taken_back(sign_in: SignIn, house: House) -> None:
    page = firm(sign_in())
    page.get_by_role("button", name="Dry run of flag seasonal").click()
    expect(dialog(page)).to_contain_text("It would change")
    dialog(page).get_by_role("button", name="Close", exact=True).last.click()

    client = house.client("Overdue", "weekly", "eom_close")
    house.admin.set_stage_limit("eom_close", max_days=1)
    with house.database() as db:
        db.execute("set session_replication_role = replica")
        db.execute(
            "update clients set stage_entered_at = now() - interval '3 days' where id = %s",
            [client.id],
        )
    page.reload()
    page.get_by_role("button", name="Run stage stuck detector now").click()
    expect(toast(page)).to_contain_text("stage stuck detector: done, 1 change.")
    assert "stuck" in house.now(client).flags

    page.get_by_text("Last runs").click()
    page.get_by_role("button", name="Roll back run").first.click()
    dialog(page).get_by_label("Why").fill("too early")
    dialog(page).get_by_role("button", name="Roll back", exact=True).click()
    expect(toast(page)).to_contain_text("1 change of stage stuck detector rolled back, 0 kept.")
    assert "stuck" not in house.now(client).flags


def test_settings_and_holidays_are_changed_where_they_are_shown(sign_in: SignIn, house: House) -> None:
    page = firm(sign_in())
    page.get_by_label("Undo minutes").fill("30")
    page.get_by_role("button", name="Save").click()
    expect(toast(page)).to_contain_text("Undo minutes is changed.")
    page.get_by_label("Sales tax due day").fill("31")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Use at least 1 and at most 28.")
    page.get_by_label("Offboarding").fill("40")
    page.get_by_label("Offboarding").press("Enter")
    expect(toast(page)).to_contain_text("Offboarding: 40 days.")
    assert house.admin.settings().settings["undo_minutes"] == 30

    year = house.admin.settings().year
    page.get_by_label("Day", exact=True).fill(f"{year}-07-31")
    page.get_by_role("region", name="Holidays").get_by_label("Name").fill("Moving day")
    page.get_by_role("button", name="Add the holiday").click()
    expect(page.get_by_role("row").filter(has_text="Moving day")).to_be_visible()
    page.get_by_role("button", name="Remove Moving day").click()
    expect(page.get_by_role("row").filter(has_text="Moving day")).to_have_count(0)


def test_a_move_is_allowed_and_removed_and_one_that_is_needed_stays(sign_in: SignIn, house: House) -> None:
    page = firm(sign_in())
    stages = page.get_by_role("region", name="Stages and moves")
    weekly = stages.get_by_role("row").filter(has=page.get_by_role("button", name="Moves from Weekly"))
    expect(weekly).to_contain_text("EOM close · move and change clients · the month ends")

    stages.get_by_role("button", name="Moves from Weekly").click()
    dialog(page).get_by_label("Onboarding", exact=True).select_option("move and change clients")
    dialog(page).get_by_label("Note for Onboarding").press_sequentially("begins again")
    dialog(page).get_by_role("button", name="Save Weekly to Onboarding").click()
    expect(weekly).to_contain_text("Onboarding · move and change clients · begins again")
    dialog(page).get_by_label("EOM close", exact=True).select_option("not allowed")
    dialog(page).get_by_role("button", name="Save Weekly to EOM close").click()
    expect(dialog(page).get_by_role("alert")).to_contain_text(
        "From Weekly to EOM close: it is the only way into a close."
    )
    dialog(page).get_by_label("Onboarding", exact=True).select_option("not allowed")
    dialog(page).get_by_role("button", name="Save Weekly to Onboarding").click()
    expect(weekly).not_to_contain_text("Onboarding")
    expect(dialog(page).get_by_role("alert")).to_have_count(0)
    moves = {(each["from_stage"], each["to_stage"]) for each in house.admin.settings().transitions}
    assert ("weekly", "eom_close") in moves
    assert ("weekly", "onboarding") not in moves


def test_a_client_is_added_and_shown(sign_in: SignIn, house: House) -> None:
    page = firm(sign_in())
    new = page.get_by_role("region", name="Add a client")
    new.get_by_label("Name", exact=True).fill("Zinnia Tailors")
    new.get_by_label("Short name").fill("Zinnia-Tailors")
    new.get_by_role("button", name="Add").click()
    expect(page.get_by_role("dialog", name="Zinnia Tailors")).to_be_visible()
    expect(page.get_by_role("dialog", name="Zinnia Tailors")).to_contain_text("zinnia-tailors")


def test_others_see_it_without_buttons(sign_in: SignIn, house: House) -> None:
    page = firm(sign_in("user:viewer"))
    expect(page.get_by_text("Undo minutes")).to_be_visible()
    expect(page.get_by_label("Undo minutes")).to_have_count(0)
    expect(page.get_by_role("button", name="Dry run of flag seasonal")).to_have_count(0)
