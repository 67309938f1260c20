"""History shows whether it was rewritten, by whomever and however; words can be erased from it all the same."""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from atlas_stage import Stage
from atlas_stage.models import DigestPage
from atlas_stage.ops import evidence
from atlas_stage.ops.deploy import migrate
from tests.support.calls import (
    ADMIN,
    all_breaks,
    begin_anew,
    call,
    grant,
    history_rows,
    make_client,
    move,
    refused,
    verified_pages,
)
from tests.support.databases import Databases


def breaks(db: psycopg.Connection, client: int) -> list[tuple[int, str]]:
    found = call(db, "verify", client_id=client)["breaks"]
    return [(each["version"], each["problem"]) for each in found]


def with_a_past(db: psycopg.Connection) -> int:
    """A client that was made, moved, flagged, changed and rolled back."""
    client = make_client(db, "weekly", owner="user:ada", notes="knows Mr. Grün")
    move(db, client, "eom_close", reason="the month\nends", payload={"note": "東京", "n": 1.50})
    flagged = call(db, "set_flag", client_id=client, flag="client_blocking", reason="no bank feed")
    call(db, "rollback", client_id=client, history_id=flagged["history"]["id"], reason="wrong client")
    call(
        db,
        "update_client",
        client_id=client,
        owner="user:bo",
        notes="asks for Mrs. Grün",
        on_behalf_of="Mrs. Grün",
    )
    move(db, client, "eom_review", triggered_by="close_done")
    return client


def settle(db: psycopg.Connection) -> None:
    """Check deferred constraints now: pending checks block ALTER TABLE."""
    db.execute("set constraints all immediate")
    db.execute("set constraints all deferred")


def around_the_triggers(db: psycopg.Connection, statement: str, parameters: object = ()) -> int:
    settle(db)
    db.execute("alter table stage_history disable trigger user")
    db.execute("alter table clients disable trigger user")
    return db.execute(statement.encode(), parameters).rowcount  # type: ignore[arg-type]


EDITS = {
    "client_id": "client_id + 1000000",
    "from_stage": "'cleanup'",
    "to_stage": "coalesce(to_stage || 'x', 'weekly')",
    "flag_added": "coalesce(flag_added || 'x', 'x')",
    "flag_removed": "coalesce(flag_removed || 'x', 'x')",
    "occurred_at": "occurred_at + interval '1 microsecond'",
    "actor_type": "'agent'",
    "actor_id": "'user:eve'",
    "channel": "'slack'",
    "on_behalf_of": "coalesce(on_behalf_of || 'x', 'x')",
    "triggered_by": "coalesce(triggered_by || 'x', 'x')",
    "trigger_type": "'auto_event'",
    "reason": "coalesce(reason || ' ', '')",
    "payload": "payload || '{\"x\": 1}'",
    "external_id": "coalesce(external_id || 'x', 'x')",
    "close_period": "case when close_period is null then '2001-01' end",
    "batch": "gen_random_uuid()",
    "xid": "(xid::text::bigint + 1)::text::xid8",
    "from_entered_at": "coalesce(from_entered_at + interval '1 day', now())",
    "from_returning_to": "coalesce(from_returning_to || 'x', 'x')",
    "epoch": "epoch + 1",
    "recorded_at": "recorded_at + interval '1 second'",
    "id": "id + 1000000",
    "words_salt": "gen_random_uuid()",
    "row_hash": "sha256(row_hash)",
}


def test_all_kinds_of_changes_verify(db: psycopg.Connection) -> None:
    client = with_a_past(db)
    db.execute(
        "update clients set flags = '{advisory_due}', stage_owner = 'user:cy' where id = %s",
        (client,),
    )

    answer = call(db, "verify", client_id=client)

    assert (answer["breaks"], answer["clients"], answer["rows"]) == (
        [],
        1,
        len(history_rows(db, client)),
    )


