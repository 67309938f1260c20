"""Which transport a `Stage` uses, which token it sends, and that it never shows a token."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from atlas_stage import AsyncStage, InvalidInput, Stage, Unauthenticated
from atlas_stage.cli import app
from atlas_stage.cli.base import Exit
from atlas_stage.transports.http import checked_token
from tests.support.network import Network
from tests.support.stack import ADMIN, Stack

TALLY = "agent:tally"
# Made for this test: the checksum fits, and no database knows it.
FITTING = "atl_" + "A" * 43 + "cd15b5"


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets ATLAS_… variables."""

    def put(**settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"ATLAS_{name}", value)

    return put


class TestChoice:
    def test_the_environment_leads_to_http(self, running: Stack, token: str, setting: Callable[..., None]) -> None:
        setting(URL=running.url, TOKEN=token, DATABASE_URL="postgresql://127.0.0.1:1/x", ACTOR=TALLY)
        with Stage.connect() as stage:
            assert stage.whoami().actor_id == ADMIN

    def test_a_database_that_is_given_wins(self, running: Stack, token: str, setting: Callable[..., None]) -> None:
        setting(URL="http://127.0.0.1:1", TOKEN=token)
        with Stage.connect(running.dsn, TALLY) as stage:
            assert stage.whoami().actor_id == TALLY

    def test_an_actor_that_is_given_leads_to_the_database(
        self, running: Stack, token: str, setting: Callable[..., None]
    ) -> None:
        setting(URL=running.url, TOKEN=token, DATABASE_URL=running.dsn)
        with Stage.connect(actor=TALLY) as stage:
            assert stage.whoami().actor_id == TALLY

    def test_a_url_that_is_given_wins(self, running: Stack, token: str, setting: Callable[..., None]) -> None:
        setting(DATABASE_URL="postgresql://127.0.0.1:1/x", TOKEN=token)
        with Stage.connect(url=running.url) as stage:
            assert stage.whoami().actor_id == ADMIN

    def test_a_url_without_a_token_does_not_hide_the_database(
        self, running: Stack, setting: Callable[..., None]
    ) -> None:
        setting(URL=running.url, DATABASE_URL=running.dsn, ACTOR=TALLY)
        with Stage.connect() as stage:
            assert stage.whoami().actor_id == TALLY

    def test_a_url_alone_misses_its_token(self, setting: Callable[..., None]) -> None:
        setting(URL="http://127.0.0.1:1")
        with pytest.raises(Unauthenticated) as caught:
            Stage.connect()
        assert caught.value.hint == "set ATLAS_TOKEN"

    def test_both_ways_at_once_are_refused(self, token: str) -> None:
        with pytest.raises(InvalidInput, match="not both"):
            Stage.connect("postgresql://x", url="http://x", token=token)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "atlas.example.com",
            "ftp://x",
            "http://",
            "http://u:sesame@x",
            "http://x?y=1",
            "http://[x",
            "http://a..b",
            "http://xn--a",
        ],
    )
    def test_a_url_that_is_none_is_refused_without_its_password(self, token: str, url: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            Stage.connect(url=url, token=token)
        assert "sesame" not in str(caught.value)

    @pytest.mark.parametrize(
        ("variable", "value"),
        [("ALL_PROXY", "socks5://u:sesame@proxy"), ("HTTP_PROXY", "http://u:sesame"), ("NO_PROXY", "[::1]")],
    )
    def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
        self, token: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, value)
        with Stage.connect(url="http://atlas.invalid", token=token) as stage, pytest.raises(InvalidInput) as caught:
            stage.whoami()
        assert variable in str(caught.value)
        assert "sesame" not in "".join(traceback.format_exception(caught.value))

    def test_a_transaction_needs_a_database_and_says_so(self, running: Stack, token: str) -> None:
        with (
            Stage.connect(url=running.url, token=token) as stage,
            pytest.raises(InvalidInput, match="needs a database connection"),
        ):
            stage.transaction()


