"""The record of administration shows whether it was rewritten, by whomever and however."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from atlas_stage.ops.deploy import migrate
from tests.rules.test_evidence import SESSION_SETTINGS
from tests.support.calls import (
    ADMIN,
    all_breaks,
    call,
    grant,
    make_client,
    refused,
    verified_pages,
)

GUARDS_OFF = "alter table administration_history disable trigger user"
# The keys that the records of `recorded` are about.
CLEANUP = """about = 'stages' and key = '{"stage": "cleanup"}'"""


def breaks(db: psycopg.Connection) -> list[tuple[Any, str]]:
    return [(each["version"], each["problem"]) for each in all_breaks(db)]


def count(db: psycopg.Connection) -> int:
    row = db.execute("select count(*) from administration_history").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def recorded(db: psycopg.Connection) -> psycopg.Connection:
    """Four records of the stage cleanup, among others, and the guards off."""
    grant(db, "user:bo", "can_set_stage", {"to": ["weekly"]})
    for days in (7, 8, 9):
        db.execute(f"update stages set max_days = {days} where stage in ('cleanup', 'weekly')".encode())
    db.execute(GUARDS_OFF.encode())
    return db


EDITS = {
    "id": "id + 1000000",
    "occurred_at": "occurred_at + interval '1 microsecond'",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "xid": "(xid::text::bigint + 1)::text::xid8",
    "actor_id": "'user:eve'",
    "login": "login || 'x'",
    "program": "program || 'x'",
    "channel": "case channel when 'api' then 'psql' else 'api' end",
    "reason": "coalesce(reason || ' ', '')",
    "about": "about || 'x'",
    "key": "key || '{\"x\": 1}'",
    "before": "coalesce(before || '{\"x\": 1}', '{}')",
    "after": "after || '{\"x\": 1}'",
    "changed": "changed || array['x']",
    "version": "version + 1000000",
    "epoch": "epoch + 1",
    "row_hash": "sha256(row_hash)",
}


def test_all_ways_of_administration_verify(db: psycopg.Connection) -> None:
    before = count(db)
    grant(db, "user:bo", "can_set_stage")
    db.execute("insert into business_holidays values ('2030-07-05', 'Büro zu – 東京')")
    db.execute("delete from business_holidays where day = '2030-07-05'")
    db.execute("insert into business_holidays values ('2030-07-05', 'again')")
    db.execute("set local session_replication_role = replica")
    db.execute("update stage_settings set separate_reviewer = true")

    assert (breaks(db), count(db)) == ([], before + 5)


@pytest.mark.parametrize("version", [0, 1, 3])
def test_an_edit_of_any_column_is_found(recorded: psycopg.Connection, version: int) -> None:
    assert breaks(recorded) == []
    for column, edit in EDITS.items():
        with recorded.transaction(force_rollback=True):
            touched = recorded.execute(
                f"update administration_history set {column} = {edit} where {CLEANUP} and version = {version}".encode()
            )

            assert touched.rowcount == 1, column
            assert breaks(recorded) != [], column


def test_no_column_is_left_out_of_the_edits(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select attname::text from pg_attribute"
        " where attrelid = 'administration_history'::regclass and attnum > 0 and not attisdropped"
    ).fetchall()

    assert {row[0] for row in rows} == EDITS.keys()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (f"delete from administration_history where {CLEANUP} and version = 0", "row_missing"),
        (f"delete from administration_history where {CLEANUP} and version = 2", "row_missing"),
        # the newest: what shows it is that the table has what nothing recorded
        (f"delete from administration_history where {CLEANUP} and version = 3", "row_changed"),
        (
            "delete from administration_history where about = 'agent_permissions'"
            " and id = (select max(id) from administration_history where about = 'agent_permissions')",
            "row_added",
        ),
        ("truncate administration_history", "row_added"),
        # a record in between
        (
            f"update administration_history set version = version + 1000 where {CLEANUP} and version >= 2;"
            f" update administration_history set version = version - 999 where {CLEANUP} and version >= 1000;"
            " insert into administration_history"
            " (actor_id, channel, about, key, before, after, changed, version, row_hash)"
            " select 'user:eve', 'api', about, key, before, after, changed, 2, row_hash"
            f" from administration_history where {CLEANUP} and version = 1",
            "row_altered",
        ),
        # two records exchanged
        (
            f"update administration_history set version = 1000 where {CLEANUP} and version = 1;"
            f" update administration_history set version = 1 where {CLEANUP} and version = 2;"
            f" update administration_history set version = 2 where {CLEANUP} and version = 1000",
            "row_altered",
        ),
        (
            f"update administration_history set version = version + 5 where {CLEANUP} and version = 3",
            "row_missing",
        ),
        (
            f"update administration_history set row_hash = null where {CLEANUP} and version = 3",
            "hash_missing",
        ),
    ],
)
def test_a_removal_an_insertion_or_an_exchange_is_found(
    recorded: psycopg.Connection, statement: str, problem: str
) -> None:
    assert breaks(recorded) == []

    recorded.execute(statement.encode())

    assert problem in {found for _, found in breaks(recorded)}


# What a table on record is changed to while nothing records, and how that shows.
UNRECORDED = [
    ("insert into actor_logins values ('eve', 'user:jimmie')", "row_added"),
    (
        "insert into actor_tokens (token_hash, actor_id, created_by) values (repeat('ee', 32), 'user:jimmie', 'x')",
        "row_added",
    ),
    (
        "update agent_permissions set scope = null where actor_id = 'user:bo'",
        "row_changed",
    ),
    (
        "update agent_permissions set actor_id = 'user:eve' where actor_id = 'user:bo'",
        "row_changed",
    ),
    ("delete from agent_permissions where actor_id = 'user:bo'", "row_gone"),
    ("update stage_settings set separate_reviewer = true", "row_changed"),
    ("update stages set kind = 'work' where stage = 'paused_client'", "row_changed"),
    ("delete from stage_transitions where from_stage = 'weekly'", "row_gone"),
    ("update stage_flags set set_by = '{human}'", "row_changed"),
    ("update stage_seasons set to_day = 1", "row_changed"),
    ("update business_holidays set day = day + 20000", "row_added"),
    (
        "insert into covers (batch, from_actor_id, to_actor_id, until, made_by)"
        " values (gen_random_uuid(), 'user:ana', 'user:bo', '2030-01-02', 'user:eve')",
        "row_added",
    ),
    ("update erasures set erased_by = 'user:eve'", "row_changed"),
    ("update erasures set reason = 'never asked'", "row_changed"),
    ("delete from erasures", "row_gone"),
    (
        "insert into erasures (client_id, last_version, rows, erased_by, reason) values (7, 1, 1, 'user:bo', 'x')",
        "row_added",
    ),
    ("update deleted_clients set deleted_by = 'user:eve'", "row_changed"),
    ("update deleted_clients set reason = 'another'", "row_changed"),
    (
        "update deleted_clients set history = history || '{\"row_hash\": null}'",
        "row_changed",
    ),
    ("delete from deleted_clients", "row_gone"),
]


@pytest.mark.parametrize(("statement", "problem"), UNRECORDED)
def test_what_was_changed_while_nothing_recorded_is_found(
    recorded: psycopg.Connection, statement: str, problem: str
) -> None:
    recorded.execute(GUARDS_OFF.replace("disable", "enable").encode())
    call(recorded, "erase_words", client_id=make_client(recorded), reason="asked to")
    call(recorded, "delete_client", client_id=make_client(recorded), reason="a mistake")
    assert breaks(recorded) == []
    recorded.execute("set constraints all immediate")
    about = statement.replace("insert into ", "").replace("delete from ", "").split()
    table = about[1] if about[0] == "update" else about[0]
    recorded.execute(f"alter table {table} disable trigger user".encode())

    recorded.execute(statement.encode())

    found = all_breaks(recorded)
    assert (table, problem) in {(each.get("about"), each["problem"]) for each in found}


def test_each_table_on_record_is_among_those_changed_while_nothing_recorded(
    db: psycopg.Connection,
) -> None:
    tables = db.execute("select name from rules.administered_tables()").fetchall()

    assert [t for (t,) in tables if not any(t in statement for statement, _ in UNRECORDED)] == []


def test_erasures_and_deletions_are_on_record_by_whom_and_without_words(
    db: psycopg.Connection,
) -> None:
    erased = make_client(db, notes="Mrs. Grün")
    deleted = make_client(db, name="Mr. Grün", slug="gruen", reason="Grün called")
    call(db, "erase_words", client_id=erased, reason="asked to")
    call(db, "delete_client", client_id=deleted, reason="a mistake")

    newest, before = call(db, "administration", page_size=2)["records"]

    assert [(each["about"], each["actor_id"], each["channel"]) for each in (before, newest)] == [
        ("erasures", ADMIN, "api"),
        ("deleted_clients", ADMIN, "api"),
    ]
    assert (before["after"]["client_id"], newest["key"]) == (erased, {"client_id": deleted})
    assert "Grün" not in str([newest, before])
    assert "gruen" not in str(newest)


def test_pages_find_a_break_wherever_it_is(recorded: psycopg.Connection) -> None:
    recorded.execute("set constraints all immediate")
    recorded.execute("alter table agent_permissions disable trigger user")
    recorded.execute("update agent_permissions set notes = 'x' where actor_id = 'user:bo'")
    ids = [row[0] for row in recorded.execute("select id from administration_history order by id")]
    wrong = {ids[0], ids[9], ids[10], ids[19], ids[-1]}
    recorded.execute("update administration_history set actor_id = 'user:eve' where id = any(%s)", (list(wrong),))
    pages = verified_pages(recorded, 10)
    found = {each.get("record_id") for page in pages for each in page["breaks"]}

    assert found == wrong | {None}
    assert sum(page["records"] for page in pages) == len(ids)


@pytest.mark.parametrize(
    "after",
    ["records:9223372036854775807", "clients:-9223372036854775809", "records:", "7", "clients:x"],
)
def test_what_is_no_cursor_is_refused(db: psycopg.Connection, after: str) -> None:
    with refused(db, "cursor_not_valid", 422):
        call(db, "verify", after=after)


@pytest.mark.parametrize("setting", SESSION_SETTINGS)
def test_a_session_sees_the_same_hashes_whatever_it_has_set(db: psycopg.Connection, setting: str) -> None:
    db.execute(f"set local {setting}".encode())

    assert breaks(db) == []


@pytest.mark.parametrize(
    "change",
    ["version = 9", "row_hash = null", "row_hash = sha256('x')", "actor_id = 'user:bo'"],
)
def test_the_guard_keeps_a_record(db: psycopg.Connection, change: str) -> None:
    db.execute("update stages set max_days = 9 where stage = 'cleanup'")
    with refused(db, "record_is_append_only", 403, table="administration_history"):
        db.execute(f"update administration_history set {change} where {CLEANUP}".encode())


def test_a_record_that_says_its_own_version_and_hash_gets_the_right_ones(
    db: psycopg.Connection,
) -> None:
    db.execute(
        "insert into administration_history (actor_id, channel, about, key, after, changed, version, row_hash)"
        " select 'user:eve', 'api', about, key, after, '{}', 7, sha256('x') from administration_history"
        f" where {CLEANUP}".encode()
    )

    assert breaks(db) == []


def test_what_is_recorded_while_nothing_hashes_is_found_and_stops_nothing(
    recorded: psycopg.Connection,
) -> None:
    for days in (10, 11):
        recorded.execute(f"update stages set max_days = {days} where stage = 'cleanup'".encode())
    recorded.execute(GUARDS_OFF.replace("disable", "enable").encode())
    recorded.execute("update stages set max_days = 12 where stage = 'cleanup'")

    assert breaks(recorded) == [(None, "hash_missing")] * 2


class TestAtTheSameTime:
    def test_administrators_of_different_rows_never_wait_for_each_other(self, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as early, psycopg.connect(fresh_dsn) as late:
            late.execute("set local lock_timeout = '100ms'")
            early.execute("update stages set max_days = 8 where stage = 'cleanup'")
            early.execute("set constraints all immediate")
            grant(early, "user:bo", "can_set_stage")
            late.execute("update stages set max_days = 9 where stage = 'weekly'")
            late.execute("set constraints all immediate")
            call(late, "issue_token", actor_id="user:bo", never_expires=True)
            late.execute("insert into business_holidays values ('2030-07-05', 'ours')")
            late.commit()
            early.commit()

            assert breaks(late) == []

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (
                "update stages set max_days = 8 where stage = 'cleanup'",
                "update stages set max_days = 9 where stage = 'cleanup'",
            ),
            (
                "delete from business_holidays where day = '2030-07-04'",
                "insert into business_holidays values ('2030-07-04', 'ours')",
            ),
            (
                "truncate actor_logins",
                "insert into actor_logins values ('early', 'user:bo') on conflict (db_role)"
                " do update set actor_id = 'user:bo'",
            ),
            (
                "update actor_logins set actor_id = 'user:bo'",
                "truncate actor_logins",
            ),
        ],
    )
    def test_changes_of_one_row_are_recorded_one_after_the_other(self, fresh_dsn: str, one: str, other: str) -> None:
        with psycopg.connect(fresh_dsn) as early, psycopg.connect(fresh_dsn) as late:
            early.execute("insert into actor_logins values ('early', 'user:ada')")
            early.commit()
            early.execute(one.encode())
            with ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(late.execute, other.encode())
                wait_for_a_lock(fresh_dsn)
                early.commit()
                waiting.result(timeout=20)
            late.commit()

            assert breaks(late) == []

    def test_an_old_snapshot_forks_nothing(self, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as old, psycopg.connect(fresh_dsn) as new:
            old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            old.execute("select 1 from stages")
            new.execute("delete from business_holidays where day = '2030-07-04'")
            new.commit()

            # the holiday's own key is free by now; that of its record is not
            with pytest.raises(psycopg.errors.UniqueViolation, match="administration_history"):
                old.execute("insert into business_holidays values ('2030-07-04', 'ours')")
            assert breaks(new) == []

    def test_many_leave_whole_chains(self, fresh_dsn: str) -> None:
        def administer(number: int) -> None:
            with psycopg.connect(fresh_dsn, autocommit=True) as db:
                for each in range(10):
                    grant(db, f"agent:a{number}", "can_set_flag", {"clients": [each]})
                    db.execute(
                        "update stages set max_days = %s where stage = 'cleanup'",
                        (100 + number * 10 + each,),
                    )

        with psycopg.connect(fresh_dsn) as db:
            before = count(db)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(administer, range(6)))
        with psycopg.connect(fresh_dsn) as db:
            assert (breaks(db), count(db)) == ([], before + 6 * 10 * 2)


def wait_for_a_lock(dsn: str) -> None:
    """Return when a session of this database waits for a lock."""
    with psycopg.connect(dsn, autocommit=True) as db:
        for _ in range(200):
            row = db.execute(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            ).fetchone()
            if row != (0,):
                return
            time.sleep(0.05)
    raise AssertionError("nobody waits")


class TestMigrating:
    def test_what_migrations_recorded_gets_its_hashes(self, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            before = count(db)
            db.execute(GUARDS_OFF.encode())
            db.execute("update administration_history set row_hash = null")
            assert "hash_missing" in {problem for _, problem in breaks(db)}

        migrate(fresh_dsn, force=True)

        with psycopg.connect(fresh_dsn) as db:
            assert (breaks(db), count(db)) == ([], before)

    def test_a_record_around_the_guards_gets_no_hash_by_it(self, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute(GUARDS_OFF.encode())
            db.execute(
                "insert into administration_history (actor_id, channel, about, key, after, changed)"
                " values ('user:eve', 'api', 'stages', '{}', '{}', '{}')"
            )

        migrate(fresh_dsn, force=True)

        with psycopg.connect(fresh_dsn) as db:
            assert (0, "hash_missing") in breaks(db)

    def test_what_hashes_stays_on_in_replica_sessions_whatever_it_was_before(self, fresh_dsn: str) -> None:
        for state in ("disable", "enable", "enable always", "enable replica"):
            with psycopg.connect(fresh_dsn) as db:
                db.execute(
                    f"alter table administration_history {state} trigger administration_history_hash_row".encode()
                )
            migrate(fresh_dsn, force=True)
            with psycopg.connect(fresh_dsn) as db:
                row = db.execute(
                    "select tgenabled::text from pg_trigger where tgname = 'administration_history_hash_row'"
                ).fetchone()
            assert row == ("A",)