@pytest.mark.parametrize("version", [0, 2, 5])
def test_an_edit_of_any_column_is_found(db: psycopg.Connection, version: int) -> None:
    client = with_a_past(db)
    settle(db)
    db.execute("alter table stage_history drop constraint stage_history_client_id_fkey")
    db.execute("alter table clients drop constraint clients_version_recorded_fkey")
    db.execute("alter table stage_history drop constraint stage_history_in_close_check")
    assert breaks(db, client) == []
    for column, edit in EDITS.items():
        with db.transaction(force_rollback=True):
            touched = around_the_triggers(
                db,
                f"update stage_history set {column} = {edit} where client_id = %s and version = %s",
                (client, version),
            )

            assert touched == 1, column
            assert breaks(db, client) != [], column


def test_no_column_of_history_is_left_out_of_the_edits(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select attname::text from pg_attribute where attrelid = 'stage_history'::regclass and attnum > 0"
    ).fetchall()

    assert {row[0] for row in rows} == EDITS.keys() | {"version", "words_hash"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_removal_insertion_or_exchange_is_found(db: psycopg.Connection, data: st.DataObject) -> None:
    begin_anew(db)
    db.execute("alter table clients drop constraint clients_version_recorded_fkey")
    client = with_a_past(db)
    last = len(history_rows(db, client)) - 1
    what = data.draw(st.sampled_from(["remove", "insert", "exchange", "move along"]))
    at = data.draw(st.integers(0, last))
    if what == "remove":
        around_the_triggers(db, "delete from stage_history where client_id = %s and version = %s", (client, at))
    elif what == "insert":  # room is made, and the client's version fits
        around_the_triggers(
            db,
            "update stage_history set version = version + 1000 where client_id = %s and version >= %s",
            (client, at),
        )
        db.execute(
            "insert into stage_history (client_id, version, actor_type, actor_id, channel, trigger_type, flag_added)"
            " values (%s, %s, 'human', 'user:eve', 'api', 'manual', 'advisory_due')",
            (client, at),
        )
        db.execute(
            "update stage_history set version = version - 999 where client_id = %s and version >= 1000",
            (client,),
        )
        db.execute("update clients set version = version + 1 where id = %s", (client,))
    elif what == "exchange":
        other = data.draw(st.integers(0, last).filter(lambda other: other != at))
        for old, new in ((at, 5000), (other, at), (5000, other)):
            around_the_triggers(
                db,
                "update stage_history set version = %s where client_id = %s and version = %s",
                (new, client, old),
            )
    else:  # the last row goes, and the client's version with it to where nothing was
        around_the_triggers(db, "update clients set version = version + 1 where id = %s", (client,))

    assert breaks(db, client) != []


# What might change how a value is written.
SESSION_SETTINGS = [
    "TimeZone = 'Asia/Kathmandu'",
    "DateStyle = 'German'",
    "extra_float_digits = -3",
    "client_encoding = 'LATIN1'",
    "bytea_output = 'escape'",
    "IntervalStyle = 'iso_8601'",
    "quote_all_identifiers = on",
    "lc_numeric = 'C'",
]


@pytest.mark.parametrize("setting", SESSION_SETTINGS)
def test_a_session_sees_the_same_hashes_whatever_it_has_set(db: psycopg.Connection, setting: str) -> None:
    client = with_a_past(db)
    db.execute(f"set local {setting}".encode())

    assert db.execute("select count(*) from rules.history_breaks(%s, %s)", (client, client)).fetchone() == (0,)


def test_a_row_s_hash_is_what_the_documents_say(db: psycopg.Connection) -> None:
    # Made here once more, from what is stored: on another version, or in another language, it comes out the same.
    client = make_client(db, "weekly", external_id="k 1")
    row = history_rows(db, client)[0]
    sent = db.execute(
        "select timestamptz_send(occurred_at), encode(timestamptz_send(recorded_at), 'hex'), xid::text"
        " from stage_history where client_id = %s",
        (client,),
    ).fetchone()
    assert sent is not None
    occurred_at, recorded_at, xid = sent
    words = hashlib.sha256(f'({row["words_salt"]},,,,{{}},"k 1")'.encode()).digest()
    columns = f"(,weekly,,,human,{ADMIN},api,manual,{xid},1,,,{recorded_at},{{}})"

    assert (
        row["row_hash"]
        == hashlib.sha256(words + struct.pack("!qqq", row["id"], client, 0) + occurred_at + columns.encode()).digest()
    )


def test_a_row_without_a_hash_is_found_and_migrate_gives_none_to_one_in_between(
    db: psycopg.Connection,
) -> None:
    client = with_a_past(db)
    around_the_triggers(
        db,
        "update stage_history set row_hash = null where client_id = %s and version = 2",
        (client,),
    )
    settle(db)
    db.execute("alter table stage_history enable trigger user")
    db.execute("select ops.hash_history(0)")

    assert (2, "hash_missing") in breaks(db, client)


def test_history_from_before_gets_its_hashes_and_goes_on_from_them(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        clients = [with_a_past(db), make_client(db)]
        around_the_triggers(db, "update stage_history set row_hash = null, words_salt = null")
        unhashed = move(db, clients[0], "paused_client")["history"]["id"]
        assert db.execute("select row_hash from stage_history where id = %s", (unhashed,)).fetchone() == (None,)
        db.execute("alter table stage_history enable trigger user")
        db.execute("alter table clients enable trigger user")

        migrate(fresh_dsn)

        assert [breaks(db, client) for client in clients] == [[], []]
        move(db, clients[0], "eom_review")
        assert breaks(db, clients[0]) == []


def test_who_is_no_admin_verifies_one_client_and_not_all(db: psycopg.Connection) -> None:
    client = make_client(db)
    assert call(db, "verify", actor="user:ada", client_id=client)["breaks"] == []
    for function in ("verify", "digest"):
        with refused(db, "permission_missing", 403):
            call(db, function, actor="user:ada")


def test_all_clients_are_verified_in_pages(db: psycopg.Connection) -> None:
    made = [make_client(db) for _ in range(5)]
    around_the_triggers(db, "update stage_history set actor_id = 'user:eve' where client_id = %s", (made[3],))
    pages = verified_pages(db, 2)
    clients = sum(page["clients"] for page in pages)
    wrong = {each["client_id"] for page in pages for each in page["breaks"]}

    assert (clients, wrong) == (5, {made[3]})


def test_a_client_whose_version_was_set_back_is_found(db: psycopg.Connection) -> None:
    client = with_a_past(db)
    around_the_triggers(db, "update clients set version = version - 1 where id = %s", (client,))

    assert [problem for _, problem in breaks(db, client)] == ["client_set_back"]


# What this system keeps of a client, changed while nothing records.
CLIENT_EDITS = {
    "id": "id + 1000000",
    "version": "version - 1",
    "stage": "'cleanup'",
    "stage_entered_at": "stage_entered_at - interval '1 microsecond'",
    "returning_to_stage": "'onboarding'",
    "flags": "array_append(flags, 'stuck')",
    "stage_owner": "'user:eve'",
    "stage_collaborators": "'{user:eve}'",
    "stage_notes": "coalesce(stage_notes, '') || 'x'",
    "service_tier": "'full_service'",
    "close_cadence": "'none'",
    "sales_tax_schedule": "'annual'",
    "eligible_reviewers": "'{user:eve}'",
    "active": "not active",
    "close_period": "'2001-01'",
}


@pytest.mark.parametrize("kind", ["with a past", "as it began", "forgotten"])
def test_a_client_that_was_changed_around_the_triggers_is_found(db: psycopg.Connection, kind: str) -> None:
    client = make_client(db, "cleanup") if kind == "as it began" else with_a_past(db)
    if kind == "as it began":
        move(db, client, "weekly")
    if kind == "forgotten":
        call(db, "erase_words", client_id=client, reason="asked to")
    assert breaks(db, client) == []
    settle(db)
    db.execute("alter table clients drop constraint clients_in_close_check")
    db.execute("set local session_replication_role = replica")
    for column, edit in CLIENT_EDITS.items():
        with db.transaction(force_rollback=True):
            db.execute(f"update clients set {column} = {edit} where id = %s".encode(), (client,))

            found = call(db, "verify")["breaks"]

        assert found != [], column
        if column not in ("id", "version"):
            assert [(each["problem"], each["differs"]) for each in found] == [("client_altered", [column])], column


def test_nothing_that_is_kept_of_a_client_is_left_out_of_the_edits(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select attname::text from pg_attribute"
        " where attrelid in ('rules.client_state'::regclass, 'rules.client_fields'::regclass)"
    ).fetchall()

    assert {row[0] for row in rows} - {"fields"} == CLIENT_EDITS.keys()


def test_what_a_client_begins_with_is_what_its_columns_default_to(db: psycopg.Connection) -> None:
    row = db.execute(
        "insert into clients (name, slug) values ('A', 'a')"
        " returning (rules.state_of(clients.*)).fields = (rules.default_client()).fields"
    ).fetchone()

    assert row == (True,)


def test_every_way_a_client_may_have_come_verifies(db: psycopg.Connection) -> None:
    paused = make_client(db, "paused_client", returning_to="cleanup")
    move(db, paused, "paused_internal")
    moved = move(db, paused, "cleanup")["history"]["id"]
    call(db, "rollback", client_id=paused, history_id=moved, reason="not yet")
    begun = call(db, "create_client", name="P", slug="p", stage="paused_client", notes="n")
    db.execute("select rules.act_as('user:jimmie', 'by hand')")
    db.execute(
        "insert into clients (name, slug, stage, flags, stage_owner, close_cadence) values"
        " ('A', 'a', 'paused_internal', '{client_blocking,advisory_due}', 'user:bo', 'none')"
    )
    db.execute(
        "update clients set stage = 'offboarding', active = false, stage_collaborators = '{user:bo,user:ada}',"
        " flags = '{}', eligible_reviewers = '{user:bo}' where slug = 'a'"
    )

    assert begun["client"]["returning_to_stage"] == "onboarding"
    assert call(db, "verify")["breaks"] == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        # one exchanges the histories of two clients, another the clients
        (
            "update stage_history set client_id = 3 - client_id",
            "row_altered",
        ),
        (
            "update clients set id = -1 where id = 1; update clients set id = 1 where id = 2;"
            " update clients set id = 2 where id = -1",
            "client_altered",
        ),
        ("delete from stage_history where client_id = 1", "row_missing"),
        ("delete from clients where id = 1", "client_missing"),
        ("truncate stage_history", "row_missing"),
        ("insert into clients (name, slug) values ('X', 'x')", "row_missing"),
        (
            "update stage_history set row_hash = null, words_salt = null where client_id = 1",
            "hash_missing",
        ),
        (
            'update deleted_clients set history = history || \'{"reason": "another"}\'',
            "row_altered",
        ),
        (
            'update deleted_clients set history = history || \'{"actor_id": "user:eve"}\'',
            "row_altered",
        ),
    ],
)
def test_what_touches_whole_clients_is_found(db: psycopg.Connection, statement: str, problem: str) -> None:
    db.execute("alter sequence clients_id_seq restart with 1")
    for _ in range(2):
        with_a_past(db)
    move(db, 2, "paused_client")
    gone = make_client(db, reason="by hand", slug="by-hand")
    call(db, "delete_client", client_id=gone, reason="a mistake")
    around_the_triggers(db, "set local session_replication_role = replica")
    db.execute("alter table clients drop constraint clients_version_recorded_fkey")
    db.execute("alter table stage_history drop constraint stage_history_client_id_fkey")
    db.execute("alter table stage_history drop constraint stage_history_client_version_uniq")
    assert call(db, "verify")["breaks"] == []

    db.execute(statement.encode())

    assert problem in {each["problem"] for each in call(db, "verify")["breaks"]}


