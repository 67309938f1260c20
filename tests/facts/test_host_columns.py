"""Answers name their columns: what the host adds to a table, drops or retypes, changes none of them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import call, grant, make_client, move

TALLY = "agent:tally"


def reads(db: psycopg.Connection, client: int) -> list[Any]:
    """The answer of every function that reads."""
    return [
        call(db, "client", client_id=client),
        call(db, "clients"),
        call(db, "clients", stage="eom_close", flag="advisory_due", owner="user:ada", stuck=False),
        call(
            db, "clients", search="client", service_tier="recurring_only", age_days_gt=-1, after=0
        ),
        call(db, "stage_history", client_id=client)["history"][0]["version"],
        call(db, "queue", actor="user:ada"),
        call(db, "queue", actor=TALLY),
        call(db, "check_stage", client_id=client, to_stage="eom_review"),
        call(db, "whoami"),
        [each["id"] for each in call(db, "tokens")["tokens"]],
        [each["id"] for each in call(db, "permissions")["permissions"]],
    ]


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    """A client that shows in every list."""
    grant(db, TALLY, "can_set_stage", {"from": ["eom_close"], "to": ["eom_review"]})
    made = make_client(db, owner="user:ada", collaborators=["user:bo"])
    move(db, made, "eom_close")
    call(db, "set_flag", client_id=made, flag="advisory_due", reason="r")
    db.execute("set constraints all immediate")  # as after a commit: the table may be altered
    return made


@pytest.mark.parametrize(
    "change",
    [
        "add column phone text not null default '555'",
        "add column attention text generated always as ('calm') stored",
        "add column age_days integer default 7",
        "alter column name type varchar(300)",
        "alter column slug type varchar(300)",
        "alter column id type bigint",
        "rename column notes to remarks",
        "drop column notes",
        "drop column gdrive_folder",
        "drop column notes, drop column gdrive_folder",
        "alter column notes type jsonb using to_jsonb(notes)",
    ],
)
def test_the_host_changes_a_column_of_its_own_and_the_answers_go_on(
    db: psycopg.Connection, client: int, change: str
) -> None:
    expected = reads(db, client)

    db.execute(f"alter table clients {change}".encode())

    assert reads(db, client) == expected


def test_the_host_s_notes_and_folder_are_shown_while_the_table_has_them(
    db: psycopg.Connection, client: int
) -> None:
    db.execute(
        "update clients set notes = 'a note', gdrive_folder = 'a folder' where id = %s", (client,)
    )
    shown = call(db, "client", client_id=client)["client"]
    assert (shown["notes"], shown["gdrive_folder"]) == ("a note", "a folder")

    db.execute("set constraints all immediate")
    db.execute("alter table clients drop column notes")

    shown = call(db, "client", client_id=client)["client"]
    assert (shown["notes"], shown["gdrive_folder"]) == (None, "a folder")


def test_a_column_of_the_host_s_is_in_no_answer(db: psycopg.Connection, client: int) -> None:
    db.execute("set constraints all immediate")
    db.execute("alter table clients add column phone text default '555'")

    assert "phone" not in call(db, "client", client_id=client)["client"]


def test_nothing_of_ours_stands_on_a_column_of_the_host_s(db: psycopg.Connection) -> None:
    views = db.execute(
        "select format('%s.%s', schemaname, viewname) from pg_views"
        " where schemaname in ('rules', 'api', 'jobs', 'ops') and definition like '%clients%'"
    ).fetchall()

    assert views == []


def test_an_open_session_sees_the_change_at_its_next_call(
    db: psycopg.Connection, client: int
) -> None:
    for _ in range(7):  # past the five calls after which a plan is kept
        call(db, "client", client_id=client)
    db.execute("set constraints all immediate")
    db.execute("alter table clients add column phone text")
    db.execute("set constraints all immediate")
    db.execute("alter table clients drop column notes")

    assert call(db, "client", client_id=client)["client"]["id"] == client