class TestTokens:
    @pytest.mark.parametrize(
        "bad",
        [
            "atl_",
            "atl_short",
            FITTING[:-1],
            FITTING + "0",
            FITTING.replace("A", "B", 1),
            FITTING[:-6] + "CD15B5",
            FITTING.replace("AA", "ÄA", 1),
            "two words",
            "line\nbreak",
            "",
            " ",
            "nul\0",
            "x" * 513,
            "schlüssel",
        ],
    )
    def test_a_mistyped_one_is_refused_before_anybody_is_asked(self, between: Network, bad: str) -> None:
        for connect in (Stage.connect, AsyncStage.connect):
            with pytest.raises(Unauthenticated) as caught:
                connect(url=between.url, token=bad)
            shown = "".join(traceback.format_exception(caught.value))
            assert len(bad) < 6 or bad not in shown
        assert between.requests == []

    def test_one_that_fits_is_asked_for_and_unknown(self, running: Stack) -> None:
        with (
            Stage.connect(url=running.url, token=FITTING) as stage,
            pytest.raises(Unauthenticated) as caught,
        ):
            stage.whoami()
        assert caught.value.rule == "unauthenticated"
        assert caught.value.hint

    @pytest.mark.parametrize("legacy", ["open-sesame", "a", "ATL_x", "x" * 512, "{}\"'\\;"])
    def test_the_shared_one_of_old_has_no_form(self, legacy: str) -> None:
        assert checked_token(legacy) == legacy
        assert checked_token(f" {legacy}\n") == legacy

    def test_what_the_database_issues_has_the_form(self, token: str) -> None:
        assert checked_token(token) == token

    def test_a_revoked_one_is_refused_at_the_next_request(self, running: Stack) -> None:
        with Stage.connect(running.dsn, ADMIN) as admin:
            issued = admin.issue_token(TALLY, never_expires=True)
            with Stage.connect(url=running.url, token=issued.token) as tally:
                assert tally.whoami().actor_id == TALLY
                admin.revoke_token(issued.id)
                with pytest.raises(Unauthenticated):
                    tally.whoami()

    def test_it_is_in_no_log_repr_or_error(
        self, between: Network, token: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        between.will("", "html")
        with Stage.connect(url=between.url, token=token) as stage:
            stage.whoami()
            shown = [repr(stage), repr(vars(stage)), caplog.text]
            shown += map(repr, vars(vars(stage)["_transport"]).values())
            try:
                stage.whoami()
            except Exception as error:
                shown += traceback.format_exception(error)
            else:
                pytest.fail("it answered")
        assert between.requests[0][1]["Authorization"] == f"Bearer {token}"
        assert all(token not in each for each in shown)


class TestCommandLine:
    @pytest.fixture
    def run(self, running: Stack, token: str, setting: Callable[..., None]) -> Callable[..., Result]:
        setting(URL=running.url, TOKEN=token)

        def run_it(*words: object, **more: Any) -> Result:
            return CliRunner().invoke(app, [str(word) for word in words], **more)

        return run_it

    def test_commands_work_over_http(self, run: Callable[..., Result]) -> None:
        with Stage.connect() as stage:
            made = stage.create_client("Over", slug="over").client
        moved = run("client", "move", "over", "weekly", "--reason", "set up")
        assert moved.exit_code == Exit.DONE, moved.output
        assert "onboarding → weekly (version 1)" in moved.stdout
        stale = run("client", "move", made.id, "cleanup", "--reason", "x", "--expected-version", 0)
        assert stale.exit_code == Exit.CONFLICT
        assert "[version_conflict]" in stale.stderr
        history = run("client", "history", "over").stdout
        assert "weekly" in history
        assert "times: America/Chicago" in history
        assert run("queue").exit_code == Exit.DONE
        assert ADMIN in run("token", "list").stdout

    def test_the_option_names_the_api(
        self, run: Callable[..., Result], running: Stack, setting: Callable[..., None]
    ) -> None:
        setting(URL="http://127.0.0.1:1")
        assert run("client", "list", "--url", running.url).exit_code == Exit.DONE

    def test_the_option_goes_with_no_actor(self, run: Callable[..., Result], running: Stack) -> None:
        done = run("client", "list", "--url", running.url, "--as", TALLY)
        assert done.exit_code == Exit.USAGE
        assert "the token says who you are" in done.stderr

    def test_an_import_says_that_it_needs_the_database(
        self,
        run: Callable[..., Result],
        tmp_path: Any,
        running: Stack,
        setting: Callable[..., None],
    ) -> None:
        file = tmp_path / "clients.csv"
        file.write_text("name,slug\nNew,new\n")
        done = run("client", "import", file, "--apply")
        assert done.exit_code == Exit.USAGE
        assert "needs a database connection" in done.stderr
        assert "--database or ATLAS_DATABASE_URL" in done.stderr
        setting(DATABASE_URL=running.dsn, ACTOR=ADMIN)
        assert run("client", "import", file, "--apply").exit_code == Exit.DONE
        refused = run("client", "import", file, "--apply", "--url", running.url)
        assert "needs a database connection" in refused.stderr

    def test_an_unknown_token_is_refused_in_a_line(
        self, run: Callable[..., Result], setting: Callable[..., None]
    ) -> None:
        setting(TOKEN=FITTING)
        done = run("client", "list")
        assert done.exit_code == Exit.REFUSED
        assert done.stderr.startswith("error: You are not signed in")
        assert FITTING not in done.output
