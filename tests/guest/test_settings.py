"""Whatever the host has set for its database or its logins, ours works in it as in any other."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from atlas_stage import Stage
from atlas_stage.ops import doctor
from atlas_stage.ops.deploy import migrate
from atlas_stage.ops.jobs import Jobs
from tests.support.cases import rare_except
from tests.support.databases import Databases
from tests.support.old_atlas import CLIENTS, make_old_atlas
from tests.support.stack import ADMIN

SETTINGS = {
    "standard_conforming_strings": "off",
    "quote_all_identifiers": "on",
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kathmandu",
    "client_encoding": "LATIN1",
    "search_path": "nosuch",
    "default_transaction_isolation": "serializable",
    "transform_null_equals": "on",
    "extra_float_digits": "-3",
    "default_text_search_config": "pg_catalog.german",
    "row_security": "off",
    "plpgsql.variable_conflict": "use_column",
    "plpgsql.extra_errors": "all",
    "session_replication_role": "replica",
}


# Alone, a setting is a rare case. In "all" are those under which the others still mean something.
CASES: dict[str, dict[str, str]] = {
    "all": {name: value for name, value in SETTINGS.items() if name != "session_replication_role"},
    **{name: {name: value} for name, value in SETTINGS.items()},
}


@pytest.fixture(params=rare_except(["all", "session_replication_role"], CASES), scope="module")
def host_dsn(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """An Atlas database with settings, into which this package was installed."""
    with databases.empty() as dsn:
        make_old_atlas(dsn)
        with psycopg.connect(dsn, autocommit=True) as db:
            for name, value in CASES[request.param].items():
                db.execute(
                    sql.SQL("alter database {} set {} = {}").format(
                        sql.Identifier(db.info.dbname), sql.SQL(name), sql.Literal(value)
                    )
                )
        migrate(dsn)
        yield dsn


def findings(dsn: str) -> list[tuple[str, ...]]:
    with psycopg.connect(dsn, autocommit=True) as db:
        return [finding.found for finding in doctor.examine(db) if finding.found]


def test_calls_work_under_a_setting(host_dsn: str) -> None:
    with Stage.connect(host_dsn, ADMIN) as stage:
        made = stage.create_client("Łódź & 東京", slug="lodz", owner="user:jimmie").client
        reason = "it\\'s \t so"

        moved = stage.set_stage(made.id, to_stage="weekly", reason=reason, expected_version=made.version)
        stage.set_flag(made.id, flag="client_blocking", reason="waits")

        assert moved.history is not None
        assert moved.history.reason == reason
        page = stage.clients(page_size=1, sort="age")
        assert stage.clients(page_size=1, sort="age", **page.next)
        feed = stage.changes(page_size=1)
        assert stage.changes(feed.cursor)
        assert [each.client.id for each in stage.queue("user:jimmie")] == [made.id]
        assert stage.client(made.id).client.stage_entered_at == moved.client.stage_entered_at
        assert not stage.verify(made.id).breaks
        assert stage.summary().clients == CLIENTS + 1


def test_the_firm_s_settings_are_read_under_a_setting(host_dsn: str) -> None:
    with Stage.connect(host_dsn, "user:jimmie") as stage:
        stage.set_setting("lock_wait", "5 seconds")
        assert stage.settings().settings["lock_wait"] == "00:00:05"


def test_a_job_works_under_a_setting(host_dsn: str) -> None:
    with Jobs(host_dsn) as jobs:
        run = jobs.perform("stage_stuck_detector")

    assert run.is_well


def test_deploys_work_under_a_setting_and_after_it(host_dsn: str) -> None:
    """The last of a setting: it is reset."""
    assert [words for words in findings(host_dsn) if "PostgREST" not in words[0]] == []
    assert not migrate(host_dsn).logic_changed

    with psycopg.connect(host_dsn, autocommit=True) as db:
        db.execute(sql.SQL("alter database {} reset all").format(sql.Identifier(db.info.dbname)))

    assert findings(host_dsn) == []
    assert not migrate(host_dsn).logic_changed


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("quote_all_identifiers", "quote_all_identifiers is on: PostgREST does not know"),
        ("default_transaction_read_only", "default_transaction_read_only is on: no job"),
    ],
)
def test_a_setting_under_which_a_part_cannot_work_is_named(fresh_dsn: str, setting: str, words: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        name = sql.Identifier(db.info.dbname)
        db.execute(sql.SQL("alter database {} set {} = on").format(name, sql.SQL(setting)))

    (found,) = findings(fresh_dsn)

    assert found[0].startswith(words)
