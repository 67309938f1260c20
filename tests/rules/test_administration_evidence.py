"""The record of administration shows whether it was rewritten, by whomever and however."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from atlas_stage import Stage
from atlas_stage.ops import checkpoints
from atlas_stage.ops.deploy import migrate
from tests.rules.test_evidence import SESSION_SETTINGS, settle
from tests.support.calls import ADMIN, call, grant, make_client, move, refused

GUARDS_OFF = "alter table administration_history disable trigger user"


def breaks(db: psycopg.Connection) -> list[tuple[int | None, str]]:
    found = call(db, "verify_administration")["breaks"]
    return [(each["place"], each["problem"]) for each in found]


def length(db: psycopg.Connection) -> int:
    row = db.execute("select length from administration_chain").fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def recorded(db: psycopg.Connection) -> psycopg.Connection:
    """With records of a grant and of plain SQL at the end, and the guards off."""
    grant(db, "user:bo", "can_set_stage", {"to": ["weekly"]})
    db.execute("update stages set max_days = 9 where stage in ('cleanup', 'weekly')")
    settle(db)
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
    "place": "place + 1000000",
    "row_hash": "sha256(row_hash)",
}


def test_all_ways_of_administration_verify(db: psycopg.Connection) -> None:
    before = length(db)
    grant(db, "user:bo", "can_set_stage")
    db.execute("insert into business_holidays values ('2030-07-05', 'Büro zu – 東京')")
    db.execute("delete from business_holidays where day = '2030-07-05'")
    db.execute("set local session_replication_role = replica")
    db.execute("update stage_settings set separate_reviewer = true")
    settle(db)

    assert (breaks(db), length(db)) == ([], before + 4)


@pytest.mark.parametrize("column", EDITS)
@pytest.mark.parametrize("from_the_end", [0, 1, 20])
def test_an_edit_of_any_column_is_found(
    recorded: psycopg.Connection, column: str, from_the_end: int
) -> None:
    touched = recorded.execute(
        f"update administration_history set {column} = {EDITS[column]} where place = %s".encode(),
        (length(recorded) - from_the_end,),
    )

    assert touched.rowcount == 1
    assert breaks(recorded) != []


def test_no_column_is_left_out_of_the_edits(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select attname::text from pg_attribute"
        " where attrelid = 'administration_history'::regclass and attnum > 0 and not attisdropped"
    ).fetchall()

    assert {row[0] for row in rows} == EDITS.keys()


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("delete from administration_history where place = 1", "row_missing"),
        ("delete from administration_history where place = 7", "row_missing"),
        (
            "delete from administration_history where place = (select length from administration_chain)",
            "row_missing",
        ),
        ("update administration_chain set length = length - 1", "chain_set_back"),
        ("update administration_chain set row_hash = sha256(row_hash)", "row_altered"),
        ("delete from administration_chain", "chain_set_back"),
        (
            "insert into administration_history (actor_id, channel, about, key, after, changed)"
            " values ('user:eve', 'api', 'stages', '{}', '{}', '{}');"
            " update administration_history set xid = '3' where row_hash is null",
            "hash_missing",
        ),
        (
            "update administration_history set place = -place where place >= 9;"
            " update administration_history set place = 1 - place where place < 0;"
            " insert into administration_history (actor_id, channel, about, key, after, changed, place, row_hash)"
            " select 'user:eve', 'api', 'stages', '{}', '{}', '{}', 9, row_hash"
            " from administration_history where place = 8;"
            " update administration_chain set length = length + 1",
            "row_altered",
        ),
        (
            "update administration_history set place = -8 where place = 8;"
            " update administration_history set place = 8 where place = 9;"
            " update administration_history set place = 9 where place = -8",
            "row_altered",
        ),
        (
            "update administration_history set place = place - 5 where place = 1",
            "row_missing",
        ),
        # a record outside of the chain that looks as if it were in it
        (
            "insert into administration_history (actor_id, channel, about, key, after, changed, row_hash, xid)"
            " values ('user:eve', 'api', 'stages', '{}', '{}', '{}', sha256('x'), '3')",
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
    call(recorded, "erase_words", client_id=make_client(recorded), reason="asked to")
    call(recorded, "delete_client", client_id=make_client(recorded), reason="a mistake")
    settle(recorded)
    assert breaks(recorded) == []
    about = statement.replace("insert into ", "").replace("delete from ", "").split()
    table = about[1] if about[0] == "update" else about[0]
    recorded.execute(f"alter table {table} disable trigger user".encode())

    recorded.execute(statement.encode())

    found = call(recorded, "verify_administration")["breaks"]
    assert (table, problem) in {(each["about"], each["problem"]) for each in found}


def test_each_table_on_record_is_among_those_changed_while_nothing_recorded(
    db: psycopg.Connection,
) -> None:
    (tables,) = db.execute("select rules.administered_tables()").fetchone() or ((),)

    assert [t for t in tables if not any(t in statement for statement, _ in UNRECORDED)] == []


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
    recorded.execute("alter table agent_permissions disable trigger user")
    recorded.execute("update agent_permissions set notes = 'x' where actor_id = 'user:bo'")
    wrong = {None, 1, 10, 11, 20, length(recorded)}
    recorded.execute(
        "update administration_history set actor_id = 'user:eve' where place = any(%s)",
        (list(wrong),),
    )
    found: set[int | None] = set()
    records, after, last = 0, None, None
    while True:
        page = call(recorded, "verify_administration", after=after, page_size=10)
        found |= {each["place"] for each in page["breaks"]}
        records += page["records"]
        after, last = page["next_after"], page["place"]
        if after is None:
            break

    assert (found, records, last) == (wrong, length(recorded), length(recorded))


@pytest.mark.parametrize("after", [-(2**63), 2**63 - 1])
def test_a_place_that_is_none_finds_nothing(db: psycopg.Connection, after: int) -> None:
    page = call(db, "verify_administration", after=after)

    assert page["breaks"] == []


@pytest.mark.parametrize("setting", SESSION_SETTINGS)
def test_a_session_sees_the_same_hashes_whatever_it_has_set(
    db: psycopg.Connection, setting: str
) -> None:
    db.execute(f"set local {setting}".encode())

    assert breaks(db) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update administration_history set place = null, row_hash = null where place = 3",
        "update administration_history set row_hash = sha256('x') where place = 3",
        "update administration_history set place = 1000000 where place = 3",
    ],
)
def test_the_guard_keeps_a_record_s_place_and_hash(db: psycopg.Connection, statement: str) -> None:
    with refused(db, "record_is_append_only", 403, table="administration_history"):
        db.execute(statement.encode())


def test_who_records_cannot_say_it_otherwise_before_the_commit(db: psycopg.Connection) -> None:
    db.execute("update stages set max_days = 9 where stage = 'cleanup'")
    with refused(db, "record_is_append_only", 403, table="administration_history"):
        db.execute("update administration_history set actor_id = 'user:bo' where row_hash is null")


def test_only_an_admin_verifies_it(db: psycopg.Connection) -> None:
    with refused(db, "permission_missing", 403, permission="can_admin"):
        call(db, "verify_administration", actor="user:ada")


class TestAtTheSameTime:
    def test_who_commits_first_comes_first_and_nobody_waits_for_an_open_transaction(
        self, fresh_dsn: str
    ) -> None:
        with psycopg.connect(fresh_dsn) as early, psycopg.connect(fresh_dsn) as late:
            early.execute("update stages set max_days = 8 where stage = 'cleanup'")
            late.execute("set local lock_timeout = '20s'")
            late.execute("update stages set max_days = 9 where stage = 'weekly'")
            late.commit()
            early.commit()

            assert breaks(late) == []
            row = late.execute(
                "select array_agg(key ->> 'stage' order by place) from"
                " (select * from administration_history order by place desc limit 2) as newest"
            ).fetchone()
            assert row == (["weekly", "cleanup"],)

    def test_two_that_change_a_rule_and_a_client_in_turn_stand_in_no_deadlock(
        self, fresh_dsn: str
    ) -> None:
        with psycopg.connect(fresh_dsn) as setup:
            client = make_client(setup, "weekly")
        with psycopg.connect(fresh_dsn) as one, psycopg.connect(fresh_dsn) as other:
            one.execute("update stages set max_days = 8 where stage = 'cleanup'")
            other.execute("set local lock_timeout = '20s'")
            move(other, client, "paused_client")
            other.execute("update stages set max_days = 9 where stage = 'weekly'")
            other.commit()
            move(one, client, "weekly")
            one.commit()

            assert breaks(one) == []

    def test_many_leave_one_chain(self, fresh_dsn: str) -> None:
        def administer(number: int) -> None:
            with psycopg.connect(fresh_dsn, autocommit=True) as db:
                for each in range(10):
                    grant(db, f"agent:a{number}", "can_set_flag", {"clients": [each]})
                    with db.transaction():
                        db.execute(
                            "insert into business_holidays values ('2040-01-01'::date + %s, 'x'),"
                            " ('2050-01-01'::date + %s, 'y')",
                            (number * 100 + each, number * 100 + each),
                        )

        with psycopg.connect(fresh_dsn) as db:
            before = length(db)
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(administer, range(6)))
        with psycopg.connect(fresh_dsn) as db:
            assert (breaks(db), length(db)) == ([], before + 6 * 10 * 3)

    def test_an_old_snapshot_forks_nothing(self, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as old, psycopg.connect(fresh_dsn) as new:
            old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            old.execute("update stages set max_days = 8 where stage = 'cleanup'")
            new.execute("update stages set max_days = 9 where stage = 'weekly'")
            new.commit()

            with pytest.raises(psycopg.errors.SerializationFailure):
                old.commit()
            assert breaks(new) == []


class TestMigrating:
    def test_what_was_recorded_before_becomes_the_beginning(self, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            before = length(db)
            db.execute(GUARDS_OFF.encode())
            db.execute("update administration_history set place = null, row_hash = null")
            db.execute("delete from administration_chain")

        migrate(fresh_dsn, force=True)

        with psycopg.connect(fresh_dsn) as db:
            assert (breaks(db), length(db)) == ([], before)
            ordered = db.execute(
                "select count(*) from administration_history a join administration_history b"
                " on b.place = a.place + 1 and b.id < a.id"
            ).fetchone()
            assert ordered == (0,)

    def test_a_record_around_the_guards_gets_no_place_by_it(self, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as db:
            db.execute(GUARDS_OFF.encode())
            db.execute(
                "insert into administration_history (actor_id, channel, about, key, after, changed)"
                " values ('user:eve', 'api', 'stages', '{}', '{}', '{}')"
            )

        migrate(fresh_dsn, force=True)

        with psycopg.connect(fresh_dsn) as db:
            assert (None, "hash_missing") in breaks(db)

    def test_what_chains_stays_on_in_replica_sessions_whatever_it_was_before(
        self, fresh_dsn: str
    ) -> None:
        for state in ("disable", "enable", "enable always", "enable replica"):
            with psycopg.connect(fresh_dsn) as db:
                db.execute(
                    f"alter table administration_history {state} trigger administration_history_chain".encode()
                )
            migrate(fresh_dsn, force=True)
            with psycopg.connect(fresh_dsn) as db:
                row = db.execute(
                    "select tgenabled::text from pg_trigger where tgname = 'administration_history_chain'"
                ).fetchone()
            assert row == ("A",)


class TestCheckpoints:
    KEY = b"k" * 32

    @pytest.fixture
    def stage(self, fresh_dsn: str) -> Any:
        with psycopg.connect(fresh_dsn) as db:
            grant(db, "user:eve", "can_admin")
        with Stage.connect(fresh_dsn, ADMIN) as stage:
            yield stage

    def rewritten(self, stage: Stage, file: Path) -> bool:
        return checkpoints.compare(stage, file, self.KEY).administration_rewritten

    def test_what_came_later_is_no_rewriting(
        self, stage: Stage, fresh_dsn: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "c.json"
        checkpoints.write(stage, file, self.KEY)
        with psycopg.connect(fresh_dsn) as db:
            grant(db, "user:bo", "can_set_stage")

        assert not self.rewritten(stage, file)

    @pytest.mark.parametrize(
        "rewrite",
        [
            # the newest never was, and neither the end of the chain nor the table knows anything of it
            "alter table agent_permissions disable trigger user;"
            " delete from agent_permissions where actor_id = 'user:eve';"
            " delete from administration_history where place = (select length from administration_chain);"
            " update administration_chain set length = length - 1, row_hash ="
            " (select row_hash from administration_history order by place desc limit 1)",
            # somebody else did it, and all hashes were made anew
            "update administration_history set actor_id = 'user:bo', place = null, row_hash = null where place = 3;"
            " update administration_history set place = null, row_hash = null;"
            " delete from administration_chain;"
            " select rules.chain_record(a.*) from (select * from administration_history order by id) as a",
        ],
    )
    def test_a_rewriting_that_fits_together_is_found(
        self, stage: Stage, fresh_dsn: str, tmp_path: Path, rewrite: str
    ) -> None:
        file = tmp_path / "c.json"
        checkpoints.write(stage, file, self.KEY)
        with psycopg.connect(fresh_dsn) as db:
            db.execute(GUARDS_OFF.encode())
            db.execute(rewrite.encode())
            assert breaks(db) == []

        assert self.rewritten(stage, file)
