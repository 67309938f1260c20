"""Finding clients: keys that work everywhere, one-click and saved views, counts, the queue, the phone."""

from __future__ import annotations

import psycopg
import pytest
from playwright.sync_api import Page, expect

from atlas_stage.models import Client
from tests.board.conftest import House, SignIn
from tests.board.looks import card, column, dialog, drawer
from tests.support.stack import ADMIN

OLD = "2020-01"


@pytest.fixture(scope="module")
def late(house: House) -> Client:
    """A client of user:ana that is late: the month of its close is long over."""
    client = house.client("Latecomer")
    house.admin.update_client(client.id, owner="user:ana")
    return house.admin.set_stage(
        client.id,
        to_stage="eom_close",
        reason="opened late",
        expected_version=house.now(client).version,
        close_period=OLD,
    ).client


def test_slash_and_question_mark_work_right_after_signing_in(sign_in: SignIn) -> None:
    page = sign_in()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.get_by_role("combobox", name="Owner")).to_be_focused()
    page.get_by_role("button", name="My queue").click()
    page.keyboard.press("?")
    expect(dialog(page).get_by_role("heading", name="Help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


@pytest.mark.parametrize("key", ["Enter", "ArrowDown"])
def test_one_key_goes_from_the_search_box_to_its_result(sign_in: SignIn, house: House, key: str) -> None:
    client = house.client("Sought")
    page = sign_in()
    page.keyboard.press("/")
    page.keyboard.type(f"sought {client.name.split()[-1]}")
    page.keyboard.press(key)
    expect(card(page, client)).to_be_focused()


def test_letters_work_on_a_cards_first_tab_stop(sign_in: SignIn, house: House) -> None:
    client = house.client("Stop")
    page = sign_in(path=f"/?search=stop {client.name.split()[-1]}")
    box = page.get_by_role("checkbox", name=f"Select {client.name}")
    box.focus()
    page.keyboard.press("x")
    expect(box).to_be_checked()
    page.keyboard.press("f")
    expect(dialog(page).get_by_role("heading", name="Set a flag")).to_be_visible()
    page.keyboard.press("Escape")
    box.focus()
    page.keyboard.press("m")
    expect(dialog(page).get_by_role("heading", name=f"Move {client.name}")).to_be_visible()


def test_letters_work_in_the_queue_and_the_drawer(sign_in: SignIn, house: House) -> None:
    client = house.client("Queued")
    house.admin.update_client(client.id, owner=ADMIN)
    page = sign_in(path="/?view=queue")
    card(page, client).focus()
    page.keyboard.press("m")
    expect(dialog(page).get_by_role("heading", name=f"Move {client.name}")).to_be_visible()
    page.keyboard.press("Escape")
    drawer(page, client).get_by_role("button", name="Close", exact=True).focus()
    page.keyboard.press("f")
    expect(dialog(page).get_by_role("heading", name=f"Set a flag on {client.name}")).to_be_visible()


def test_single_keys_can_be_turned_off(sign_in: SignIn) -> None:
    page = sign_in()
    page.get_by_role("button", name="Keyboard and help").click()
    page.get_by_label("Turn off single keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_my_late_clients_are_one_click_away(sign_in: SignIn, house: House, late: Client) -> None:
    mine, other = house.client("Mine"), house.client("Other")
    house.admin.update_client(mine.id, owner="user:ana")
    page = sign_in("user:ana")
    view = page.get_by_role("button", name="My late", exact=True)
    view.click()
    expect(view).to_have_attribute("aria-pressed", "true")
    expect(card(page, late)).to_be_visible()
    expect(card(page, mine)).to_have_count(0)
    page.get_by_role("button", name="Mine", exact=True).click()
    expect(card(page, mine)).to_be_visible()
    expect(card(page, other)).to_have_count(0)

    page.get_by_role("button", name="Mine", exact=True).click()
    expect(card(page, other)).to_be_visible()


def test_waiting_on_the_client_is_a_view(sign_in: SignIn, house: House) -> None:
    waiting = house.client("Waits")
    waiting = house.admin.set_stage(
        waiting.id,
        to_stage="eom_close",
        reason="late",
        expected_version=waiting.version,
        close_period=OLD,
    ).client
    house.admin.set_flag(waiting.id, flag="client_blocking")
    page = sign_in()
    page.get_by_role("button", name="Waiting on client", exact=True).click()
    shown = page.locator("[data-card]")
    expect(shown).to_have_count(1)
    # One fact, one badge: the flag is why it waits.
    expect(shown.locator(".badge")).to_have_text(["waiting on client"])


def test_a_view_is_saved_under_a_name_and_its_address_opens_it(sign_in: SignIn, house: House, late: Client) -> None:
    page = sign_in()
    page.get_by_role("combobox", name="Owner").select_option("is user:ana")
    expect(card(page, late)).to_be_visible()
    address = page.url
    page.get_by_text("Save view").click()
    page.get_by_label("Name").fill("Ana's clients")
    page.get_by_role("button", name="Save in this browser").click()
    page.get_by_role("button", name="Clear filters").click()
    page.reload()
    page.get_by_role("button", name="Ana's clients", exact=True).click()
    assert page.url == address
    expect(card(page, late)).to_be_visible()
    page.get_by_role("button", name="Remove the view Ana's clients").click()
    expect(page.get_by_role("button", name="Ana's clients", exact=True)).to_have_count(0)


def test_the_counts_of_filters_follow_the_filters(sign_in: SignIn, house: House) -> None:
    for _ in range(3):
        house.admin.set_flag(house.client("Counted").id, flag="advisory_due")
    house.admin.set_flag(house.client("Elsewhere").id, flag="advisory_due")
    page = sign_in(path="/?search=counted")
    flags = page.get_by_role("combobox", name="Flag").locator("option")
    expect(flags.filter(has_text="Advisory due")).to_have_text("Advisory due (3)")
    page.get_by_role("button", name="Clear filters").click()
    expect(flags.filter(has_text="Advisory due")).to_have_text("Advisory due (4)")


def test_the_queue_tells_its_true_length(sign_in: SignIn, house: House) -> None:
    with psycopg.connect(house.stack.dsn) as db:
        db.execute("select rules.act_as(%s)", (ADMIN,))
        db.execute(
            "insert into clients (name, slug, stage_owner)"
            " select 'Row ' || n, 'row-' || n, 'user:busy' from generate_series(1, 130) n"
        )
    page = sign_in("user:busy", path="/?view=queue")
    expect(page.get_by_text("130 clients, most pressing first.")).to_be_visible()
    rows = page.get_by_role("main").get_by_role("listitem")
    expect(rows).to_have_count(40)
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(80)


def test_a_phone_opens_on_the_stage_with_the_first_late_client(sign_in: SignIn, house: House, late: Client) -> None:
    page = sign_in(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(column(page, "EOM close")).to_be_in_viewport(ratio=0.8)


def test_a_client_over_its_limit_is_not_8_of_8_days(sign_in: SignIn, house: House) -> None:
    client = house.client("Tight", "weekly", "eom_close", "eom_review")
    with psycopg.connect(house.stack.dsn) as db:
        db.execute("set session_replication_role = replica")
        db.execute(
            "update clients set stage_entered_at = now() - interval '3 days 1 hour' where id = %s",
            (client.id,),
        )
    page: Page = sign_in(path=f"/?search=tight {client.name.split()[-1]}")
    expect(page.locator("[data-card]")).to_contain_text("over 3 days")


def test_a_mistyped_name_is_suggested(sign_in: SignIn, house: House) -> None:
    client = house.client("Thistledown Bookbinders")
    page = sign_in(path="/?search=thisledown bokbinders")
    page.get_by_role("button", name=client.name).click()
    expect(card(page, client)).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value(client.name)
