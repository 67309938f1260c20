"""Moves, flags, fields and rollbacks on the page, and how refusals are shown."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.board.conftest import House, SignIn
from tests.board.looks import card, choose, column, decide, dialog, drawer, move_dialog
from tests.support.stack import ADMIN

BOOKKEEPER = "user:ledger-bookkeeper-1"


def test_a_move_by_the_menu_is_made_with_its_reason(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    move_dialog(page, client)
    decide(page, "EOM close", "May is over")

    expect(card(column(page, "EOM close"), client)).to_be_visible()
    row = house.admin.stage_history(client.id)[-1]
    assert (row.to_stage, row.reason, row.actor_id) == ("eom_close", "May is over", ADMIN)


def test_a_move_by_dragging_asks_for_the_reason_first(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    page.wait_for_load_state("networkidle")
    card(page, client).drag_to(column(page, "Cleanup"))
    expect(dialog(page).get_by_role("radio", name="Cleanup")).to_be_checked()
    assert house.now(client).stage == "weekly"

    decide(page, "Cleanup", "old books turned up")
    expect(card(column(page, "Cleanup"), client)).to_be_visible()


def test_a_drag_to_a_forbidden_stage_moves_nothing(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    page.wait_for_load_state("networkidle")
    card(page, client).drag_to(column(page, "EOM review"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(card(column(page, "Weekly"), client)).to_be_visible()


def test_only_the_moves_that_the_database_allows_are_offered(sign_in: SignIn, house: House) -> None:
    client = house.client()
    house.admin.grant_permission(actor_id=BOOKKEEPER, permission="can_set_stage", scope={"to": ["eom_close"]})
    page = sign_in(BOOKKEEPER)
    move_dialog(page, client)
    expect(dialog(page).get_by_role("radio", name="EOM close")).to_be_visible()
    expect(dialog(page).get_by_role("radio")).to_have_count(1)


def test_a_refused_move_shows_the_servers_text_and_keeps_what_was_typed(sign_in: SignIn, house: House) -> None:
    client = house.client()
    grant = house.admin.grant_permission(actor_id="user:gone", permission="can_set_stage").permission
    page = sign_in("user:gone")
    move_dialog(page, client)
    expect(dialog(page).get_by_role("radio", name="Cleanup")).to_be_visible()
    house.admin.revoke_permission(grant.id)
    decide(page, "Cleanup", "not any more")

    refusal = dialog(page).get_by_role("alert")
    expect(refusal).to_have_text("You need permission to move and change clients. Ask an admin for it.")
    expect(dialog(page).get_by_label("Why")).to_have_value("not any more")
    assert house.now(client).stage == "weekly"


def test_a_conflict_shows_what_changed_and_by_whom_and_can_be_looked_at_again(sign_in: SignIn, house: House) -> None:
    client = house.client()
    house.admin.grant_permission(actor_id="user:second", permission="can_set_stage")
    first, second = sign_in(), sign_in("user:second")
    # the first page doesn't hear of the other change: a dialog that does has other stages
    first.route("**/rpc/changes*", lambda route: route.abort())
    move_dialog(first, client).get_by_label("Why").fill("mine")
    move_dialog(second, client)
    decide(second, "EOM close", "I was faster")
    expect(second.get_by_role("dialog")).to_have_count(0)

    dialog(first).get_by_role("radio", name="Cleanup").check()
    dialog(first).get_by_role("button", name="Move", exact=True).click()
    conflict = dialog(first).get_by_role("alert")
    for words in ("after you opened it", "Weekly → EOM close", "second", "I was faster"):
        expect(conflict).to_contain_text(words)

    conflict.get_by_role("button", name="Look again").click()
    expect(dialog(first).get_by_label("Why")).to_have_value("mine")
    decide(first, "EOM review", "decided again")
    expect(card(column(first, "EOM review"), client)).to_be_visible()


def test_after_a_conflict_the_choice_is_made_again(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    page.route("**/rpc/changes*", lambda route: route.abort())
    move_dialog(page, client)
    dialog(page).get_by_role("radio", name="EOM close").check()
    expect(dialog(page).get_by_label("Month of the close")).to_be_visible()
    house.move(client, "paused_client")
    decide(page, "EOM close", "too late")

    expect(dialog(page).get_by_role("alert")).to_contain_text("after you opened it")
    expect(dialog(page).get_by_role("radio", name="EOM close")).to_have_count(0)
    expect(dialog(page).get_by_label("Month of the close")).to_have_count(0)
    dialog(page).get_by_role("button", name="Look again").click()
    expect(dialog(page).get_by_role("radio").first).to_be_focused()


def test_a_move_whose_answer_was_lost_is_sent_again_and_done_once(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()

    def lose_the_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/rpc/set_stage", lose_the_answer, times=1)
    move_dialog(page, client)
    decide(page, "EOM close", "once")
    expect(card(column(page, "EOM close"), client)).to_be_visible()
    assert house.now(client).version == client.version + 1


def test_a_client_is_deselected_by_its_change_and_others_stay_selected(sign_in: SignIn, house: House) -> None:
    moved, other = house.client("Leaves", "cleanup"), house.client("Remains", "cleanup")
    page = sign_in(path="/?stage=cleanup")
    selected = page.get_by_role("region", name="Selected clients")
    choose(page, moved, other)
    move_dialog(page, moved)
    decide(page, "Weekly", "all there")
    expect(selected).to_contain_text("1 selected")

    selected.get_by_role("button", name="Move…").click()
    expect(dialog(page).get_by_role("heading", name=f"Move {other.name}")).to_be_visible()
    decide(page, "Weekly", "all there")
    expect(selected).to_have_count(0)


def test_many_are_moved_in_one_call_and_the_refused_are_listed(sign_in: SignIn, house: House) -> None:
    ready, gone = house.client("Ready"), house.client("Gone")
    page = sign_in()
    calls = _calls(page, "set_stages")
    choose(page, ready, gone)
    page.get_by_role("region", name="Selected clients").get_by_role("button", name="Move…").click()
    expect(dialog(page).get_by_role("radio", name="EOM close")).to_be_visible()
    house.move(gone, "cleanup")
    decide(page, "EOM close", "month end")

    outcomes = dialog(page)
    expect(outcomes.get_by_role("heading", name="1 of 2 clients done")).to_be_visible()
    expect(outcomes.get_by_role("listitem").filter(has_text=ready.name)).to_have_count(0)
    refused = outcomes.get_by_role("listitem").filter(has_text=gone.name).first
    expect(refused).to_contain_text(f"Someone changed {gone.name}")
    assert (house.now(ready).stage, house.now(gone).stage) == ("eom_close", "cleanup")
    assert len(calls) == 1


def test_many_are_flagged_in_one_call(sign_in: SignIn, house: House) -> None:
    both = [house.client("Waiting"), house.client("Waiting")]
    page = sign_in()
    calls = _calls(page, "set_flags")
    choose(page, *both)
    page.get_by_role("button", name="Set a flag…").click()
    decide(page, "Client blocking", "statements missing", "Set the flag")
    done = page.get_by_role("region", name="Last change")
    expect(done).to_contain_text("2 clients now have the flag client blocking.")
    assert [house.now(client).flags for client in both] == [("client_blocking",)] * 2
    assert len(calls) == 1


def test_a_flag_is_cleared_in_the_drawer(sign_in: SignIn, house: House) -> None:
    client = house.client()
    house.admin.set_flag(client.id, flag="client_blocking")
    page = sign_in()
    drawer(page, client).get_by_role("button", name="Clear client blocking").click()
    dialog(page).get_by_role("button", name="Clear the flag").click()
    expect(page.get_by_role("button", name="Clear client blocking")).to_have_count(0)
    assert house.now(client).flags == ()


def test_one_client_is_signed_off_and_another_sent_back(sign_in: SignIn, house: House) -> None:
    way = ("weekly", "eom_close", "eom_review")
    done, wrong = house.client("Done", *way), house.client("Wrong", *way)
    page = sign_in()
    for client, move, reason in (
        (done, "Sign off", "all there"),
        (wrong, "Send back", "one gap"),
    ):
        opened = drawer(page, client)
        moves = opened.get_by_role("group", name="Moves")
        moves.get_by_role("button", name=move).click()
        dialog(page).get_by_label("Why").fill(reason)
        dialog(page).get_by_role("button", name=move, exact=True).click()
        expect(opened.get_by_role("listitem").filter(has_text=reason)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    assert (house.now(done).stage, house.now(wrong).stage) == ("weekly", "eom_close")


def test_a_change_is_rolled_back_from_the_history(sign_in: SignIn, house: House) -> None:
    client = house.client("Back", "weekly", "eom_close")
    page = sign_in()
    opened = drawer(page, client)
    row = opened.get_by_role("listitem").filter(has_text="Weekly → EOM close")
    row.get_by_role("button", name="Roll back…").click()
    dialog(page).get_by_label("Why").fill("too early")
    dialog(page).get_by_role("button", name="Roll back", exact=True).click()
    expect(opened.get_by_role("listitem").filter(has_text="too early")).to_contain_text("rollback")
    assert house.now(client).stage == "weekly"


def test_fields_are_edited_and_only_what_was_typed_is_sent(sign_in: SignIn, house: House) -> None:
    client = house.client()
    house.admin.update_client(client.id, notes="keep me")
    page = sign_in()
    opened = drawer(page, client)
    opened.get_by_label("Owner").fill("user:anna")
    opened.get_by_label("Reviewers").fill("user:jimmie, user:anna")
    opened.get_by_role("button", name="Save").click()
    opened.get_by_role("button", name="Save anyway").click()  # nobody knows Anna yet
    expect(opened.get_by_role("listitem").first).to_contain_text("nothing → anna")
    now = house.now(client)
    assert (now.stage_owner, now.stage_notes) == ("user:anna", "keep me")
    assert set(now.eligible_reviewers or ()) == {"user:anna", "user:jimmie"}


def test_a_field_that_another_actor_changed_meanwhile_is_not_overwritten(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    opened = drawer(page, client)
    opened.get_by_label("Notes").fill("mine")
    house.admin.update_client(client.id, notes="theirs", reason="the owner called")
    opened.get_by_role("button", name="Save").click()
    expect(opened.get_by_role("alert")).to_contain_text("the owner called")
    assert house.now(client).stage_notes == "theirs"

    opened.get_by_role("button", name="Look again").click()
    expect(opened.get_by_label("Why (optional)")).to_be_focused()
    expect(opened.get_by_label("Notes")).to_have_value("mine")
    opened.get_by_role("button", name="Save").click()
    expect(opened.get_by_label("Why (optional)")).to_have_count(0)
    assert house.now(client).stage_notes == "mine"


def test_an_actor_without_permissions_is_offered_no_changes(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in("user:looks-on")
    opened = drawer(page, client)
    expect(opened.get_by_text("You don't have permission to move this client")).to_be_visible()
    expect(opened.get_by_role("textbox")).to_have_count(0)


def test_no_reason_is_asked_where_nothing_can_be_changed(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in("user:looks-on")
    card(page, client).focus()
    for key, text in (("m", "You don't have permission to move this client"), ("f", "There are no flags here")):
        page.keyboard.press(key)
        expect(dialog(page).get_by_text(text)).to_be_visible()
        expect(dialog(page).get_by_role("textbox")).to_have_count(0)
        expect(dialog(page).get_by_role("button")).to_have_text(["✕", "Close"])
        page.keyboard.press("Escape")


def _calls(page: Page, function: str) -> list[str]:
    """The later requests for a function."""
    made: list[str] = []
    page.on(
        "request",
        lambda asked: made.append(asked.url) if asked.url.endswith(f"/{function}") else None,
    )
    return made
