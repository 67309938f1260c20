"""The pictures of docs/bookkeeper.md. With ATLAS_PICTURES=docs they are written there."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from atlas_stage.ops import resources
from tests.board.conftest import House, SignIn
from tests.board.looks import card, decide, dialog, move_dialog

BOOKKEEPER = "user:ana"
PICTURES = ("morning", "move", "undo", "review", "people", "firm", "activity")
SIZE = {"width": 1000, "height": 600}
FIRM = {
    "cleanup": ("Oak & Iron Carpentry",),
    "weekly": ("Quillfeather Bookshop", "Café Ñandú", "Harbor Lane Dental"),
    "eom_close": ("Amber Lane Florists", "Bayou City Plumbing"),
    "eom_review": ("Birch Hollow Veterinary",),
}
WAYS = {
    "cleanup": (),
    "weekly": ("weekly",),
    "eom_close": ("weekly", "eom_close"),
    "eom_review": ("weekly", "eom_close", "eom_review"),
}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return resources.root() / os.environ.get("ATLAS_PICTURES", str(tmp_path))


def test_the_pictures_of_the_guide(sign_in: SignIn, house: House, pictures: Path) -> None:
    with_stages = [(stage, name) for stage, names in FIRM.items() for name in names]
    made = {}
    for number, (stage, name) in enumerate(with_stages):
        client = house.admin.create_client(name, slug=f"firm-{number}", stage="cleanup", owner=BOOKKEEPER).client
        for step in WAYS[stage]:
            client = house.move(client, step)
        made[name] = client
    late = house.admin.create_client("Alder & Finch Coffee", slug="firm-late", stage="weekly", owner=BOOKKEEPER).client
    house.admin.set_stage(
        late.id,
        to_stage="eom_close",
        reason="opened late",
        expected_version=late.version,
        close_period="2026-01",
    )
    house.admin.set_flag(made["Bayou City Plumbing"].id, flag="client_blocking")
    for permission in ("can_set_stage", "can_set_flag", "can_sign_off_eom_review"):
        house.admin.grant_permission(actor_id=BOOKKEEPER, permission=permission)

    page = sign_in(
        BOOKKEEPER,
        path=f"/?stage={','.join(FIRM)}&owner={BOOKKEEPER}",
        viewport=SIZE,
    )
    expect(card(page, late)).to_be_visible()
    expect(page.get_by_role("button", name="Sign off")).to_be_visible()
    _picture(page, pictures, "morning")

    client = made["Quillfeather Bookshop"]
    move_dialog(page, client).get_by_role("radio", name="EOM close").check()
    dialog(page).get_by_label("Why").fill("All bank feeds are in")
    _picture(page, pictures, "move")
    decide(page, "EOM close", "All bank feeds are in")
    expect(page.get_by_role("region", name="Last change")).to_be_visible()
    _picture(page, pictures, "undo")

    page.get_by_role("button", name="Close this message").click()
    page.get_by_role("button", name="Sign off Birch Hollow Veterinary").click()
    dialog(page).get_by_label("Why").fill("Reconciled, all questions answered")
    _picture(page, pictures, "review")
    guide = (resources.root() / "docs" / "bookkeeper.md").read_text()
    assert all(f"(bookkeeper-{name}.png)" in guide for name in PICTURES)


def test_the_pictures_of_the_admins_pages(sign_in: SignIn, house: House, pictures: Path) -> None:
    for actor, role in {
        "user:ana": "bookkeeper",
        "user:ben": "reviewer",
        "user:cara": "bookkeeper",
    }.items():
        house.admin.set_role(actor, role)
    for number, name in enumerate(("Juniper Yoga", "Marlow Books", "Pine Street Pharmacy")):
        house.admin.create_client(name, slug=f"cover-{number}", owner="user:cara")
    until = date.today() + timedelta(days=24)
    house.admin.hand_over("user:cara", "user:ben", "on vacation", until=until.isoformat())

    page = sign_in(path="/?view=people", viewport=SIZE)
    expect(page.get_by_role("region", name="Vacation cover")).to_contain_text("ben covers for cara")
    _picture(page, pictures, "people")
    page.get_by_role("button", name="Firm", exact=True).click()
    page.get_by_role("heading", name="Stages and moves").evaluate(
        "it => { it.closest('main').scrollTop = it.offsetTop - 70; }"
    )
    _picture(page, pictures, "firm")
    page.get_by_role("button", name="Activity", exact=True).click()
    expect(page.locator(".activity > li").first).to_contain_text("from cara to ben until")
    _picture(page, pictures, "activity")


def _picture(page: Page, folder: Path, name: str) -> None:
    page.mouse.move(0, 0)
    page.screenshot(path=folder / f"bookkeeper-{name}.png", animations="disabled", caret="hide")
