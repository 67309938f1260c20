"""The command line: what people see, what programs get, and how it ends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from psycopg.conninfo import make_conninfo
from typer.testing import CliRunner, Result

from atlas_stage import Stage, __version__
from atlas_stage.cli import app
from atlas_stage.cli.base import Exit
from atlas_stage.models import Client

ADMIN = "user:jimmie"
TALLY = "agent:tally"

Run = Callable[..., Result]


@pytest.fixture
def run(fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line as the admin, on a database of the test's own."""
    monkeypatch.setenv("ATLAS_DATABASE_URL", fresh_dsn)
    monkeypatch.setenv("ATLAS_ACTOR", ADMIN)
    monkeypatch.setenv("COLUMNS", "220")
    monkeypatch.delenv("ATLAS_INGEST_TOKEN", raising=False)

    def run_it(*words: object, **more: Any) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], **more)

    return run_it


@pytest.fixture
def client(fresh_dsn: str) -> Client:
    """A client in weekly, at version 1."""
    with Stage.connect(fresh_dsn, ADMIN) as stage:
        made = stage.create_client("Blue Heron [bold]Kayaks[/bold]", slug="blue-heron").client
        return stage.set_stage(made.id, to_stage="weekly", reason="test", expected_version=made.version).client


def _now(dsn: str, client: Client) -> Client:
    with Stage.connect(dsn, ADMIN) as stage:
        return stage.client(client.id).client