@pytest.mark.parametrize(
    "payload",
    [
        '\'{"rolls_back": "x"}\'',
        "'{\"changed\": [1]}'",
        '\'{"initial": 5, "changed": {"active": 1}}\'',
        "'[]'",
    ],
)
def test_a_history_that_makes_no_sense_is_a_break_and_no_error(db: psycopg.Connection, payload: str) -> None:
    client = with_a_past(db)
    db.execute("drop index stage_history_rolls_back_uniq")
    around_the_triggers(db, f"update stage_history set payload = {payload}, trigger_type = 'rollback'")

    assert "row_altered" in {problem for _, problem in breaks(db, client)}


def digest(stage: Stage, as_of: str | None = None, **more: Any) -> str:
    made = evidence.digest(stage, as_of, **more).digest
    assert made is not None
    return made


def covers(page: DigestPage, dsn: str) -> bool:
    """Whether a digest covers as many history rows as there are."""
    with psycopg.connect(dsn) as db:
        (rows,) = db.execute("select count(*) from stage_history").fetchone() or (None,)
    return f"/rows={rows}/" in str(page.digest)


def move_later(dsn: str) -> None:
    with psycopg.connect(dsn) as db:
        move(db, 1, "paused_client")


class TestDigests:
    @pytest.fixture
    def stage(self, fresh_dsn: str) -> Any:
        with psycopg.connect(fresh_dsn) as db:
            for _ in range(3):
                with_a_past(db)
            grant(db, "user:eve", "can_admin")
        with Stage.connect(fresh_dsn, ADMIN) as stage:
            yield stage

    def test_what_came_later_is_no_rewriting(self, stage: Stage, fresh_dsn: str) -> None:
        gone = stage.create_client(name="By mistake", slug="by-mistake").client
        made = digest(stage)
        with psycopg.connect(fresh_dsn) as db:
            with_a_past(db)
            move(db, 1, "paused_client")
            grant(db, "user:bo", "can_set_stage")
        stage.erase_words(2, reason="asked to")
        stage.delete_client(gone.id, reason="a mistake")

        assert digest(stage, as_of=made) == made
        assert digest(stage) != made

    @pytest.mark.parametrize("page_size", [1, 2, 7])
    def test_a_digest_is_the_same_by_pages_of_any_size(self, stage: Stage, page_size: int) -> None:
        made = digest(stage)
        page = stage.digest(made, page_size=page_size)
        while page.next:
            page = stage.digest(**page.next, page_size=page_size)

        assert page.digest == made

    def test_a_digest_says_what_it_covers(self, stage: Stage, fresh_dsn: str) -> None:
        parts = dict(part.split("=", 1) for part in digest(stage).split("/")[2:])
        with psycopg.connect(fresh_dsn) as db:
            counts = db.execute(
                "select (select count(*) from clients)::text, (select count(*) from stage_history)::text,"
                " (select count(*) from administration_history)::text"
            ).fetchone()

        assert (parts["clients"], parts["rows"], parts["records"]) == counts
        assert datetime.now(UTC) - datetime.fromisoformat(parts["at"]) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        "rewrite",
        [
            # the last change never was, and the client knows nothing of it
            "delete from stage_history where client_id = 2 and version = (select version from clients where id = 2);"
            " update clients c set version = c.version - 1, stage = h.to_stage, stage_entered_at = h.occurred_at"
            " from (select * from stage_history where client_id = 2 and to_stage is not null"
            " order by version desc limit 1) h where c.id = 2",
            # a change of another reason, and every hash from there on computed again
            "update stage_history set reason = 'nothing' where client_id = 2 and version = 1;"
            " update stage_history set row_hash = null where client_id = 2 and version >= 1;"
            " set constraints all immediate; set constraints all deferred;"
            " alter table stage_history enable trigger user; select ops.hash_history(0)",
            # a client that never was
            "delete from clients where id = 2; delete from stage_history where client_id = 2",
            # a grant that never was
            "delete from agent_permissions where actor_id = 'user:eve';"
            " delete from administration_history where after ->> 'actor_id' = 'user:eve'",
            # another actor granted it, and the hash fits
            "update agent_permissions set granted_by = 'user:bo' where actor_id = 'user:eve';"
            " update administration_history set actor_id = 'user:bo', row_hash = null,"
            " after = after || '{\"granted_by\": \"user:bo\"}' where after ->> 'actor_id' = 'user:eve';"
            " update administration_history a set row_hash = rules.administration_hash(a.*, '') where row_hash is null",
            # a client that was deleted, and a record of it, that never were
            "delete from deleted_clients; delete from administration_history where about = 'deleted_clients'",
            # another actor erased words, and the hash fits
            "update erasures set erased_by = 'user:bo'; update administration_history"
            " set after = after || '{\"erased_by\": \"user:bo\"}', row_hash = null where about = 'erasures';"
            " update administration_history a set row_hash = rules.administration_hash(a.*, '') where row_hash is null",
        ],
    )
    def test_a_rewriting_that_fits_together_is_found(self, stage: Stage, fresh_dsn: str, rewrite: str) -> None:
        gone = stage.create_client(name="By mistake", slug="by-mistake").client
        stage.delete_client(gone.id, reason="a mistake")
        stage.erase_words(stage.create_client(name="Shy", slug="shy").client.id, reason="asked to")
        made = digest(stage)
        with psycopg.connect(fresh_dsn) as db:
            db.execute("set constraints all deferred")
            for table in (
                "administration_history",
                "agent_permissions",
                "deleted_clients",
                "erasures",
            ):
                db.execute(f"alter table {table} disable trigger user".encode())
            around_the_triggers(db, rewrite, None)

        assert evidence.verify(stage).breaks == ()
        assert digest(stage, as_of=made) != made

    def test_a_change_that_is_not_committed_is_named_and_in_no_digest(self, stage: Stage, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn, application_name="month end") as late:
            move(late, 1, "paused_client")
            page, pid = evidence.digest(stage, patience=0.3), late.info.backend_pid
            late.commit()

        made = page.digest
        assert [(each.pid, each.program) for each in page.open] == [(pid, "month end")]
        assert made is not None
        assert digest(stage, as_of=made) == made
        assert not covers(page, fresh_dsn)

    def test_a_digest_waits_for_what_is_about_to_be_committed(self, stage: Stage, fresh_dsn: str) -> None:
        with psycopg.connect(fresh_dsn) as late:
            move(late, 1, "paused_client")
            timer = threading.Timer(0.5, late.commit)
            timer.start()
            page = evidence.digest(stage)
            timer.join()

        assert (page.open, covers(page, fresh_dsn)) == ((), True)

    def test_an_open_transaction_of_another_database_holds_up_nothing(
        self, stage: Stage, fresh_dsn: str, databases: Databases
    ) -> None:
        with databases.empty() as other, psycopg.connect(other) as busy:
            busy.execute("create table t ()")
            move_later(fresh_dsn)
            page = evidence.digest(stage)

            assert (page.open, page.left_out, covers(page, fresh_dsn)) == ((), 0, True)

    def test_rows_that_are_left_out_are_counted(self, connect: Callable[[], psycopg.Connection]) -> None:
        # a transaction's own rows are visible to it and may never be committed
        db = connect()
        with db.transaction():
            make_client(db)

            assert call(db, "digest")["left_out"] == 1

    def test_a_digest_of_another_database_does_not_fit(self, stage: Stage, databases: Databases) -> None:
        with databases.clone() as dsn, Stage.connect(dsn, ADMIN) as other:
            other.create_client(name="Elsewhere", slug="elsewhere")
            made = digest(other)

        assert digest(stage, as_of=made) != made

    @pytest.mark.parametrize(
        ("part", "instead"),
        [
            ("digest/1", "digest/2"),
            ("snapshot=", "snapshot=9:1:"),
            ("snapshot=", "snapshot=x"),
            ("snapshot=", "snapshot=99999999999999999999"),
            ("history=", "history=9999999999999999999"),
            ("administration=", "administration="[:0]),
            ("atlas", ""),
        ],
    )
    @pytest.mark.parametrize("argument", ["as_of", "after"])
    def test_what_is_no_digest_is_refused(
        self, stage: Stage, fresh_dsn: str, part: str, instead: str, argument: str
    ) -> None:
        made = stage.digest(page_size=1).next["after"]
        assert made is not None
        with psycopg.connect(fresh_dsn) as db, refused(db, "digest_not_valid", 422):
            call(db, "digest", **{argument: made.replace(part, instead, 1)})

    @pytest.mark.parametrize("end", ["/next=x:1", "/next=clients:99999999999999999999", ""])
    def test_what_is_no_cursor_is_refused(self, stage: Stage, fresh_dsn: str, end: str) -> None:
        made = stage.digest(page_size=1).next["after"]
        assert made is not None
        with psycopg.connect(fresh_dsn) as db, refused(db, "digest_not_valid", 422):
            call(db, "digest", after=made.partition("/next")[0] + end)

    def test_stored_logic_that_lies_is_replaced_by_a_forced_deploy_and_then_tells(
        self, stage: Stage, fresh_dsn: str
    ) -> None:
        with psycopg.connect(fresh_dsn) as db:
            around_the_triggers(db, "update stage_history set actor_id = 'user:eve'")
            db.execute(
                "create or replace function rules.history_breaks(from_client_id bigint, to_client_id bigint)"
                " returns table (client_id bigint, version bigint, history_id bigint, problem text, differs text[])"
                " language sql as $$ select null::bigint, 0::bigint, 0::bigint, '', '{}'::text[] where false $$"
            )
            told = (
                "select count(*) from ops.findings(true)"
                " where finding = 'not_as_deployed' and what like '%history_breaks%'"
            )
            assert db.execute(told).fetchone() == (1,)
            # and what says how it was deployed is made to fit
            db.execute(
                "update stage_installation i set value = f.value from ops.installation() f"
                " where (f.kind, f.name, f.aspect) = (i.kind, i.name, i.aspect)"
            )
            assert db.execute(told).fetchone() == (0,)
        assert stage.verify().breaks == ()

        migrate(fresh_dsn, force=True)

        assert stage.verify().breaks != ()


