"""Names that contain markup, templates or unusual scripts."""

from __future__ import annotations

import psycopg
from playwright.sync_api import expect

from atlas_stage.models import Client
from tests.board.conftest import House, SignIn
from tests.board.looks import card, dialog, drawer
from tests.support.stack import ADMIN

NAMES = {
    "markup": '<img src=x onerror="window.ran=1"><script>window.ran=1</script><b>bold</b>',
    "template": "${window.ran=1} {{window.ran=1}} %3Cscript%3E &lt;b&gt;",
    "right to left": "مؤسسة النور للمحاسبة \u202egnp.exe",
    "emoji": "🦊 Fox & Friends 👩‍👩‍👧",
    "long": "Very long name " * 19 + "of 300 letters.",
}


def named(house: House, name: str) -> Client:
    """A client with this name, inserted by Atlas's own program."""
    with psycopg.connect(house.stack.dsn) as db:
        row = db.execute(
            "insert into clients (name, slug) values (%s, gen_random_uuid()::text) returning id",
            (name,),
        ).fetchone()
    assert row is not None
    return house.admin.client(row[0]).client


def test_a_name_is_shown_and_never_run(sign_in: SignIn, house: House) -> None:
    clients = {kind: named(house, name) for kind, name in NAMES.items()}
    for client in clients.values():
        house.admin.update_client(client.id, owner="user:<b>x</b>", notes="<b>x</b>", reason="<b>x</b>")
    page = sign_in()
    for kind, client in clients.items():
        expect(card(page, client), kind).to_be_visible()
        opened = drawer(page, client)
        expect(opened.get_by_role("listitem").filter(has_text="<b>x</b>").first, kind).to_be_visible()
        assert page.evaluate("window.ran") is None, kind
        planted = page.locator("main b, main script, main img, dialog b, dialog script, dialog img")
        assert planted.count() == 0, kind
        page.keyboard.press("Escape")
        expect(opened, kind).to_be_hidden()


def test_a_long_name_leaves_the_page_in_its_width(sign_in: SignIn, house: House) -> None:
    client = named(house, "W" * 300)
    page = sign_in(viewport={"width": 390, "height": 800})
    drawer(page, client)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert dialog(page).evaluate("it => it.scrollWidth <= it.clientWidth")


def test_a_person_has_one_name_and_the_whole_id_as_its_title(sign_in: SignIn, house: House) -> None:
    client = house.client("Named", "weekly", "eom_close")
    house.admin.update_client(client.id, owner="agent:jimmie")
    house.admin.update_client(client.id, owner=ADMIN)
    for path in ("/", "/?view=queue", "/?view=report", "/?view=people", "/?view=activity", f"/?client={client.id}"):
        page = sign_in(path=path)
        expect(page.locator("main, dialog").get_by_title(ADMIN, exact=True).first, path).to_have_text("jimmie")
        expect(page.get_by_text(ADMIN).filter(visible=True), path).to_have_count(0)
    expect(dialog(page).get_by_role("listitem").first).to_contain_text("owner agent:jimmie → jimmie")