class TestClients:
    def test_list_shows_a_table_and_json(self, run: Run, client: Client) -> None:
        shown = run("client", "list")
        assert shown.exit_code == Exit.DONE
        assert "blue-heron" in shown.stdout
        assert "weekly" in shown.stdout
        (found,) = json.loads(run("--json", "client", "list").stdout)["clients"]
        assert Client.from_json(found) == client

    def test_list_says_when_there_is_more(self, run: Run, client: Client) -> None:
        run("client", "list")
        assert run("client", "list", "--stage", "cleanup").stdout == "no clients\n"
        with Stage.connect(actor=ADMIN) as stage:
            stage.create_client("Other", slug="other")
        assert f"--after {client.id}" in run("client", "list", "--limit", 1).stderr

    def test_global_options_may_stand_at_the_end(self, run: Run, client: Client) -> None:
        done = run("client", "show", "blue-heron", "--json", f"--as={TALLY}")
        assert json.loads(done.stdout)["client"]["id"] == client.id

    @pytest.mark.usefixtures("client")
    def test_names_are_not_read_as_markup(self, run: Run) -> None:
        assert "Blue Heron [bold]Kayaks[/bold]" in run("client", "list").stdout

    def test_control_characters_do_not_reach_the_terminal(self, run: Run, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute("insert into clients (name, slug) values (E'a\\x1b[2Jb\\u202ec', 'evil')")
        assert r"a\x1b[2Jb\u202ec" in run("client", "list").stdout
        assert "\x1b" not in run("client", "show", "evil").stdout

    def test_show_has_everything_and_the_latest_change(self, run: Run, client: Client) -> None:
        shown = run("client", "show", client.id).stdout
        assert "close_cadence" in shown
        assert "onboarding → weekly" in shown

    @pytest.mark.usefixtures("client")
    def test_a_client_is_found_by_its_exact_slug_only(self, run: Run) -> None:
        missing = run("client", "show", "blue")
        assert missing.exit_code == Exit.REFUSED
        assert missing.stderr.startswith("error: This client doesn't exist. [client_not_found]")
        assert "Traceback" not in missing.stderr

    @pytest.mark.parametrize(
        "slug",
        [
            "client-7",
            "a.b/c",
            "24_7",
            "0x1",
            " 1 ",
            "1.5-x",
            "foo_bar",
            "r&d-lab",
            "東京",
            "o'hara",
            "me@x.com",
        ],
    )
    def test_slugs_of_all_kinds_are_found(self, run: Run, fresh_dsn: str, slug: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute("insert into clients (name, slug) values ('Named', %s)", [slug])
        assert json.loads(run("client", "show", slug, "--json").stdout)["client"]["slug"] == slug


class TestRegister:
    def test_a_slug_that_reads_as_a_number_is_refused(self, run: Run) -> None:
        refused = run("client", "create", "Seven Eleven", "24_7")
        assert refused.exit_code == Exit.REFUSED
        assert refused.stderr.startswith("error: The short name 24_7 reads as a number.")
        assert "client-24" in refused.stderr

    def test_the_words_about_a_deleted_client_are_erased_by_its_id(self, run: Run, fresh_dsn: str) -> None:
        made = json.loads(run("client", "create", "Grün", "gruen", "--json").stdout)["client"]["id"]
        run("client", "delete", "gruen", "--reason", "Grün was entered twice")
        erased = run("client", "erase-words", str(made), "--yes", "--reason", "asked to")
        assert erased.stdout == f"client {made}: erased the words of 1 rows\n", erased.output
        with psycopg.connect(fresh_dsn) as db:
            row = db.execute("select name, slug, reason from deleted_clients").fetchone()
        assert row == (None, None, None)

    def test_a_client_is_taken_on_and_its_fields_are_changed(self, run: Run) -> None:
        made = run(
            "client",
            "create",
            "Otter Bay",
            "otter-bay",
            "--stage",
            "weekly",
            "--collaborator",
            TALLY,
            "--collaborator",
            ADMIN,
        )
        assert "Otter Bay: starts in weekly" in made.stdout, made.output
        run(
            "client",
            "update",
            "otter-bay",
            "--owner",
            ADMIN,
            "--clear",
            "collaborators",
            "--cadence",
            "quarterly",
            "--inactive",
        )
        client = json.loads(run("client", "show", "otter-bay", "--json").stdout)["client"]
        assert (client["stage_owner"], client["stage_collaborators"]) == (ADMIN, [])
        assert (client["close_cadence"], client["active"]) == ("quarterly", False)

    def test_what_is_not_given_stays(self, run: Run, client: Client, fresh_dsn: str) -> None:
        assert "no change needed" in run("client", "update", client.id).stdout
        assert _now(fresh_dsn, client) == client

    def test_a_client_made_by_mistake_is_taken_out(self, run: Run, client: Client) -> None:
        run("client", "create", "Twice", "twice")
        assert "deleted" in run("client", "delete", "twice", "--reason", "made twice").stdout
        assert run("client", "show", "twice").exit_code == Exit.REFUSED
        moved = run("client", "delete", client.id, "--reason", "gone")
        assert (moved.exit_code, "[client_has_history]" in moved.stderr) == (Exit.REFUSED, True)


class TestSettings:
    def test_settings_are_shown_and_changed(self, run: Run) -> None:
        assert "America/Chicago" in run("settings", "show").stdout
        assert run("settings", "set", "time_zone", "America/New_York").exit_code == Exit.DONE
        assert run("settings", "sla", "weekly", 12).exit_code == Exit.DONE
        shown = json.loads(run("settings", "show", "--json").stdout)
        assert shown["settings"]["time_zone"] == "America/New_York"
        assert {"stage": "weekly", "max_days": 12} in [
            {name: each[name] for name in ("stage", "max_days")} for each in shown["stages"]
        ]
        assert "no limit" in run("settings", "sla", "weekly", "none").stdout

    @pytest.mark.parametrize(
        "words",
        [
            ("set", "time_zone", "Mars"),
            ("set", "colour", "blue"),
            ("set", "sales_tax_due_day", "31"),
            ("set", "sales_tax_due_day", "first"),
            ("set", "eom_open_at", "25:00"),
            ("sla", "nowhere", "3"),
            ("sla", "weekly", "0"),
            ("sla", "weekly", "-3"),
            ("set", "undo_minutes", "-5"),
            ("sla", "weekly", "soon"),
        ],
    )
    def test_what_cannot_be_is_refused_in_words_and_nothing_changes(self, run: Run, words: tuple[str, ...]) -> None:
        before = run("settings", "show").stdout
        done = run("settings", *words)
        assert done.exit_code in {Exit.REFUSED, Exit.USAGE}
        assert done.stderr.startswith("error: ")
        assert "database_error" not in done.stderr
        assert run("settings", "show").stdout == before

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (
                ("set", "sales_tax_due_day", "31"),
                '"31" isn\'t a valid sales_tax_due_day. Use at least 1 and at most 28',
            ),
            (("set", "sales_tax_due_day", "first"), '"first" isn\'t a valid sales_tax_due_day'),
            (("sla", "nowhere", "3"), '"nowhere" isn\'t a stage. Use Cleanup, EOM close'),
            (("sla", "weekly", "-3"), '"-3" isn\'t a valid max_days. Use more than 0.'),
        ],
    )
    def test_a_refused_value_says_what_is_allowed(self, run: Run, words: tuple[str, ...], sentence: str) -> None:
        assert sentence in run("settings", *words).stderr

    def test_a_move_is_allowed_and_removed(self, run: Run) -> None:
        way = ("settings", "move", "cleanup", "eom_close")
        done = run(*way, "--needs", "can_set_stage", "--note", "clean enough")
        assert "cleanup → eom_close needs can_set_stage" in done.stdout
        assert "clean enough" in run("settings", "moves").stdout
        assert "from_stage=cleanup, to_stage=eom_close" in run("audit", "stage_transitions", "--limit", 1).stdout
        assert "no longer allowed" in run(*way, "--remove").stdout
        assert "clean enough" not in run("settings", "moves").stdout
        assert run(*way).exit_code == Exit.USAGE
        kept = run("settings", "move", "eom_close", "eom_review", "--remove")
        assert "From EOM close to EOM review: it is the only way forward" in kept.stderr

    def test_a_holiday_moves_the_close(self, run: Run) -> None:
        assert "2027-12-30" in run("calendar", "show", "--year", 2027).stdout
        run("calendar", "add", "2027-12-30", "the firm's own")
        closes = json.loads(run("calendar", "show", "--year", 2027, "--json").stdout)["closes"]
        assert closes[-1] == {"month": "2027-12", "last_business_day": "2027-12-29"}
        assert run("calendar", "remove", "2027-12-30").exit_code == Exit.DONE
        assert run("calendar", "remove", "2027-12-30").exit_code == Exit.REFUSED