class TestErasing:
    def test_the_words_are_gone_and_history_still_verifies(self, db: psycopg.Connection) -> None:
        client = with_a_past(db)
        call(
            db,
            "set_flag",
            client_id=client,
            flag="advisory_due",
            reason="Grün calls",
            external_id="k-9",
        )
        before = history_rows(db, client)

        answer = call(db, "erase_words", client_id=client, reason="Mrs. Gruen asked us to")

        stored = db.execute(
            "select string_agg(t.line, ' ') from (select to_jsonb(h)::text as line from stage_history h"
            " where client_id = %(id)s union all select to_jsonb(c)::text from clients c where id = %(id)s"
            " union all select to_jsonb(k)::text from idempotency_keys k) t",
            {"id": client},
        ).fetchone()
        assert stored is not None
        assert not any(word in stored[0] for word in ("Grün", "東京", "bank feed", "the month"))
        rows = history_rows(db, client)
        kept = ("version", "actor_id", "occurred_at", "to_stage", "flag_added", "row_hash")
        assert [[row[name] for name in kept] for row in rows[:-1]] == [[row[name] for name in kept] for row in before]
        assert rows[-2]["payload"] == {}
        assert rows[4]["payload"]["changed"] == {"stage_owner": {"from": "user:ada", "to": "user:bo"}}
        found = call(db, "verify", client_id=client)
        assert found["breaks"] == []
        assert [each["erased_by"] for each in found["erasures"]] == [ADMIN]
        assert (answer["changed"], answer["erasure"]["reason"]) == (True, "Mrs. Gruen asked us to")

    def test_again_is_no_change_and_what_is_written_later_can_be_erased_later(self, db: psycopg.Connection) -> None:
        client = with_a_past(db)
        first = call(db, "erase_words", client_id=client, reason="asked to")
        again = call(db, "erase_words", client_id=client, reason="asked to")
        assert (again["changed"], again["erasure"]) == (False, first["erasure"])
        move(db, client, "weekly", override=True, reason="Grün signed")
        later = call(db, "erase_words", client_id=client, reason="asked again")

        assert (later["changed"], later["erasure"]["rows"], breaks(db, client)) == (True, 1, [])

    def test_an_erasure_that_is_at_work_holds_up_nobody_but_its_client(
        self, connect: Callable[[], psycopg.Connection]
    ) -> None:
        eraser, writer = connect(), connect()
        forgotten, other = with_a_past(eraser), make_client(eraser)
        writer.execute("set lock_timeout = '1s'")
        with eraser.transaction():
            call(eraser, "erase_words", client_id=forgotten, reason="asked to")
            assert move(writer, other, "eom_close")["changed"]
            grant(writer, "user:bo", "can_set_stage")
            call(writer, "erase_words", client_id=other, reason="asked to")
            assert call(writer, "client", client_id=forgotten)["client"]["id"] == forgotten

        assert all_breaks(writer) == []

    def test_only_an_admin_erases(self, db: psycopg.Connection) -> None:
        client = with_a_past(db)
        grant(db, "user:ada", "can_set_stage")
        with refused(db, "permission_missing", 403, permission="can_admin"):
            call(db, "erase_words", actor="user:ada", client_id=client, reason="why not")

    def test_an_erasure_says_why(self, db: psycopg.Connection) -> None:
        with refused(db, "reason_required", 422):
            call(db, "erase_words", client_id=make_client(db), reason=" ")

    def test_words_that_vanish_without_a_record_are_found(self, db: psycopg.Connection) -> None:
        client = with_a_past(db)
        db.execute(
            "update stage_history h set words_hash = w.words_hash, words_salt = null, reason = null,"
            " on_behalf_of = null, triggered_by = null, payload = w.payload"
            " from stage_history o, rules.without_words(o) w"
            " where o.id = h.id and h.client_id = %s and h.version = 1",
            (client,),
        )

        assert breaks(db, client) == [(1, "erasure_not_recorded")]

    @pytest.mark.parametrize(
        "statement",
        [
            "update stage_history set reason = 'other'",
            "update stage_history set reason = null",
            "update stage_history set words_hash = sha256('x'), words_salt = null, reason = null",
            "update stage_history set row_hash = sha256(row_hash)",
            "update stage_history set row_hash = null",
        ],
    )
    def test_the_guard_lets_no_other_update_through(self, db: psycopg.Connection, statement: str) -> None:
        with_a_past(db)
        with refused(db, "history_is_append_only", 403):
            db.execute(statement.encode())

    @pytest.mark.parametrize("statement", ["delete from erasures", "update erasures set erased_by = 'user:eve'"])
    def test_an_erasure_stays_on_record(self, db: psycopg.Connection, statement: str) -> None:
        with refused(db, "record_is_append_only", 403, table="erasures"):
            db.execute(statement.encode())
