"""History shows whether it was rewritten, by whomever and however; words can be erased from it all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from atlas_stage import InvalidInput, Stage
from atlas_stage.ops import checkpoints
from atlas_stage.ops.deploy import migrate
from tests.support.calls import (
    ADMIN,
    begin_anew,
    call,
    grant,
    history_rows,
    make_client,
    move,
    refused,
)
from tests.support.databases import Databases


def breaks(db: psycopg.Connection, client: int) -> list[tuple[int, str]]:
    found = call(db, "verify_history", client_id=client)["breaks"]
    return [(each["version"], each["problem"]) for each in found]


def with_a_past(db: psycopg.Connection) -> int:
    """A client that was made, moved, flagged, changed and rolled back."""
    client = make_client(db, "weekly", owner="user:ada", notes="knows Mr. Grün")
    move(db, client, "eom_close", reason="the month\nends", payload={"note": "東京", "n": 1.50})
    flagged = call(db, "set_flag", client_id=client, flag="client_blocking", reason="no bank feed")
    call(
        db, "rollback", client_id=client, history_id=flagged["history"]["id"], reason="wrong client"
    )
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
    """Check what is put off until the commit, which stands in the way of altering tables."""
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

    answer = call(db, "verify_history", client_id=client)

    assert (answer["breaks"], answer["clients"], answer["rows"]) == (
        [],
        1,
        len(history_rows(db, client)),
    )


@pytest.mark.parametrize("column", EDITS)
@pytest.mark.parametrize("version", [0, 2, 5])
def test_an_edit_of_any_column_is_found(db: psycopg.Connection, column: str, version: int) -> None:
    client = with_a_past(db)
    settle(db)
    db.execute("alter table stage_history drop constraint stage_history_client_id_fkey")
    db.execute("alter table clients drop constraint clients_version_recorded_fkey")
    touched = around_the_triggers(
        db,
        f"update stage_history set {column} = {EDITS[column]} where client_id = %s and version = %s",
        (client, version),
    )

    assert touched == 1
    assert breaks(db, client) != []


def test_no_column_of_history_is_left_out_of_the_edits(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select attname::text from pg_attribute where attrelid = 'stage_history'::regclass and attnum > 0"
    ).fetchall()

    assert {row[0] for row in rows} == EDITS.keys() | {"version", "words_hash"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_single_removal_insertion_or_exchange_is_found(
    db: psycopg.Connection, data: st.DataObject
) -> None:
    begin_anew(db)
    db.execute("alter table clients drop constraint clients_version_recorded_fkey")
    client = with_a_past(db)
    last = len(history_rows(db, client)) - 1
    what = data.draw(st.sampled_from(["remove", "insert", "exchange", "move along"]))
    at = data.draw(st.integers(0, last))
    if what == "remove":
        around_the_triggers(
            db, "delete from stage_history where client_id = %s and version = %s", (client, at)
        )
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
def test_a_session_sees_the_same_hashes_whatever_it_has_set(
    db: psycopg.Connection, setting: str
) -> None:
    client = with_a_past(db)
    db.execute(f"set local {setting}".encode())

    assert db.execute(
        "select count(*) from rules.history_breaks(%s, %s)", (client, client)
    ).fetchone() == (0,)


def test_a_row_s_hash_is_what_the_documents_say(db: psycopg.Connection) -> None:
    # Made here once more, from what is stored: on another version, or in another language, it comes out the same.
    client = make_client(db, "weekly")
    row = db.execute(
        "select encode(sha256(convert_to('[\"\", ' || id || ', ' || client_id || ', 0, null, \"weekly\", null, null,'"
        " || ' \"' || encode(timestamptz_send(occurred_at), 'hex')"
        ' || \'", "human", "user:jimmie", "api", "manual", "\''
        " || xid || '\", 1, null, null, \"' || encode(timestamptz_send(recorded_at), 'hex') || '\", {}, \"'"
        " || encode(sha256(convert_to('[\"' || words_salt || '\", null, null, null, {}, null]', 'UTF8')), 'hex')"
        " || '\"]', 'UTF8')), 'hex') = encode(row_hash, 'hex') from stage_history where client_id = %s",
        (client,),
    ).fetchone()

    assert row == (True,)


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
        assert db.execute(
            "select row_hash from stage_history where id = %s", (unhashed,)
        ).fetchone() == (None,)
        db.execute("alter table stage_history enable trigger user")
        db.execute("alter table clients enable trigger user")

        migrate(fresh_dsn)

        assert [breaks(db, client) for client in clients] == [[], []]
        move(db, clients[0], "eom_review")
        assert breaks(db, clients[0]) == []


def test_who_is_no_admin_verifies_one_client_and_not_all(db: psycopg.Connection) -> None:
    client = make_client(db)
    assert call(db, "verify_history", actor="user:ada", client_id=client)["breaks"] == []
    for function in ("verify_history", "history_seals"):
        with refused(db, "permission_missing", 403):
            call(db, function, actor="user:ada")


def test_all_clients_are_verified_in_pages(db: psycopg.Connection) -> None:
    made = [make_client(db) for _ in range(5)]
    around_the_triggers(
        db, "update stage_history set actor_id = 'user:eve' where client_id = %s", (made[3],)
    )
    after, clients, wrong = None, 0, set()
    while True:
        page = call(db, "verify_history", after=after, page_size=2)
        clients += page["clients"]
        wrong |= {each["client_id"] for each in page["breaks"]}
        after = page["next_after"]
        if after is None:
            break

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
}


@pytest.mark.parametrize("kind", ["with a past", "as it began", "forgotten"])
@pytest.mark.parametrize("column", CLIENT_EDITS)
def test_a_client_that_was_changed_around_the_triggers_is_found(
    db: psycopg.Connection, column: str, kind: str
) -> None:
    client = make_client(db, "cleanup") if kind == "as it began" else with_a_past(db)
    if kind == "as it began":
        move(db, client, "weekly")
    if kind == "forgotten":
        call(db, "erase_words", client_id=client, reason="asked to")
    assert breaks(db, client) == []
    settle(db)
    db.execute("set local session_replication_role = replica")
    db.execute(
        f"update clients set {column} = {CLIENT_EDITS[column]} where id = %s".encode(), (client,)
    )

    found = call(db, "verify_history")["breaks"]

    assert found != []
    if column not in ("id", "version"):
        assert [(each["problem"], each["differs"]) for each in found] == [
            ("client_altered", [column])
        ]


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
    assert call(db, "verify_history")["breaks"] == []


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
def test_what_touches_whole_clients_is_found(
    db: psycopg.Connection, statement: str, problem: str
) -> None:
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
    assert call(db, "verify_history")["breaks"] == []

    db.execute(statement.encode())

    assert problem in {each["problem"] for each in call(db, "verify_history")["breaks"]}


@pytest.mark.parametrize(
    "payload",
    [
        '\'{"rolls_back": "x"}\'',
        "'{\"changed\": [1]}'",
        '\'{"initial": 5, "changed": {"active": 1}}\'',
        "'[]'",
    ],
)
def test_a_history_that_makes_no_sense_is_a_break_and_no_error(
    db: psycopg.Connection, payload: str
) -> None:
    client = with_a_past(db)
    db.execute("drop index stage_history_rolls_back_uniq")
    around_the_triggers(
        db, f"update stage_history set payload = {payload}, trigger_type = 'rollback'"
    )

    assert "row_altered" in {problem for _, problem in breaks(db, client)}


class TestCheckpoints:
    KEY = b"k" * 32

    @pytest.fixture
    def stage(self, fresh_dsn: str) -> Any:
        with psycopg.connect(fresh_dsn) as db:
            for _ in range(3):
                with_a_past(db)
        with Stage.connect(fresh_dsn, ADMIN) as stage:
            yield stage

    def compared(self, stage: Stage, file: Path) -> tuple[int, ...]:
        return checkpoints.compare(stage, file, self.KEY).rewritten

    def test_what_came_later_is_no_rewriting(
        self, stage: Stage, fresh_dsn: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "c.json"
        gone = stage.create_client(name="By mistake", slug="by-mistake").client
        checkpoints.write(stage, file, self.KEY)
        with psycopg.connect(fresh_dsn) as db:
            with_a_past(db)
            move(db, 1, "paused_client")
        stage.erase_words(2, reason="asked to")
        stage.delete_client(gone.id, reason="a mistake")

        assert self.compared(stage, file) == ()

    @pytest.mark.parametrize(
        "rewrite",
        [
            # the last change never was, and the client knows nothing of it
            "delete from stage_history where client_id = 2 and version = (select version from clients where id = 2);"
            " update clients c set version = c.version - 1, stage = h.to_stage, stage_entered_at = h.occurred_at"
            " from (select * from stage_history where client_id = 2 and to_stage is not null"
            " order by version desc limit 1) h where c.id = 2",
            # a change of another reason, and every hash from there on made anew
            "update stage_history set reason = 'nothing' where client_id = 2 and version = 1;"
            " update stage_history set row_hash = null where client_id = 2 and version >= 1;"
            " set constraints all immediate; set constraints all deferred;"
            " alter table stage_history enable trigger user; select ops.hash_history(0)",
            # a client that never was
            "delete from clients where id = 2; delete from stage_history where client_id = 2",
        ],
    )
    def test_a_rewriting_that_fits_together_is_found(
        self, stage: Stage, fresh_dsn: str, tmp_path: Path, rewrite: str
    ) -> None:
        file = tmp_path / "c.json"
        checkpoints.write(stage, file, self.KEY)
        with psycopg.connect(fresh_dsn) as db:
            db.execute("set constraints all deferred")
            around_the_triggers(db, rewrite, None)

        assert [
            problem for page in checkpoints.verifications(stage) for problem in page.breaks
        ] == []
        assert self.compared(stage, file) == (0,)

    def test_a_change_that_was_not_committed_is_in_no_checkpoint(
        self, stage: Stage, fresh_dsn: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "c.json"
        with psycopg.connect(fresh_dsn) as late:
            move(late, 1, "paused_client")
            checkpoints.write(stage, file, self.KEY)
            late.commit()

        assert self.compared(stage, file) == ()

    def test_a_checkpoint_is_believed_with_its_key_only(self, stage: Stage, tmp_path: Path) -> None:
        file = tmp_path / "c.json"
        checkpoints.write(stage, file, self.KEY)
        with pytest.raises(InvalidInput, match="not signed with this key"):
            checkpoints.compare(stage, file, b"x" * 32)
        file.write_text(file.read_text().replace('"format": 1', '"format": 2'))
        with pytest.raises(InvalidInput, match="not signed with this key"):
            checkpoints.compare(stage, file, self.KEY)
        with pytest.raises(InvalidInput, match="cannot be written"):
            checkpoints.write(stage, file, self.KEY)
        (tmp_path / "key").write_text("short")
        with pytest.raises(InvalidInput, match="at least 32"):
            checkpoints.read_key(tmp_path / "key")

    def test_a_file_that_is_no_checkpoint_is_refused(self, stage: Stage, tmp_path: Path) -> None:
        file = tmp_path / "c.json"
        checkpoints.write(stage, file, self.KEY)
        whole = file.read_text()
        for spoilt in (
            "",
            whole[:-20],
            "[]",
            '"x"',
            "[" * 100_000,
            '{"checkpoint": "x", "hmac_sha256": "x"}',
            '{"checkpoint": {"seals": 1, "as_of": "1"}, "hmac_sha256": "x"}',
            '{"checkpoint": {"seals": [], "as_of": "1", "administration": 5}, "hmac_sha256": "é"}',
        ):
            file.write_text(spoilt, encoding="utf-8")
            with pytest.raises(InvalidInput, match="is no checkpoint"):
                checkpoints.compare(stage, file, self.KEY)
        file.write_bytes(b"\xff\xfe")
        with pytest.raises(InvalidInput, match="is no checkpoint"):
            checkpoints.compare(stage, file, self.KEY)

    def test_a_checkpoint_of_another_database_does_not_fit(
        self, stage: Stage, databases: Databases, tmp_path: Path
    ) -> None:
        file = tmp_path / "c.json"
        with databases.clone() as dsn, Stage.connect(dsn, ADMIN) as other:
            other.create_client(name="Elsewhere", slug="elsewhere")
            checkpoints.write(other, file, self.KEY)

        assert self.compared(stage, file) == (0,)

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
        assert stage.verify_history().breaks == ()

        migrate(fresh_dsn, force=True)

        assert stage.verify_history().breaks != ()


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
        assert [[row[name] for name in kept] for row in rows[:-1]] == [
            [row[name] for name in kept] for row in before
        ]
        assert rows[-2]["payload"] == {}
        assert rows[4]["payload"]["changed"] == {
            "stage_owner": {"from": "user:ada", "to": "user:bo"}
        }
        found = call(db, "verify_history", client_id=client)
        assert found["breaks"] == []
        assert [each["erased_by"] for each in found["erasures"]] == [ADMIN]
        assert (answer["changed"], answer["erasure"]["reason"]) == (True, "Mrs. Gruen asked us to")

    def test_again_is_no_change_and_what_is_written_later_can_be_erased_later(
        self, db: psycopg.Connection
    ) -> None:
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

        assert call(writer, "verify_history")["breaks"] == []
        assert call(writer, "verify_administration")["breaks"] == []

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
    def test_the_guard_lets_no_other_update_through(
        self, db: psycopg.Connection, statement: str
    ) -> None:
        with_a_past(db)
        with refused(db, "history_is_append_only", 403):
            db.execute(statement.encode())

    @pytest.mark.parametrize(
        "statement", ["delete from erasures", "update erasures set erased_by = 'user:eve'"]
    )
    def test_an_erasure_stays_on_record(self, db: psycopg.Connection, statement: str) -> None:
        with refused(db, "record_is_append_only", 403, table="erasures"):
            db.execute(statement.encode())
