"""History records actor, time, reason and channel of each change, permanently and without gaps."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    ADMIN,
    as_actor,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    move,
    refused,
)

CLERK = "user:clerk"


def test_a_new_client_s_history_begins_with_version_0(db: psycopg.Connection) -> None:
    client = make_client(db, "onboarding", reason="signed the letter")

    (row,) = history_rows(db, client)
    assert (row["version"], row["from_stage"], row["to_stage"]) == (0, None, "onboarding")
    assert (row["actor_id"], row["actor_type"], row["channel"]) == (ADMIN, "human", "api")
    assert row["reason"] == "signed the letter"
    assert client_row(db, client)["version"] == 0


def test_a_plainly_inserted_client_gets_its_version_0_row_too(db: psycopg.Connection) -> None:
    rows = db.execute(
        "insert into clients (name, slug) values ('a', 'plain-a'), ('b', 'plain-b') returning id"
    ).fetchall()

    for (client,) in rows:
        (row,) = history_rows(db, client)
        assert (row["version"], row["from_stage"], row["to_stage"]) == (0, None, "weekly")
        assert (row["actor_id"], row["channel"]) == ("system:db:postgres", "psql")


def test_a_plain_insert_cannot_choose_the_version_or_the_time(db: psycopg.Connection) -> None:
    with refused(db, "version_not_given", 409, version=41):
        db.execute("insert into clients (name, slug, version) values ('a', 'plain-c', 41)")
    row = db.execute(
        "insert into clients (name, slug, version, stage_entered_at, returning_to_stage)"
        " values ('a', 'plain-c', 0, '2001-01-01', 'cleanup')"
        " returning version, stage_entered_at = now(), returning_to_stage"
    ).fetchone()

    assert row == (0, True, None)


@pytest.mark.parametrize("stage", ["eom_close", "offboarding", "paused_client", "onboarding"])
def test_a_plain_insert_into_another_stage_meets_the_rules(db: psycopg.Connection, stage: str) -> None:
    with refused(db, "permission_missing", 403):
        db.execute("insert into clients (name, slug, stage) values ('a', 'plain-d', %s)", (stage,))


@pytest.mark.parametrize("column", ["flags", "service_tier", "active", "eligible_reviewers"])
def test_a_plain_insert_with_more_than_the_old_columns_meets_the_rules(db: psycopg.Connection, column: str) -> None:
    value = {
        "flags": "{client_blocking}",
        "service_tier": "full_service",
        "active": "false",
        "eligible_reviewers": "{user:ada}",
    }[column]
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute(f"insert into clients (name, slug, {column}) values ('a', 'p', %s)", (value,))
    assert caught.value.sqlstate == "PT403"


def test_a_move_records_where_from_where_to_who_and_why(db: psycopg.Connection) -> None:
    client = make_client(db)
    grant(db, CLERK, "can_set_stage")

    answer = move(
        db,
        client,
        "eom_close",
        actor=CLERK,
        reason="month end",
        on_behalf_of="user:partner",
        payload={"month": "2026-05"},
    )

    row = history_rows(db, client)[-1]
    expected: dict[str, Any] = {
        "client_id": client,
        "version": 1,
        "from_stage": "weekly",
        "to_stage": "eom_close",
        "flag_added": None,
        "flag_removed": None,
        "actor_type": "human",
        "actor_id": CLERK,
        "channel": "api",
        "on_behalf_of": "user:partner",
        "triggered_by": None,
        "trigger_type": "manual",
        "reason": "month end",
        "payload": {"month": "2026-05"},
        "close_period": answer["client"]["close_period"],
        "batch": None,
        "external_id": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert answer["history"]["id"] == row["id"]
    assert {name: answer["history"][name] for name in expected} == expected


def test_on_behalf_of_gives_no_right(db: psycopg.Connection) -> None:
    client = make_client(db)

    with refused(db, "permission_missing", 403, actor_id="agent:relay"):
        move(db, client, "eom_close", actor="agent:relay", on_behalf_of=ADMIN)


@pytest.mark.parametrize(
    ("actor", "arguments", "trigger_type"),
    [
        (CLERK, {}, "manual"),
        (CLERK, {"channel": "slack"}, "manual"),
        (CLERK, {"channel": "nlp_relay"}, "manual"),
        ("agent:tally", {}, "agent_action"),
        ("agent:tally", {"triggered_by": "qbo_done"}, "agent_action"),
        ("agent:tally", {"channel": "slack"}, "agent_action"),
        ("agent:tally", {"channel": "event_webhook", "triggered_by": "qbo_done"}, "auto_event"),
        ("system:webhook", {"channel": "event_webhook", "triggered_by": "qbo_done"}, "auto_event"),
    ],
)
def test_the_trigger_type_follows_from_who_and_how(
    db: psycopg.Connection, actor: str, arguments: dict[str, str], trigger_type: str
) -> None:
    client = make_client(db)
    grant(db, actor, "can_set_stage")

    row = move(db, client, "eom_close", actor=actor, **arguments)["history"]

    assert row["trigger_type"] == trigger_type
    assert row["channel"] == arguments.get("channel", "api")
    assert row["triggered_by"] == arguments.get("triggered_by")


def test_a_job_s_change_is_automatic(db: psycopg.Connection) -> None:
    client = make_client(db)

    row = call(
        db,
        "set_flag",
        actor="system:cron:flag_seasonal",
        client_id=client,
        flag="season_tax",
        reason="season",
    )["history"]

    assert row["actor_type"] == "system"
    assert row["trigger_type"] in ("auto_time", "auto_event")


@pytest.mark.parametrize("channel", ["cron", "psql", "", "API", "email", "x" * 10_000])
@pytest.mark.parametrize("function", ["set_stage", "set_flag", "update_client", "create_client"])
def test_a_caller_cannot_name_a_channel_that_is_not_a_caller_s(
    db: psycopg.Connection, function: str, channel: str
) -> None:
    client = make_client(db)
    arguments: dict[str, Any] = {
        "set_stage": {"client_id": client, "to_stage": "eom_close", "expected_version": 0},
        "set_flag": {"client_id": client, "flag": "advisory_due"},
        "update_client": {"client_id": client, "notes": "n"},
        "create_client": {"name": "n", "slug": "channel-test"},
    }[function]

    with refused(db, "unknown_channel", 422):
        call(db, function, reason="r", channel=channel, **arguments)


def test_one_update_that_makes_three_changes_takes_three_versions(db: psycopg.Connection) -> None:
    client = make_client(db)

    as_actor(db, ADMIN, "all at once")
    db.execute(
        "update clients set stage = 'eom_close', flags = '{advisory_due}', stage_owner = 'user:ada' where id = %s",
        (client,),
    )

    rows = history_rows(db, client)
    assert [row["version"] for row in rows] == [0, 1, 2, 3]
    assert (rows[1]["from_stage"], rows[1]["to_stage"]) == ("weekly", "eom_close")
    assert rows[2]["flag_added"] == "advisory_due"
    assert rows[3]["payload"]["changed"] == {"stage_owner": {"from": None, "to": "user:ada"}}
    assert {row["reason"] for row in rows[1:]} == {"all at once"}
    assert len({row["xid"] for row in rows[1:]}) == 1
    assert client_row(db, client)["version"] == 3


def test_an_update_of_nothing_is_not_recorded(db: psycopg.Connection) -> None:
    client = make_client(db)
    before = client_row(db, client)

    as_actor(db, ADMIN)
    db.execute("update clients set stage = stage, flags = flags, name = name where id = %s", (client,))

    assert client_row(db, client) == before
    assert len(history_rows(db, client)) == 1


def test_a_caller_cannot_write_the_version(db: psycopg.Connection) -> None:
    client = make_client(db)

    as_actor(db, ADMIN)
    for change in ("version = 99", "version = 98, stage = 'eom_close'", "version = version + 1"):
        with refused(db, "version_conflict", 409, client_id=client, current_version=0):
            db.execute(f"update clients set {change} where id = %s", (client,))
    db.execute("update clients set version = 0, stage = 'eom_close' where id = %s", (client,))

    assert client_row(db, client)["version"] == 1
    assert [row["version"] for row in history_rows(db, client)] == [0, 1]


def test_the_fields_of_this_system_are_recorded_with_old_and_new_values(
    db: psycopg.Connection,
) -> None:
    client = make_client(db, owner="user:bo")

    answer = call(
        db,
        "update_client",
        client_id=client,
        reason="handover",
        owner="user:ada",
        collaborators=["user:bo"],
        notes="call first",
        tier="full_service",
        cadence="quarterly",
        schedule="monthly",
        reviewers=["user:zoe"],
        active=False,
    )

    assert answer["history"]["payload"]["changed"] == {
        "stage_owner": {"from": "user:bo", "to": "user:ada"},
        "stage_collaborators": {"from": [], "to": ["user:bo"]},
        "stage_notes": {"from": None, "to": "call first"},
        "service_tier": {"from": "recurring_only", "to": "full_service"},
        "close_cadence": {"from": "monthly", "to": "quarterly"},
        "sales_tax_schedule": {"from": "none", "to": "monthly"},
        "eligible_reviewers": {"from": None, "to": ["user:zoe"]},
        "active": {"from": True, "to": False},
    }
    row = history_rows(db, client)[-1]
    assert (row["from_stage"], row["to_stage"], row["flag_added"], row["flag_removed"]) == (None,) * 4
    assert row["reason"] == "handover"


def test_a_payload_cannot_pretend_to_be_the_system_s(db: psycopg.Connection) -> None:
    client = make_client(db)
    first = history_rows(db, client)[0]["id"]

    answer = move(
        db,
        client,
        "eom_close",
        payload={
            "changed": {"active": {"from": True, "to": False}},
            "rolls_back": first,
            "mine": 1,
        },
    )

    assert answer["history"]["payload"].keys() == {"mine"}


@pytest.mark.parametrize("payload", [[], "text", 7, True])
def test_a_payload_is_an_object(db: psycopg.Connection, payload: Any) -> None:
    client = make_client(db)

    with refused(db, "payload_not_valid", 422):
        move(db, client, "eom_close", payload=payload)


# Append-only


@pytest.mark.parametrize(
    "statement",
    [
        "update stage_history set reason = 'other' where id = (select max(id) from stage_history)",
        "update stage_history set id = id",
        "delete from stage_history where id = (select max(id) from stage_history)",
        "delete from stage_history",
        "truncate stage_history cascade",
        "truncate clients cascade",
        "truncate clients, stage_history",
    ],
)
def test_is_append_only_for_a_superuser_too(db: psycopg.Connection, statement: str) -> None:
    make_client(db)
    db.execute("set constraints all immediate")  # as at the end of a transaction
    count = db.execute("select count(*) from stage_history").fetchone()

    with refused(db, "history_is_append_only", 403):
        db.execute(statement)
    assert db.execute("select count(*) from stage_history").fetchone() == count


@pytest.mark.parametrize("statement", ["update stage_history set reason = 'x'", "delete from stage_history"])
def test_is_append_only_for_the_owner_of_the_stored_logic(db: psycopg.Connection, statement: str) -> None:
    make_client(db)

    db.execute("set local role atlas_owner")
    with pytest.raises(psycopg.Error), db.transaction():
        db.execute(statement)


def test_a_replica_session_is_refused_too(db: psycopg.Connection) -> None:
    # session_replication_role turns ordinary triggers off, so these have to fire always.
    make_client(db)

    with refused(db, "history_is_append_only", 403):
        db.execute("set local session_replication_role = 'replica'")
        db.execute("update stage_history set reason = 'other'")


def test_a_client_with_a_history_cannot_be_deleted(db: psycopg.Connection) -> None:
    client = make_client(db)

    with pytest.raises(psycopg.Error), db.transaction():
        db.execute("delete from clients where id = %s", (client,))
    assert history_rows(db, client)


def test_a_version_cannot_be_taken_twice(db: psycopg.Connection) -> None:
    client = make_client(db)

    with pytest.raises(psycopg.errors.UniqueViolation), db.transaction():
        db.execute(
            "insert into stage_history (client_id, version, actor_type, actor_id, channel, trigger_type)"
            " values (%s, 0, 'human', 'user:x', 'api', 'manual')",
            (client,),
        )


@pytest.mark.parametrize(
    ("column", "value"),
    [("actor_type", "robot"), ("channel", "email"), ("trigger_type", "magic"), ("version", -1)],
)
def test_the_table_knows_its_words(db: psycopg.Connection, column: str, value: object) -> None:
    row = {
        "client_id": make_client(db),
        "version": 7,
        "actor_type": "human",
        "actor_id": "user:x",
        "channel": "api",
        "trigger_type": "manual",
        column: value,
    }

    with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
        db.execute(
            "insert into stage_history (client_id, version, actor_type, actor_id, channel, trigger_type)"
            " values (%(client_id)s, %(version)s, %(actor_type)s, %(actor_id)s, %(channel)s, %(trigger_type)s)",
            row,
        )


# Reading it


def test_a_page_is_the_newest_rows_oldest_first(db: psycopg.Connection) -> None:
    client = make_client(db)
    for number in range(6):
        call(db, "update_client", client_id=client, notes=f"note {number}", reason="r")

    first = call(db, "stage_history", client_id=client, page_size=3)
    assert [row["version"] for row in first["history"]] == [4, 5, 6]
    assert first["next_before_version"] == 4
    second = call(db, "stage_history", client_id=client, page_size=3, before_version=4)
    assert [row["version"] for row in second["history"]] == [1, 2, 3]
    third = call(db, "stage_history", client_id=client, page_size=3, before_version=1)
    assert [row["version"] for row in third["history"]] == [0]
    assert third["next_before_version"] is None


def test_a_full_last_page_says_that_it_is_the_last(db: psycopg.Connection) -> None:
    client = make_client(db)
    move(db, client, "eom_close")

    page = call(db, "stage_history", client_id=client, page_size=2)

    assert [row["version"] for row in page["history"]] == [0, 1]
    assert page["next_before_version"] is None


def test_a_page_has_twenty_rows_unless_asked_otherwise(db: psycopg.Connection) -> None:
    client = make_client(db)
    for number in range(25):
        call(db, "update_client", client_id=client, notes=f"note {number}", reason="r")

    assert len(call(db, "stage_history", client_id=client)["history"]) == 20


def test_a_client_comes_with_its_latest_history_row(db: psycopg.Connection) -> None:
    client = make_client(db)
    done = move(db, client, "eom_close")

    answer = call(db, "client", client_id=client)

    assert answer["history"]["id"] == done["history"]["id"]
    assert answer["client"] == done["client"]
