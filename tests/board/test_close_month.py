"""The month of a close: chosen with the move that opens it, and shown wherever the client is."""

from __future__ import annotations

from datetime import date

from playwright.sync_api import expect

from tests.board.conftest import House, SignIn
from tests.board.looks import card, choose, column, decide, dialog, drawer, move_dialog


def in_words(period: str | None) -> str:
    assert period is not None
    return date.fromisoformat(f"{period}-01").strftime("%B %Y")


def test_the_usual_month_is_the_databases(sign_in: SignIn, house: House) -> None:
    client = house.client("Usual")
    page = sign_in()
    move_dialog(page, client)
    expect(dialog(page).get_by_label("Month of the close")).to_have_count(0)
    with page.expect_request("**/rpc/set_stage") as sent:
        decide(page, "EOM close", "month end")
    moved = column(page, "EOM close").get_by_role("listitem").filter(has_text=client.name)
    expect(moved).to_be_visible()
    period = house.now(client).close_period
    assert sent.value.post_data_json["close_period"] == period
    expect(moved).to_contain_text(in_words(period))


def test_a_late_month_can_be_chosen(sign_in: SignIn, house: House) -> None:
    client, other = house.client("Late"), house.client("Other", "weekly", "eom_close")
    usual = house.now(other).close_period
    assert usual is not None
    year, number = map(int, usual.split("-"))
    late = f"{year - (number == 1)}-{(number - 2) % 12 + 1:02}"
    page = sign_in()
    move_dialog(page, client).get_by_role("radio", name="EOM close").check()
    months = dialog(page).get_by_label("Month of the close")
    expect(months).to_have_value(usual)
    months.select_option(label=in_words(late))
    decide(page, "EOM close", "a correction")
    expect(page.get_by_role("region", name="Last change")).to_contain_text(in_words(late))
    assert house.now(client).close_period == late

    opened = drawer(page, client)
    expect(opened.get_by_role("region", name="Stage and flags")).to_contain_text(in_words(late))
    expect(opened.get_by_role("listitem").first).to_contain_text(in_words(late))


def test_one_month_for_many(sign_in: SignIn, house: House) -> None:
    clients = [house.client("Many") for _ in range(2)]
    page = sign_in()
    choose(page, *clients)
    page.get_by_role("button", name="Move…", exact=True).click()
    dialog(page).get_by_role("radio", name="EOM close").check()
    months = dialog(page).get_by_label("Month of the close")
    first = months.locator("option").last.get_attribute("value")
    assert first is not None
    months.select_option(first)
    decide(page, "EOM close", "an old one")
    expect(card(column(page, "EOM close"), clients[0])).to_be_visible()
    assert [house.now(each).close_period for each in clients] == [first, first]


def test_a_close_that_is_sent_back_keeps_its_month(sign_in: SignIn, house: House) -> None:
    client = house.client("Returned", "weekly", "eom_close", "eom_review")
    page = sign_in()
    page.get_by_role("button", name=f"Send back {client.name}").click()
    expect(dialog(page).get_by_role("radio")).to_have_count(0)
    expect(dialog(page).get_by_label("Month of the close")).to_have_count(0)
    dialog(page).get_by_label("Why").fill("a gap")
    dialog(page).get_by_role("button", name="Send back", exact=True).click()
    expect(card(column(page, "EOM close"), client)).to_be_visible()
    assert house.now(client).close_period == client.close_period
