"""The board over plain HTTP under a host name, in other time zones, translated, and after a lost network."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Route, expect

from atlas_stage.local.serving.gateway import gateway
from tests.board.conftest import House, OpenPage, SignIn, enter
from tests.board.looks import card, column, decide, drawer, move_dialog

# Does to texts what a browser's translator does: replaces each text by a translated copy in other elements.
TRANSLATOR = """
const translate = (node) => {
  if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) return;
  const around = node.parentElement;
  if (!around || around.closest("font, script")) return;
  if (around.closest("[translate]")?.getAttribute("translate") === "no") return;
  const outer = document.createElement("font");
  const inner = outer.appendChild(document.createElement("font"));
  inner.textContent = node.data;
  node.replaceWith(outer);
};
const all = () => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) found.push(texts.currentNode);
  found.forEach(translate);
};
addEventListener("DOMContentLoaded", () => {
  new MutationObserver(all).observe(document.body, { childList: true, subtree: true, characterData: true });
  all();
});
"""


def test_a_client_moves_over_plain_http_under_a_host_name(open_page: OpenPage, house: House) -> None:
    client = house.client()
    page = open_page(house.stack.url.replace("127.0.0.1", "office-server"))
    assert page.evaluate("isSecureContext") is False
    expect(page.get_by_text("Not encrypted.")).to_be_visible()
    enter(page, house.stack.token())
    expect(page.get_by_text("Not encrypted")).to_be_visible()
    move_dialog(page, client)
    decide(page, "EOM close", "in the office")
    expect(card(column(page, "EOM close"), client)).to_be_visible()


def test_nothing_is_said_of_encryption_where_the_browser_trusts_the_address(
    sign_in: SignIn,
) -> None:
    expect(sign_in().get_by_text("Not encrypted")).to_have_count(0)


@pytest.mark.parametrize(
    "path", [*(pytest.param(each, marks=pytest.mark.slow) for each in ("/board", "/board/")), "/board?view=queue"]
)
def test_the_boards_own_address_opens_it(sign_in: SignIn, path: str) -> None:
    page = sign_in(path=path)
    assert page.url.endswith(path)


def test_a_program_gets_the_document_at_the_root(house: House) -> None:
    assert httpx.get(house.stack.url, trust_env=False).json()["openapi"] == "3.0.3"


def test_a_translated_page_shows_current_stages_and_counts(open_page: OpenPage, house: House) -> None:
    client = house.client("Translated")
    page = open_page()
    page.add_init_script(TRANSLATOR)
    page.reload()
    expect(page.locator("font").first).to_be_attached()
    enter(page, house.stack.token())
    count = column(page, "EOM close").locator(".count")
    before = int(count.inner_text().split()[0])
    drawer(page, client)
    house.move(client, "eom_close")
    expect(page.locator(".stage-name")).to_have_text("EOM close")
    page.keyboard.press("Escape")
    expect(count).to_contain_text(str(before + 1))


def test_due_times_follow_the_servers_clock(sign_in: SignIn, house: House) -> None:
    client = house.client("Due", "weekly", "eom_close")
    house.admin.update_client(client.id, owner="user:clock")
    page = sign_in("user:clock")
    page.clock.set_system_time(datetime.now(UTC) + timedelta(days=40))
    page.reload()
    page.get_by_role("button", name="My queue").click()
    expect(page.get_by_role("listitem").filter(has_text=client.name)).to_contain_text("due in 9 days")


def test_times_are_the_firms(sign_in: SignIn, house: House) -> None:
    client = house.client("Elsewhere")
    page = sign_in(timezone_id="Asia/Tokyo")
    opened = drawer(page, client)
    zone = house.admin.summary().time_zone
    at = house.admin.stage_history(client.id)[-1].occurred_at.astimezone(ZoneInfo(zone))
    expect(opened).to_contain_text(f"Times are in the firm's time zone, {zone}.")
    expect(opened.get_by_role("listitem").first.locator("time")).to_contain_text(
        f"{at:%b} {at.day}, {at.year}, {at.hour % 12 or 12}:{at:%M}"
    )


@pytest.mark.parametrize(
    "module",
    [*(pytest.param(each, marks=pytest.mark.slow) for each in ("app.js", "vendor/preact.js")), "views/columns.js"],
)
def test_a_module_that_failed_to_load_is_loaded_again(open_page: OpenPage, module: str) -> None:
    page = open_page()
    page.route(f"**/board/{module}", lambda route: route.abort(), times=1)
    page.reload()
    expect(page.get_by_label("Your token")).to_be_visible()


def test_a_page_that_never_starts_says_so(open_page: OpenPage) -> None:
    page = open_page()
    message = page.get_by_text("The board can't be loaded.")
    expect(page.get_by_label("Your token")).to_be_visible()
    expect(message).to_be_hidden()

    page.route("**/board/start.js", lambda route: route.abort())
    page.reload()
    expect(message).to_be_visible()
    page.unroute("**/board/start.js")
    page.get_by_role("link", name="reload the page").click()
    expect(page.get_by_label("Your token")).to_be_visible()
    expect(message).to_be_hidden()


@pytest.mark.slow  # waits 8 s; a module that failed to load is loaded again above
def test_the_report_is_loaded_again_after_a_lost_network(sign_in: SignIn) -> None:
    page = sign_in()
    failed: list[str] = []

    def fail_twice(route: Route) -> None:
        failed.append(route.request.url)
        if len(failed) <= 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/board/views/chart.js", fail_twice)
    page.get_by_role("button", name="Close report").click()
    expect(page.get_by_role("heading", name="The close of")).to_be_visible()
    assert len(failed) > 2


def test_serving_on_all_addresses_prints_one_that_colleagues_can_open(house: House) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="atlas-http-") as folder,
        gateway(house.stack.dsn, Path(folder), 0, lambda _: None, pool=1, host="0.0.0.0") as served,
    ):
        assert "127.0.0.1" in served.url
        assert not served.public.startswith(("http://127.", "http://0.0.0.0"))
        assert httpx.get(f"{served.public}/healthz", trust_env=False).status_code == 200
