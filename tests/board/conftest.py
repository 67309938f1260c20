"""The board in Chromium, served by the real stack: PostgreSQL, PostgREST, Caddy."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.models import Client
from tests.support.databases import Databases
from tests.support.stack import ADMIN, Stack, stack

# Without its own windows it takes half the time.
_CHROMIUM = os.environ.get("ATLAS_TEST_CHROMIUM") or shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
# Chromium has no sandbox as root. It makes no requests but those of the page.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # An office's own host name: not a secure context over plain HTTP, unlike localhost.
    "--host-resolver-rules=MAP office-server 127.0.0.1",
]
# Chromium reports every refused and every failed request, and a header that only counts over HTTPS.
_EXPECTED = ("Failed to load resource", "The Cross-Origin-Opener-Policy header has been ignored")
_numbers = itertools.count(1)

expect.set_options(timeout=15_000)


@dataclass(frozen=True)
class House:
    """The firm of one test module: its stack, and its admin's stage, connected directly to the database."""

    stack: Stack
    admin: Stage

    def client(self, name: str = "Blue Heron", *way: str) -> Client:
        """Create a client with a name like this and move it through these stages (by default into weekly)."""
        number = next(_numbers)
        made = self.admin.create_client(f"{name} {number}", slug=f"client-{number}").client
        for stage in way or ("weekly",):
            made = self.move(made, stage)
        return made

    def move(self, client: Client, to_stage: str, reason: str = "so far") -> Client:
        """Move it as the admin."""
        return self.admin.set_stage(client.id, to_stage=to_stage, reason=reason, expected_version=client.version).client

    @contextlib.contextmanager
    def database(self) -> Iterator[psycopg.Connection]:
        """A superuser's session, which is committed at the end."""
        with psycopg.connect(self.stack.dsn) as db:
            yield db

    def now(self, client: Client) -> Client:
        """The client as the database has it now."""
        return self.admin.client(client.id).client


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not shutil.which(_CHROMIUM):
        if os.environ.get("CI") == "true":
            pytest.fail(f"there is no Chromium at {_CHROMIUM}")
        pytest.skip(f"there is no Chromium at {_CHROMIUM} (Debian: apt install chromium-headless-shell)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def house(databases: Databases) -> Iterator[House]:
    with (
        databases.clone() as dsn,
        stack(dsn) as running,
        Stage(PsycopgTransport(dsn, ADMIN)) as admin,
    ):
        yield House(running, admin)


OpenPage = Callable[..., Page]
SignIn = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, house: House) -> Iterator[OpenPage]:
    """Opens the board in a separate browser context, not signed in. An error on its console fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def opened(path: str = "/", **options: Any) -> Page:
        settings = {"locale": "en-US", "timezone_id": "Europe/Berlin"} | options
        context = browser.new_context(base_url=house.stack.url, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [line for line in errors if not line.startswith(_EXPECTED)] == []


@pytest.fixture
def sign_in(open_page: OpenPage, house: House) -> SignIn:
    """Opens the board and signs in as an actor."""

    def signed_in(actor: str = ADMIN, path: str = "/", **options: Any) -> Page:
        page = open_page(path, **options)
        enter(page, house.stack.token(actor))
        expect(page.get_by_role("navigation", name="Views")).to_be_visible()
        return page

    return signed_in


def enter(page: Page, token: str) -> None:
    """Paste the token and sign in."""
    page.get_by_label("Your token").fill(token)
    page.get_by_role("button", name="Sign in").click()
