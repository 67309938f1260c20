"""Each change of what decides the rules is recorded with its actor, however it is made."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import ADMIN, as_actor, call, grant, refused

# A plain statement, the table it is about, the key of the row, and what of it differs.
STATEMENTS = [
    (
        "update stage_settings set separate_reviewer = true",
        "stage_settings",
        {"only_row": True},
        ["separate_reviewer"],
    ),
    (
        "update stages set max_days = 5 where stage = 'eom_review'",
        "stages",
        {"stage": "eom_review"},
        ["max_days"],
    ),
    (
        "update stage_transitions set permission = 'can_offboard' where from_stage = 'weekly' and to_stage = 'cleanup'",
        "stage_transitions",
        {"from_stage": "weekly", "to_stage": "cleanup"},
        ["permission"],
    ),
    (
        "update stage_flags set set_by = '{human}' where flag = 'client_blocking'",
        "stage_flags",
        {"flag": "client_blocking"},
        ["set_by"],
    ),
    (
        "update stage_seasons set to_day = 16 where flag = 'season_tax'",
        "stage_seasons",
        {"flag": "season_tax"},
        ["to_day"],
    ),
    (
        "insert into business_holidays values ('2030-07-05', 'ours')",
        "business_holidays",
        {"day": "2030-07-05"},
        [],
    ),
    (
        "delete from business_holidays where day = '2030-07-04'",
        "business_holidays",
        {"day": "2030-07-04"},
        [],
    ),
    ("insert into actor_logins values ('ada', 'user:ada')", "actor_logins", {"db_role": "ada"}, []),
    (
        "insert into agent_permissions (id, actor_id, permission, granted_by)"
        " values (900, 'user:eve', 'can_admin', 'x')",
        "agent_permissions",
        {"id": 900},
        [],
    ),
    (
        "insert into actor_tokens (token_hash, actor_id, created_by) values (repeat('cd', 32), 'user:eve', 'x')",
        "actor_tokens",
        {"id": "cdcdcdcdcdcd"},
        [],
    ),
]


def records(db: psycopg.Connection, **arguments: Any) -> list[dict[str, Any]]:
    found = call(db, "administration", **arguments)["records"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize(("statement", "about", "key", "changed"), STATEMENTS)
def test_a_plain_statement_is_on_record_as_its_login(
    db: psycopg.Connection, statement: str, about: str, key: dict[str, Any], changed: list[str]
) -> None:
    login = db.info.user
    db.execute(statement.encode())

    newest = records(db)[0]

    assert (newest["about"], newest["key"], newest["changed"]) == (about, key, changed)
    assert (newest["actor_id"], newest["login"], newest["channel"]) == (
        f"system:db:{login}",
        login,
        "psql",
    )
    assert (newest["before"] is None) == statement.startswith("insert")
    assert (newest["after"] is None) == statement.startswith("delete")


def test_a_grant_and_its_revocation_say_who(db: psycopg.Connection) -> None:
    grant(db, "user:bo", "can_admin")
    given = grant(db, "agent:tally", "can_set_stage", {"from": ["weekly"]})
    call(db, "revoke_permission", actor="user:bo", permission_id=given)

    revoked, made, _ = records(db, about="agent_permissions", page_size=3)

    assert (made["actor_id"], made["channel"], made["before"]) == (ADMIN, "api", None)
    assert made["after"]["scope"] == {"from": ["weekly"]}
    assert (revoked["actor_id"], revoked["channel"], revoked["changed"]) == (
        "user:bo",
        "api",
        ["revoked_at"],
    )
    assert revoked["before"]["revoked_at"] is None
    assert revoked["after"]["revoked_at"] is not None


def test_tokens_are_on_record_without_their_hashes(db: psycopg.Connection) -> None:
    secret = call(db, "issue_token", actor_id="user:ada", never_expires=True)
    call(db, "revoke_token", token_id=secret["id"])
    call(db, "adopt_legacy_token", token_hash="ef" * 32)

    adopted, revoked, issued = records(db, about="actor_tokens", page_size=3)

    assert [each["key"]["id"] for each in (issued, revoked, adopted)] == [secret["id"]] * 2 + ["ef" * 6]
    assert (issued["actor_id"], revoked["changed"]) == (ADMIN, ["revoked_at"])
    row = db.execute(
        "select count(*) from administration_history a, actor_tokens t"
        " where strpos(to_jsonb(a)::text, t.token_hash) > 0 or strpos(to_jsonb(a)::text, %s) > 0",
        (secret["token"],),
    ).fetchone()
    assert row == (0,)


def test_a_hash_that_is_changed_behind_its_id_is_on_record(db: psycopg.Connection) -> None:
    call(db, "adopt_legacy_token", token_hash="ef" * 32)
    db.execute("update actor_tokens set token_hash = left(token_hash, 12) || repeat('0', 52)")

    assert records(db)[0]["changed"] == ["token_hash"]


def test_the_use_of_a_token_is_no_administration(db: psycopg.Connection) -> None:
    call(db, "adopt_legacy_token", token_hash="ef" * 32)
    before = records(db)[0]["id"]
    db.execute("update actor_tokens set last_used_at = now()")

    assert records(db)[0]["id"] == before


def test_a_row_that_gets_another_key_is_one_that_went_and_one_that_came(
    db: psycopg.Connection,
) -> None:
    db.execute("insert into stage_flags values ('audit', 'An audit', '{anyone}')")
    db.execute("update stage_flags set flag = 'audited' where flag = 'audit'")

    came, went, _ = records(db, about="stage_flags", page_size=3)

    assert (went["key"]["flag"], went["after"]) == ("audit", None)
    assert (came["key"]["flag"], came["before"]) == ("audited", None)


def test_emptying_a_table_is_on_record_row_by_row(db: psycopg.Connection) -> None:
    db.execute("insert into actor_logins values ('ada', 'user:ada'), ('bo', 'user:bo')")
    db.execute("truncate actor_logins")

    assert {each["key"]["db_role"] for each in records(db, page_size=2)} == {"ada", "bo"}
    assert all(each["after"] is None for each in records(db, page_size=2))


def test_an_operator_is_on_record_as_whom_it_acts_as_with_its_login_and_reason(
    db: psycopg.Connection,
) -> None:
    as_actor(db, "user:ada", "the firm moves")
    db.execute("update stage_settings set time_zone = 'Europe/Vienna'")

    newest = records(db)[0]

    assert (newest["actor_id"], newest["login"], newest["reason"]) == (
        "user:ada",
        db.info.user,
        "the firm moves",
    )


def test_what_a_replica_session_does_is_on_record_too(db: psycopg.Connection) -> None:
    db.execute("set local session_replication_role = replica")
    db.execute("update stages set max_days = 99 where stage = 'cleanup'")

    assert records(db)[0]["after"]["max_days"] == 99


@pytest.mark.parametrize(
    "statement",
    [
        "update administration_history set actor_id = 'user:eve'",
        "delete from administration_history",
        "truncate administration_history",
    ],
)
def test_the_record_is_only_added_to(db: psycopg.Connection, statement: str) -> None:
    with refused(db, "record_is_append_only", 403, table="administration_history"):
        db.execute(statement.encode())


def test_the_record_begins_with_what_was_there(db: psycopg.Connection) -> None:
    row = db.execute(
        "select count(*) from administration_history where channel = 'install' and about = 'stage_transitions'"
    ).fetchone()
    present = db.execute("select count(*) from stage_transitions").fetchone()

    assert row == present


def test_pages_follow_each_other_without_a_gap(db: psycopg.Connection) -> None:
    everything = records(db, page_size=1000)
    paged: list[dict[str, Any]] = []
    before = None
    while True:
        page = call(db, "administration", page_size=7, before_id=before)
        paged += page["records"]
        before = page["next_before_id"]
        if before is None:
            break

    assert paged == everything


def test_only_an_admin_reads_it(db: psycopg.Connection) -> None:
    with refused(db, "permission_missing", 403, permission="can_admin"):
        call(db, "administration", actor="user:ada")


def test_a_table_that_is_not_on_record_is_refused_by_name(db: psycopg.Connection) -> None:
    with refused(db, "unknown_table", 422, about="clients") as refusal:
        call(db, "administration", about="clients")
    assert "stages" in refusal.details["known"]


def test_the_list_for_one_actor_and_for_one_table(db: psycopg.Connection) -> None:
    grant(db, "agent:tally", "can_set_flag")
    db.execute("update stages set max_days = 99 where stage = 'cleanup'")

    assert {each["actor_id"] for each in records(db, actor_id=ADMIN)} == {ADMIN}
    assert {each["about"] for each in records(db, about="stages")} == {"stages"}