class TestMigrating:
    def test_the_plan_says_what_would_be_done_and_leaves_no_trace(self, run: Run, empty_dsn: str) -> None:
        plan = run("--database", empty_dsn, "migrate", "--plan")
        assert "would apply 012_stage_records" in plan.stdout
        with psycopg.connect(empty_dsn) as db:
            assert db.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)
        assert "nothing to do" in run("migrate", "--plan").stdout

    def test_the_plan_names_what_would_be_refused(self, run: Run, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute("update stage_deploys set sha256 = 'x' where name = '001_roles'")
        assert "would refuse: 001_roles was changed" in run("migrate", "--plan").stdout

    @pytest.mark.parametrize(
        "harm",
        [
            "drop function api.health()",
            pytest.param("alter function api.queue set work_mem = '1MB'", marks=pytest.mark.slow),
            "grant select on clients to atlas_anon",
            "alter table stage_history drop column payload cascade",
        ],
    )
    def test_the_plan_is_what_is_done_then(self, run: Run, fresh_dsn: str, harm: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute(harm.encode())
        plan = json.loads(run("migrate", "--plan", "--json").stdout)
        done = run("migrate", "--json")
        if done.exit_code == Exit.DONE:
            report = json.loads(done.stdout)
            assert plan["repaired"] == report["repaired"]
            assert plan["logic_changes"] is report["logic_changed"] is True
            assert not plan["words"]
        else:
            refused = json.loads(done.stderr)["message"]
            assert plan["words"] == [f"would refuse: {refused}"]

    def test_a_rollback_does_not_ask_a_program(self, run: Run) -> None:
        asked = run("migrate", "rollback", "--json", input="y\n")
        assert (asked.exit_code, asked.stdout) == (Exit.USAGE, "")
        assert "--yes" in json.loads(asked.stderr)["hint"]

    def test_a_rollback_asks_first(self, run: Run) -> None:
        asked = run("migrate", "rollback", "--to", "012_stage_records", input="n\n")
        assert asked.exit_code == Exit.USAGE
        done = run("migrate", "rollback", "--to", "012_stage_records", "--yes", "--json")
        assert "013_stage_indexes" in json.loads(done.stdout)["rolled_back"]
        assert "would apply 013_stage_indexes" in run("migrate", "--plan").stdout


class TestMoving:
    def test_move_reads_the_version_and_says_so(self, run: Run, client: Client, fresh_dsn: str) -> None:
        done = run("client", "move", "blue-heron", "eom_close", "--reason", "month end")
        assert done.exit_code == Exit.DONE
        assert "version 1 (read now)" in done.stderr
        assert "weekly → eom_close (version 2)" in done.stdout
        assert _now(fresh_dsn, client).stage == "eom_close"

    def test_a_stale_version_is_a_conflict(self, run: Run, client: Client, fresh_dsn: str) -> None:
        done = run("client", "move", client.id, "eom_close", "--reason", "x", "--expected-version", 0)
        assert done.exit_code == Exit.CONFLICT
        error, hint = done.stderr.splitlines()
        assert error.startswith("error: ")
        assert error.endswith("[version_conflict]")
        assert hint.startswith("hint: ")
        assert _now(fresh_dsn, client) == client

    def test_the_reason_is_the_databases_to_require(self, run: Run, client: Client) -> None:
        done = run("client", "move", client.id, "eom_close")
        assert done.exit_code == Exit.REFUSED
        assert "[reason_required]" in done.stderr

    def test_a_refusal_is_json_for_programs(self, run: Run, client: Client) -> None:
        done = run("client", "move", client.id, "eom_review", "--reason", "x", "--json")
        assert done.exit_code == Exit.REFUSED
        error = json.loads(done.stderr)
        assert (error["rule"], error["status"]) == ("transition_not_allowed", 422)
        assert "eom_close" in error["details"]["allowed_stages"]
        assert done.stdout == ""

    def test_a_dry_run_changes_nothing(self, run: Run, client: Client, fresh_dsn: str) -> None:
        allowed = run("client", "move", client.id, "eom_close", "--dry-run")
        assert allowed.exit_code == Exit.DONE
        assert "can move from weekly to eom_close" in allowed.stdout
        refused = run("client", "move", client.id, "eom_review", "--dry-run")
        assert refused.exit_code == Exit.REFUSED
        assert "[transition_not_allowed]" in refused.stdout
        assert "allowed from here: cleanup, eom_close" in refused.stdout
        assert _now(fresh_dsn, client) == client

    def test_an_override_is_recorded_as_one(self, run: Run, client: Client) -> None:
        done = run("client", "move", client.id, "eom_review", "--reason", "huddle", "--override", "--json")
        assert json.loads(done.stdout)["history"]["trigger_type"] == "manual_override"

    def test_a_dry_run_of_an_override_is_wrong_usage(self, run: Run, client: Client) -> None:
        done = run("client", "move", client.id, "eom_review", "--dry-run", "--override")
        assert done.exit_code == Exit.USAGE

    def test_somebody_else_may_not(self, run: Run, client: Client) -> None:
        done = run("--as", TALLY, "client", "move", client.id, "eom_close", "--reason", "x")
        assert done.exit_code == Exit.REFUSED
        assert "You need permission to move and change clients." in done.stderr

    def test_flags_come_and_go(self, run: Run, client: Client) -> None:
        assert "+advisory_due" in run("client", "flag", client.id, "advisory_due").stdout
        assert "no change needed" in run("client", "flag", client.id, "advisory_due").stdout
        assert "-advisory_due" in run("client", "unflag", client.id, "advisory_due").stdout

    def test_the_activity_of_the_firm_is_filtered(self, run: Run, client: Client) -> None:
        run("client", "flag", client.slug, "client_blocking", "--reason", "no statements")
        newest = run("activity", "--limit", 1).stdout
        assert client.name in newest
        assert "+client_blocking" in newest
        assert "no statements" in run("activity", "--client", client.slug, "--by", ADMIN).stdout
        rows = json.loads(run("activity", "--day", "2026-01-05", "--json").stdout)
        assert rows["activity"] == []
        wrong = run("activity", "--day", "soon")
        assert (wrong.exit_code, "soon" in wrong.stderr) == (Exit.USAGE, True)

    def test_history_is_shown_and_undone(self, run: Run, client: Client) -> None:
        run("client", "move", client.id, "eom_close", "--reason", "too early")
        rows = json.loads(run("client", "history", client.id, "--json").stdout)["history"]
        assert [row["version"] for row in rows] == [0, 1, 2]
        done = run("client", "rollback", client.id, rows[-1]["id"], "--reason", "mistake")
        assert "eom_close → weekly (version 3)" in done.stdout
        last = run("client", "history", client.id, "--limit", 1).stdout
        assert "rollback" in last
        assert "too early" not in last

    @pytest.mark.parametrize("words", [["client", "show", "a\0"], ["queue", "a\0"]])
    def test_a_value_that_cannot_be_sent_is_wrong_usage(self, run: Run, words: list[str]) -> None:
        done = run(*words)
        assert done.exit_code == Exit.USAGE
        assert done.stderr.startswith("error: ")

    def test_the_queue_is_the_callers_or_anothers(self, run: Run, client: Client) -> None:
        with Stage.connect(actor=ADMIN) as stage:
            stage.update_client(client.id, owner=TALLY)
        assert "owner" in run("queue", TALLY).stdout
        assert json.loads(run("queue", "--json", "--as", TALLY).stdout)["queue"][0]["why"] == ["owner"]


class TestAccess:
    def test_grants_are_given_listed_and_revoked(self, run: Run) -> None:
        granted = run("permission", "grant", TALLY, "can_set_flag", "--scope", '{"flags": ["advisory_due"]}')
        assert granted.exit_code == Exit.DONE
        (row,) = json.loads(run("permission", "list", TALLY, "--json").stdout)["permissions"]
        assert row["scope"] == {"flags": ["advisory_due"]}
        assert "revoked from" in run("permission", "revoke", row["id"]).stdout
        assert run("permission", "list", TALLY).stdout == "no permissions\n"
        assert "advisory_due" in run("permission", "list", TALLY, "--all").stdout

    def test_the_audit_says_who_granted_what(self, run: Run) -> None:
        run("permission", "grant", TALLY, "can_set_flag")
        said = run("audit", "agent_permissions", "--limit", "1")
        assert "added" in said.stdout
        assert TALLY in said.stdout
        assert "for more, add: --before" in said.stderr
        (row,) = json.loads(run("audit", "--by", ADMIN, "--limit", "1", "--json").stdout)["records"]
        assert row["after"]["permission"] == "can_set_flag"

    def test_a_scope_that_is_no_json_is_wrong_usage(self, run: Run) -> None:
        assert run("permission", "grant", TALLY, "can_set_flag", "--scope", "{").exit_code == Exit.USAGE

    def test_a_token_is_alone_on_stdout_and_its_hash_in_the_database(self, run: Run, fresh_dsn: str) -> None:
        done = run("token", "issue", TALLY, "--days", 30, "--description", "test")
        token = done.stdout.strip()
        assert token.startswith("atl_")
        assert token not in done.stderr
        with psycopg.connect(fresh_dsn) as db:
            assert db.execute("select token_hash from actor_tokens").fetchall() == [
                (hashlib.sha256(token.encode()).hexdigest(),)
            ]
        listed = run("token", "list").stdout
        assert token not in listed
        (row,) = json.loads(run("token", "list", "--json").stdout)["tokens"]
        assert "is revoked" in run("token", "revoke", row["id"]).stdout

    def test_a_person_is_invited_given_a_role_and_leaves(self, run: Run) -> None:
        link = run("actor", "invite", "user:ana", "--role", "bookkeeper", "--board", "http://b/board/")
        assert link.stdout.startswith("http://b/board/#invite=atl_")
        assert "can_set_stage" in run("permission", "list", "user:ana").stdout
        assert "user:ana is reviewer" in run("actor", "role", "user:ana", "reviewer").stdout
        made = run("client", "create", "Acme", "acme", "--owner", "user:ana")
        assert made.exit_code == Exit.DONE, made.stderr
        (ana,) = [
            each
            for each in json.loads(run("actor", "list", "--json").stdout)["people"]
            if each["actor_id"] == "user:ana"
        ]
        assert (ana["role"], ana["owns"]) == ("reviewer", 1)
        assert "reviewer" in run("actor", "list").stdout

        done = run("actor", "leave", "user:ana", "--to", "user:ben", "--reason", "left the firm")
        assert done.stdout.startswith("user:ana: 3 grants and 0 tokens revoked; 1 clients handed over")
        over = run("actor", "hand-over", "user:ben", "--to", ADMIN, "--reason", "r").stdout
        assert "1 clients handed over, 0 kept" in over

    def test_a_vacation_is_covered_moved_and_ended(self, run: Run, client: Client) -> None:
        run("client", "update", client.slug, "--owner", "user:ana")
        until = ["--until", "2099-12-31"]
        cover = ["actor", "cover", "user:ana", "--to", "user:ben", "--reason", "on vacation"]
        assert "Choose a day from" in run(*cover, *until).stderr
        until[1] = str(date.today() + timedelta(days=20))
        done = run(*cover, *until)
        assert f"1 clients handed over, 0 kept, cover 1 until {until[1]}" in done.stdout
        assert "user:ben" in run("actor", "covers").stdout
        later = str(date.today() + timedelta(days=30))
        assert later in run("actor", "end-cover", 1, "--until", later).stdout
        assert "1 clients given back, 0 kept" in run("actor", "end-cover", 1).stdout
        assert json.loads(run("actor", "covers", "--json").stdout) == {"covers": []}

    def test_an_unknown_role_is_refused_with_the_known_ones(self, run: Run) -> None:
        refused = run("actor", "role", "user:ana", "boss")
        assert refused.exit_code == Exit.REFUSED
        assert "bookkeeper" in refused.stderr

    def test_a_token_without_expiry_has_to_be_asked_for(self, run: Run) -> None:
        assert "[expiry_required]" in run("token", "issue", TALLY).stderr
        both = run("token", "issue", TALLY, "--never-expires", "--days", 3)
        assert "hint: give either --days N or --never-expires" in both.stderr
        assert run("token", "issue", TALLY, "--never-expires").exit_code == Exit.DONE
        assert run("token", "issue", TALLY, "--days", 10**12).exit_code == Exit.USAGE

    @pytest.mark.parametrize("from_environment", [True, False])
    def test_only_the_hash_of_the_legacy_token_is_adopted(
        self, run: Run, fresh_dsn: str, monkeypatch: pytest.MonkeyPatch, from_environment: bool
    ) -> None:
        if from_environment:
            monkeypatch.setenv("ATLAS_INGEST_TOKEN", "open sesame")
        done = run("token", "adopt-legacy", input=None if from_environment else "open sesame\n")
        assert done.exit_code == Exit.DONE
        assert "system:legacy" in done.stdout
        with psycopg.connect(fresh_dsn) as db:
            assert db.execute("select token_hash, actor_id from actor_tokens").fetchall() == [
                (hashlib.sha256(b"open sesame").hexdigest(), "system:legacy")
            ]

    def test_no_legacy_token_is_wrong_usage(self, run: Run) -> None:
        assert run("token", "adopt-legacy", input="\n").exit_code == Exit.USAGE


def _commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Every command and group with its words."""
    yield " ".join(path), command
    for name, each in getattr(command, "commands", {}).items():
        yield from _commands(each, *path, name)


COMMANDS = dict(_commands(typer.main.get_command(app)))


TYPERS_OWN = re.compile(r"--(help|install-completion|show-completion) ")


class TestHelp:
    @pytest.mark.parametrize("words", COMMANDS)
    def test_names_of_commands_and_options_have_dashes(self, words: str) -> None:
        options = [name for each in COMMANDS[words].params if each.param_type_name == "option" for name in each.opts]
        assert not [name for name in (words, *options) if "_" in name]

    @pytest.mark.parametrize("words", COMMANDS)
    def test_help_shows_brackets_and_plain_names_of_values(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, words: str
    ) -> None:
        monkeypatch.setenv("COLUMNS", "1000")  # no line is broken
        shown = run(*words.split(), "--help").stdout
        texts = [each.help or "" for each in (COMMANDS[words], *COMMANDS[words].params) if hasattr(each, "help")]
        for bracket in re.findall(r"\[[^\]]*\]", " ".join(texts)):
            assert bracket in shown
        options = [line for line in shown.splitlines() if line.startswith("│") and "--" in line]
        assert not [line for line in options if re.search(r" <[\w\[\]%-]+> ", line) and not TYPERS_OWN.search(line)]

    def test_help_says_what_the_other_gateway_needs(self, run: Run) -> None:
        assert "pip install 'atlas-stage[nginx]'" in run("serve", "--help").stdout

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ("activity --day yesterday", "Invalid value for '--day': \"yesterday\" isn't a day. Write YYYY-MM-DD"),
            ("calendar add 2026-13-01 x", '"2026-13-01" isn\'t a day'),
            ("client rollback 1 x", '"x" isn\'t a whole number.'),
            ("client list --limit 0", "Invalid value for '--limit': \"0\" isn't a whole number of at least 1"),
            ("watch --post http://x --every soon", '"soon" isn\'t a number of at least 0.1 and'),
            ("migrate --lock-timeout soon", "'--lock-timeout': \"soon\" isn't a number"),
            ("client undo-batch x", "Invalid value for 'BATCH': \"x\" isn't an id such as "),
        ],
    )
    def test_a_value_that_cannot_be_read_is_told_in_words(self, run: Run, words: str, said: str) -> None:
        done = run(*words.split(), "--json")
        assert done.exit_code == Exit.USAGE
        assert said in json.loads(done.stderr)["message"]


class TestEnding:
    def test_help_documents_the_exit_codes(self, run: Run) -> None:
        shown = " ".join(run("--help").stdout.split())
        for code in Exit:
            assert f"{code.value} " in shown.partition("Exit codes:")[2]

    def test_the_version_is_shown(self, run: Run) -> None:
        assert run("--version").stdout == f"atlas-stage {__version__}\n"

    def test_a_hint_is_for_the_command_line(self, run: Run, client: Client) -> None:
        for words in (
            ("client", "move", client.id, "eom_review", "--reason", "x"),
            ("client", "move", "nobody", "weekly", "--reason", "x"),
            ("client", "delete", client.id, "--reason", "x"),
            ("client", "rollback", client.id, 99, "--reason", "x"),
            ("token", "revoke", "abababababab"),
        ):
            hint = run(*words).stderr.splitlines()[-1]
            assert hint.startswith("hint: ")
            assert "api." not in hint
            assert "_stages" not in hint

    @pytest.mark.usefixtures("client")
    def test_a_refusal_is_the_databases_sentence(self, run: Run) -> None:
        done = run("client", "move", "blue-heron", "eom_review", "--reason", "x")
        assert "is in Weekly. From there it can go to Cleanup, EOM close" in done.stderr

    def test_our_own_bugs_end_in_a_line(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Stage, "summary", lambda _: 1 / 0)
        monkeypatch.setattr(Stage, "iter_clients", lambda *_, **__: 1 / 0)
        done = run("client", "list")
        assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
        assert done.stderr.startswith("error: This is a bug in atlas-stage: ZeroDivisionError")

    def test_only_a_client_that_changed_is_a_conflict_to_repeat(self, run: Run) -> None:
        refused = run("actor", "leave", ADMIN, "--reason", "x")
        assert (refused.exit_code, "[last_admin]" in refused.stderr) == (Exit.REFUSED, True)

    @pytest.mark.parametrize(
        ("words", "code"),
        [
            (("client", "move", "blue-heron", "EOM review", "--reason", "x"), "eom_review"),
            (("client", "move", "blue-heron", "eom_review", "--reason", "x"), "eom_close"),
            (("client", "flag", "blue-heron", "Advisory due"), "advisory_due"),
            (("client", "list", "--stage", "EOM close"), "eom_close"),
            (("permission", "grant", TALLY, "set flags"), "can_set_flag"),
            (("settings", "move", "cleanup", "weekly", "--needs", "set flags"), "can_set_stage"),
            (("client", "update", "blue-heron", "--tier", "gold"), "full_service"),
        ],
    )
    @pytest.mark.usefixtures("client")
    def test_a_refusal_shows_the_words_that_are_accepted(self, run: Run, words: tuple[str, ...], code: str) -> None:
        done = run(*words)
        assert done.exit_code == Exit.REFUSED
        assert re.search(rf"\b{code}\b", done.stderr)

    def test_a_sentence_ends_with_a_period(self, run: Run) -> None:
        assert "T06:00-05:00. [invalid_input]" in run("job", "due", "--as-of", "soon").stderr

    @pytest.mark.parametrize(
        ("database", "said"),
        [
            ("postgresql://127.0.0.1:1/x", "Connection refused ["),
            ("postgresql://nowhere.invalid/x", "failed to resolve host 'nowhere.invalid'"),
        ],
    )
    def test_no_server(self, run: Run, database: str, said: str) -> None:
        done = run("--database", database, "client", "list")
        assert done.exit_code == Exit.UNAVAILABLE
        assert said in done.stderr
        assert "Errno" not in done.stderr
        assert "hint: check that the server runs, and the host" in done.stderr

    def test_an_unknown_login_and_an_api_that_is_away_say_what_to_check(
        self, run: Run, fresh_dsn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unknown = run("--database", make_conninfo(fresh_dsn, user="nobody-here"), "client", "list")
        assert 'role "nobody-here" does not exist [unavailable]\nhint: check' in unknown.stderr
        assert "FATAL" not in unknown.stderr
        monkeypatch.setenv("ATLAS_TOKEN", "x")
        away = run("--url", "http://127.0.0.1:1", "client", "list")
        assert "the API can't be reached: Connection refused [unreachable]\nhint: check ATLAS_URL" in away.stderr

    def test_a_database_that_can_only_be_read_is_told_in_words(self, run: Run, client: Client, fresh_dsn: str) -> None:
        only_reads = make_conninfo(fresh_dsn, options="-c default_transaction_read_only=on")
        done = run("--database", only_reads, "client", "flag", client.id, "advisory_due")
        assert done.exit_code == Exit.UNAVAILABLE
        assert "This database can only be read: it is a standby, or was set so. [unavailable]" in done.stderr

    def test_not_migrated(self, run: Run, empty_dsn: str) -> None:
        done = run("--database", empty_dsn, "client", "list")
        assert done.exit_code == Exit.UNAVAILABLE
        assert "hint: run: atlas-stage migrate" in done.stderr

    @pytest.mark.parametrize("words", [["--colour"], ["--as"], ["--database"]])
    def test_an_option_that_cannot_be_read_is_wrong_usage(self, run: Run, words: list[str]) -> None:
        assert run("client", "list", *words).exit_code == Exit.USAGE

    @pytest.mark.parametrize(
        "words",
        [
            ("--colour",),
            ("nope",),
            ("client", "list", "--limit", "0"),
            ("calendar", "add", "2026-99-01", "x"),
            ("schedule", "at"),
            ("report", "--csv", "/nowhere/at/all.csv"),
        ],
    )
    def test_what_cannot_be_read_is_told_to_programs_too(self, run: Run, words: tuple[str, ...]) -> None:
        done = run(*words, "--json")
        assert (done.exit_code, done.stdout) == (Exit.USAGE, "")
        assert json.loads(done.stderr)["rule"] == "invalid_input"

    @pytest.mark.parametrize("words", [("--help",), ("client", "list"), ("client", "list", "--json")])
    def test_a_reader_that_has_enough_is_no_refusal(self, fresh_dsn: str, words: tuple[str, ...]) -> None:
        reads, writes = os.pipe()
        os.close(reads)
        command = [sys.executable, "-m", "atlas_stage", "--database", fresh_dsn, "--as", ADMIN, *words]
        done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, text=True)
        os.close(writes)
        assert (done.returncode, done.stderr) == (Exit.DONE, "")

    @pytest.mark.parametrize("where", [">/dev/full", ">&-", "2>&-", ">&- 2>&-", "| true"])
    @pytest.mark.parametrize("form", ["", pytest.param("--json", marks=pytest.mark.slow)])
    def test_an_answer_that_nobody_takes_ends_without_a_traceback(self, fresh_dsn: str, form: str, where: str) -> None:
        words = f"-m atlas_stage --database '{fresh_dsn}' --as {ADMIN} {form} permission list"
        done = subprocess.run(["sh", "-c", f"'{sys.executable}' {words} {where}"], capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert (done.returncode == Exit.REFUSED) is ("full" in where)


class TestOutput:
    @pytest.mark.usefixtures("client")
    @pytest.mark.parametrize("words", [("client", "show", "blue-heron"), ("token", "list"), ("queue",)])
    def test_times_are_the_firms_and_say_so(self, run: Run, words: tuple[str, ...]) -> None:
        run("client", "update", "blue-heron", "--owner", ADMIN)
        run("token", "issue", TALLY, "--days", 3)
        run("settings", "set", "time_zone", "Asia/Kolkata")
        assert "times: Asia/Kolkata" in run(*words).stdout

    @pytest.mark.usefixtures("client")
    @pytest.mark.parametrize(("words", "value"), [("client list", "Heron"), ("permission list", "can_set_flag")])
    def test_a_narrow_terminal_has_room_for_each_value(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, words: str, value: str
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        shown = run(*words.split()).stdout
        assert max(map(len, shown.splitlines())) <= 80
        assert f" {value} " in shown

    def test_a_terminal_that_tells_no_width_shows_everything(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "0")
        assert "no clients" in run("client", "list").stdout

    def test_a_database_of_another_version_is_told(self, run: Run, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute("drop function api.summary(), api.queue(text, integer, text)")
        for words in (("queue",), ("queue", ADMIN)):
            assert "run atlas-stage migrate" in run(*words).stderr

    @pytest.mark.parametrize(
        "encoding",
        ["ascii", *(pytest.param(each, marks=pytest.mark.slow) for each in ("cp437", "cp1252"))],
    )
    @pytest.mark.parametrize("words", [("--help",), ("client", "list", "--help"), ("client", "show", "ñ→")])
    def test_every_encoding_is_survived(self, fresh_dsn: str, encoding: str, words: tuple[str, ...]) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "atlas_stage", "--database", fresh_dsn, *words],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        )
        assert b"Traceback" not in done.stderr
        done.stdout.decode(encoding)

    @pytest.mark.usefixtures("client")
    @pytest.mark.parametrize("words", ["migrate rollback", "client erase-words blue-heron --reason x"])
    @pytest.mark.parametrize("form", [(), ("--json",)])
    def test_where_nobody_can_be_asked_it_says_to_add_yes(self, run: Run, words: str, form: tuple[str, ...]) -> None:
        done = run(*words.split(), *form)
        assert (done.exit_code, done.stdout.strip()) == (Exit.USAGE, "")
        assert "Nothing was changed." in done.stderr
        assert "add --yes" in done.stderr

    def test_an_empty_queue_and_an_empty_file_say_so(self, run: Run, tmp_path: Path) -> None:
        assert run("queue").stdout == "nothing to do\n"
        (tmp_path / "empty.csv").write_text("client,stage\n")
        assert "0 refused: the file has no rows\n" in run("client", "import", tmp_path / "empty.csv").stdout

    @pytest.mark.parametrize("words", [("migrate", "rollback"), ("token", "adopt-legacy")])
    def test_a_closed_input_is_no_answer(self, fresh_dsn: str, words: tuple[str, ...]) -> None:
        program = f'exec "{sys.executable}" -m atlas_stage --database "{fresh_dsn}" {" ".join(words)} <&-'
        done = subprocess.run(program, shell=True, capture_output=True, text=True)
        assert done.returncode != 0
        assert "bug" not in done.stderr

    def test_a_limit_beyond_any_number_is_wrong_usage(self, run: Run) -> None:
        assert run("client", "list", "--limit", 10**20).exit_code == Exit.USAGE

    @pytest.mark.parametrize(
        "words",
        [
            ("client", "list"),
            ("queue",),
            ("token", "list"),
            ("permission", "list"),
            ("job", "list"),
            ("job", "due"),
            ("job", "runs"),
            ("settings", "show"),
            ("calendar", "show"),
            ("doctor",),
            ("migrate", "--plan"),
            ("migrate",),
        ],
    )
    def test_every_command_has_an_answer_for_programs(self, run: Run, words: tuple[str, ...]) -> None:
        assert isinstance(json.loads(run(*words, "--json").stdout), dict)

    def test_help_waits_for_no_package_that_takes_long(self) -> None:
        packages = {"httpx", "psycopg", "yoyo", "psutil"}
        code = (
            "import sys; from atlas_stage.__main__ import main\n"
            f"try: main()\nfinally: assert not {packages} & sys.modules.keys(), {packages} & sys.modules.keys()"
        )
        done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("atlas-stage client move 1 eom_", "eom_close"),
            ("atlas-stage client flag 1 client_", "client_blocking"),
            ("atlas-stage client list --tier full", "full_service"),
            ("atlas-stage job run flag_", "flag_seasonal"),
            ("atlas-stage settings set undo", "undo_minutes"),
            ("atlas-stage actor role user:ana book", "bookkeeper"),
            ("atlas-stage actor leave user:j", "user:jimmie"),
        ],
    )
    def test_shells_complete_the_words_of_the_database(self, run: Run, words: str, expected: str) -> None:
        done = run(
            env={
                "_ATLAS_STAGE_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split()) - 1),
            },
            prog_name="atlas-stage",
        )
        assert expected in done.stdout.split()

    def test_erasing_asks_first(self, run: Run) -> None:
        run("client", "create", "Acme", "acme", "--notes", "private")
        assert run("client", "erase-words", "acme", "--reason", "r", input="n\n").exit_code != 0
        assert "private" in run("client", "show", "acme").stdout
        assert run("client", "erase-words", "acme", "--reason", "r", input="y\n").exit_code == 0
        assert "private" not in run("client", "show", "acme").stdout

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
    def test_shells_complete_the_commands(self, run: Run, shell: str) -> None:
        done = run(
            env={"_ATLAS_STAGE_COMPLETE": f"source_{shell}" if shell != "powershell" else "source_powershell"},
            prog_name="atlas-stage",
        )
        assert "atlas-stage" in done.stdout


class TestDoctor:
    def test_a_fresh_installation_is_well(self, run: Run) -> None:
        done = run("doctor")
        assert done.exit_code == Exit.DONE, done.stdout
        assert "all is well" in done.stdout

    def test_an_empty_database_is_not_deployed(self, run: Run, empty_dsn: str) -> None:
        done = run("doctor", "--database", empty_dsn)
        assert done.exit_code == Exit.REFUSED
        assert "isn't deployed" in done.stdout
        assert "run: atlas-stage migrate" in done.stdout

    @pytest.mark.usefixtures("client")
    @pytest.mark.parametrize(
        ("harm", "words"),
        [
            ("update stage_deploys set sha256 = 'x' where part = 'stored_logic'", "stored logic"),
            ("update stage_deploys set sha256 = 'x' where name = '001_roles'", "001_roles"),
            ("delete from atlas_migrations where id = '012_stage_records'", "012_stage_records"),
            ("alter table clients disable trigger all", "state is off"),
            ("drop trigger stage_history_append_only on stage_history", "missing"),
            ("grant select on clients to atlas_api", "atlas_api has rights on"),
            ("delete from business_holidays where day > current_date", "holidays ends"),
            (
                "set session_replication_role = replica; delete from agent_permissions; reset session_replication_role",
                "no actor has can_admin",
            ),
            (
                "insert into actor_tokens (token_hash, actor_id, created_by, expires_at)"
                " values (repeat('ab', 32), 'agent:tally', 'user:jimmie', now() + interval '3 days')",
                "abababababab of agent:tally expires",
            ),
            (
                "set session_replication_role = replica; update clients set version = 7;"
                " reset session_replication_role",
                "version 7",
            ),
        ],
    )
    def test_what_is_wrong_is_found(self, run: Run, fresh_dsn: str, harm: str, words: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute(harm)
        done = run("doctor")
        assert done.exit_code == Exit.REFUSED, done.stdout
        assert words in done.stdout
        checks = json.loads(run("doctor", "--json").stdout)["checks"]
        assert any(check["found"] for check in checks)

    def test_a_login_without_rights_is_told(self, run: Run, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute("set role atlas_api")
            db.rollback()
        done = run("doctor", "--database", f"{fresh_dsn}{_joint(fresh_dsn)}options=-crole%3Datlas_api")
        assert done.exit_code == Exit.REFUSED
        assert "can't be checked" in done.stdout


def _joint(dsn: str) -> str:
    return "&" if "?" in dsn else "?"


class TestEvidence:
    def test_a_digest_is_one_line_and_found_to_hold(self, run: Run) -> None:
        made = run("verify", "--digest")
        line = made.stdout.strip()
        assert (made.exit_code, len(made.stdout.splitlines())) == (Exit.DONE, 1)
        run("client", "create", "Otter Bay", "otter-bay-2")

        for again in (
            run("verify", "--expect", line),
            run("verify", "--expect", line.rpartition("=")[2], "--as-of", line),
        ):
            assert again.exit_code == Exit.DONE, again.stdout
            assert "the digest matches" in again.stdout
        assert json.loads(run("verify", "--digest", "--json").stdout)["digest"] != line

    def test_what_was_rewritten_so_that_it_fits_is_found(self, run: Run, fresh_dsn: str) -> None:
        run("client", "create", "Otter Bay", "otter-bay-2")
        line = run("verify", "--digest").stdout.strip()
        with psycopg.connect(fresh_dsn) as db:
            db.execute("alter table stage_history disable trigger user")
            db.execute("update stage_history set actor_id = 'user:eve'")
            db.execute("update stage_history h set row_hash = rules.history_hash(h.*, '')")
        assert run("verify").exit_code == Exit.DONE

        said = run("verify", "--expect", line)

        assert (said.exit_code, "the digest doesn't match" in said.stdout) == (Exit.REFUSED, True)
        assert json.loads(run("verify", "--expect", line, "--json").stdout)["rewritten"] is True

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--expect", "x"),
            ("--expect", "0" * 64),
            ("--expect", "atlas-digest/1/sha256=" + "0" * 63),
            ("otter-bay", "--digest"),
        ],
    )
    def test_what_is_no_digest_is_wrong_usage(self, run: Run, arguments: tuple[str, ...]) -> None:
        assert run("verify", *arguments).exit_code == Exit.USAGE

    def test_who_is_left_out_of_a_digest_is_said(
        self, run: Run, fresh_dsn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("atlas_stage.ops.evidence.PATIENCE_SECONDS", 0.2)
        with psycopg.connect(fresh_dsn, application_name="month end") as late:
            late.execute("insert into actor_logins values ('late', 'user:ada')")
            made = run("verify", "--digest")

            assert (made.exit_code, len(made.stdout.splitlines())) == (Exit.DONE, 1)
            assert f"process {late.info.backend_pid} (postgres, month end, database" in made.stderr

    def test_an_edited_row_is_named(self, run: Run, fresh_dsn: str) -> None:
        run("client", "create", "Otter Bay", "otter-bay-2")
        with psycopg.connect(fresh_dsn) as db:
            db.execute("alter table stage_history disable trigger user")
            db.execute("update stage_history set actor_id = 'user:eve'")
        said = run("verify")
        assert (said.exit_code, "is not as it was recorded" in said.stdout) == (Exit.REFUSED, True)
        assert json.loads(run("verify", "--json").stdout)["breaks"][0]["problem"] == "row_altered"

    def test_an_edited_record_of_administration_is_named(self, run: Run, fresh_dsn: str) -> None:
        assert "records of administration: as recorded" in run("verify").stdout
        with psycopg.connect(fresh_dsn) as db:
            db.execute("alter table administration_history disable trigger user")
            db.execute("update administration_history set actor_id = 'user:eve' where key = '{\"stage\": \"cleanup\"}'")
        said = run("verify", "--digest")
        assert (said.exit_code, "no digest was made" in said.stderr) == (Exit.REFUSED, True)
        assert 'of stages {"stage": "cleanup"}: is not as it was recorded' in said.stdout
        found = json.loads(run("verify", "--json").stdout)["breaks"]
        assert [(each["about"], each["problem"]) for each in found] == [("stages", "row_altered")]

    def test_words_are_erased_and_the_verification_says_by_whom(self, run: Run) -> None:
        run("client", "create", "Otter Bay", "otter-bay-2", "--notes", "knows Mr. Green")
        assert "erased the words" in run("client", "erase-words", "otter-bay-2", "--yes", "--reason", "asked").stdout
        assert f"erased by {ADMIN}: asked" in run("verify", "otter-bay-2").stdout

    def test_what_was_kept_long_enough_goes(self, run: Run, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute(
                "insert into idempotency_keys (external_id, actor_id, request_sha256, response, created_at)"
                " values ('k', 'user:ada', 'x', '{}', now() - interval '1 year')"
            )
        assert "deleted 1 keys and 0 job runs" in run("prune").stdout
        assert json.loads(run("prune", "--json").stdout) == {"keys": 0, "runs": 0}
