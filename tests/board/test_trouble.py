"""Outages, refusals and timeouts: each has a message, nothing typed is lost, nothing is done twice."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg import sql

from tests.board.conftest import House, OpenPage, SignIn, enter
from tests.board.looks import card, column, decide, dialog, drawer, move_dialog
from tests.support.stack import ADMIN

Outage = Callable[[House], AbstractContextManager[None]]


@contextlib.contextmanager
def no_postgrest(house: House) -> Iterator[None]:
    with _without(house, 0):
        yield


@contextlib.contextmanager
def no_gateway(house: House) -> Iterator[None]:
    with _without(house, 1):
        yield


@contextlib.contextmanager
def _without(house: House, part: int) -> Iterator[None]:
    stopped = house.stack.parts[part]
    stopped.__exit__()
    try:
        yield
    finally:
        stopped.__enter__()


@contextlib.contextmanager
def no_database(house: House) -> Iterator[None]:
    """Let only superusers connect."""
    with psycopg.connect(house.stack.dsn, autocommit=True) as db:
        name = sql.Identifier(db.info.dbname)
        db.execute(sql.SQL("alter database {} connection limit 0").format(name))
        db.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'atlas_authenticator'")
        try:
            yield
        finally:
            db.execute(sql.SQL("alter database {} connection limit -1").format(name))


@pytest.mark.slow
@pytest.mark.parametrize("outage", [no_postgrest, no_gateway, no_database])
def test_a_move_during_an_outage_is_sent_again_with_its_key_and_done_once(
    sign_in: SignIn, house: House, outage: Outage
) -> None:
    client = house.client()
    page = sign_in()
    keys = _keys(page)
    move_dialog(page, client)
    expect(dialog(page).get_by_role("radio", name="Cleanup")).to_be_visible()
    with outage(house):
        decide(page, "Cleanup", "typed before it went")
        expect(dialog(page).get_by_role("alert")).to_contain_text("What to do:")
        expect(dialog(page).get_by_label("Why")).to_have_value("typed before it went")
        expect(page.get_by_text("Can't reach the server")).to_be_attached()

    dialog(page).get_by_role("button", name="Try again").click()
    expect(card(column(page, "Cleanup"), client)).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Can't reach the server")).to_have_count(0)
    assert house.now(client).version == client.version + 1
    assert len(keys) > 1
    assert len(set(keys)) == 1


def test_a_locked_client_is_reported_and_moved_once_it_is_free(sign_in: SignIn, house: House) -> None:
    client = house.client()
    house.admin.set_setting("lock_wait", "1 second")
    page = sign_in()
    keys = _keys(page)
    move_dialog(page, client)
    with psycopg.connect(house.stack.dsn) as holder:
        holder.execute("select from clients where id = %s for update", (client.id,))
        decide(page, "Cleanup", "while it is held")
        refusal = dialog(page).get_by_role("alert")
        expect(refusal).to_contain_text(f"Someone else is changing {client.name} right now")
        expect(refusal).to_contain_text("login postgres")
        expect(dialog(page).get_by_label("Why")).to_have_value("while it is held")
    dialog(page).get_by_role("button", name="Try again").click()
    expect(card(column(page, "Cleanup"), client)).to_be_visible()
    assert house.now(client).version == client.version + 1
    assert len(set(keys)) == 1


def test_an_invalid_value_is_reported_stays_typed_and_is_saved_once_corrected(sign_in: SignIn, house: House) -> None:
    client = house.client()
    page = sign_in()
    opened = drawer(page, client)
    opened.get_by_label("Notes").fill("kept through the refusal")
    opened.get_by_label("Owner").fill("Anna")
    with page.expect_response("**/rpc/update_client") as answered:
        opened.get_by_role("button", name="Save").click()
    assert answered.value.status == 422
    expect(opened.get_by_role("alert")).to_contain_text("Write user:ana, for example.")
    expect(opened.get_by_label("Owner")).to_have_value("Anna")
    expect(opened.get_by_label("Notes")).to_have_value("kept through the refusal")

    opened.get_by_label("Owner").fill("user:jimmie")
    opened.get_by_role("button", name="Save").click()
    expect(opened.get_by_role("listitem").first).to_contain_text("→ jimmie")
    now = house.now(client)
    assert (now.stage_owner, now.stage_notes) == ("user:jimmie", "kept through the refusal")


def test_a_rollback_that_a_later_change_depends_on_is_refused_with_a_message(sign_in: SignIn, house: House) -> None:
    client = house.client("Blocked", "weekly", "eom_close", "eom_review")
    page = sign_in()
    opened = drawer(page, client)
    row = opened.get_by_role("listitem").filter(has_text="Weekly → EOM close")
    row.get_by_role("button", name="Roll back…").click()
    dialog(page).get_by_label("Why").fill("not that one")
    with page.expect_response("**/rpc/rollback") as answered:
        dialog(page).get_by_role("button", name="Roll back", exact=True).click()
    assert answered.value.status == 409
    expect(dialog(page).get_by_role("alert")).to_contain_text("Undo that one first.")
    expect(dialog(page).get_by_label("Why")).to_have_value("not that one")
    assert house.now(client).stage == "eom_review"


def test_a_token_that_expires_meanwhile_signs_out_with_a_message(open_page: OpenPage, house: House) -> None:
    issued = house.admin.issue_token(ADMIN, never_expires=True)
    page = open_page()
    enter(page, issued.token)
    expect(page.get_by_role("navigation", name="Views")).to_be_visible()
    with psycopg.connect(house.stack.dsn) as db:
        db.execute(
            "update actor_tokens set expires_at = now() - interval '1 second' where token_hash like %s",
            (f"{issued.id}%",),
        )
    expect(page.get_by_role("alert")).to_contain_text("signed out")
    enter(page, issued.token)
    expect(page.get_by_role("alert")).to_contain_text("expired")
    assert page.evaluate("sessionStorage.length") == 0


def _keys(page: Page) -> list[str]:
    """The keys of the later moves."""
    keys: list[str] = []
    page.on(
        "request",
        lambda asked: keys.append(asked.headers["idempotency-key"]) if asked.url.endswith("/set_stage") else None,
    )
    return keys
