"""Answers name their columns: what the host adds to a table, drops or retypes, changes none of them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.http.test_connections import CALLS
from tests.support.calls import as_actor, call, grant, make_client, move, version

TALLY = "agent:tally"
# Likely names of host columns, and every name that our functions use for an argument, a variable, a table or a column.
OTHERS = ("phone", "attention", "age_days", "owner", "client", "history")

NAMES_OF_OURS = """
select distinct name
from (
  select unnest(p.proargnames) as name
  from pg_proc p
  where p.pronamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')
  union all
  select unnest(regexp_matches(p.prosrc, '\\m(v_[a-z_]+|[a-z_]+(?=[.]))|(?:[.]|\\mas )([a-z_]+)', 'g'))
  from pg_proc p
  where p.pronamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')
) as used
where name not in ('', 'ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid')
order by name
"""
TABLES_OF_OURS = """
select c.relname::text
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relkind = 'r'
  and c.relname not like '%%yoyo%%'
order by 1
"""


def add_columns_to_every_table(db: psycopg.Connection, names: set[str]) -> None:
    added = sql.SQL(", ").join(
        sql.SQL("add column if not exists {} text").format(sql.Identifier(name)) for name in names
    )
    for (table,) in db.execute(TABLES_OF_OURS).fetchall():
        db.execute(sql.SQL("alter table public.{} {}").format(sql.Identifier(table), added))


def reads(db: psycopg.Connection, client: int) -> list[Any]:
    """The answer of every function that reads."""
    return [
        call(db, "client", client_id=client),
        call(db, "clients"),
        call(db, "clients", stage="eom_close", flag="advisory_due", owner="user:ada", stuck=False),
        call(db, "clients", search="client", service_tier="recurring_only", age_days_gt=-1, after=0),
        call(db, "clients", search="cleint"),
        call(db, "stage_history", client_id=client)["history"][0]["version"],
        call(db, "clients", sort="sla", attention="none", stage="eom_close,weekly", unowned=False),
        call(db, "check_stages", client_ids=[client]),
        call(db, "summary")["stages"],
        call(db, "queue", actor="user:ada"),
        call(db, "queue", actor=TALLY),
        call(db, "check_stage", client_id=client, to_stage="eom_review"),
        call(db, "whoami"),
        [each["id"] for each in call(db, "tokens")["tokens"]],
        [each["id"] for each in call(db, "permissions")["permissions"]],
    ]


def writes(db: psycopg.Connection, client: int) -> list[Any]:
    """Change a client in every way; return its newest version and its state."""
    call(db, "set_flag", client_id=client, flag="client_blocking", reason="r")
    call(db, "clear_flag", client_id=client, flag="client_blocking", reason="r")
    call(
        db,
        "update_client",
        client_id=client,
        owner="user:bo",
        notes="n",
        tier="full_service",
        reason="r",
    )
    moved = move(db, client, "eom_review", external_id="key")
    call(db, "rollback", client_id=client, history_id=moved["history"]["id"], reason="r")
    item = {"client_id": client, "to_stage": "eom_review", "reason": "r"}
    call(db, "set_stages", items=[item | {"expected_version": version(db, client)}])
    as_actor(db, "user:jimmie")
    db.execute("update clients set stage = 'weekly', flags = '{}' where id = %s", (client,))
    db.execute("insert into clients (name, slug, stage) values ('Plain', 'plain', 'weekly')")
    db.execute("set constraints all immediate")
    db.execute("set constraints all deferred")
    other = make_client(db)
    call(db, "delete_client", client_id=other, reason="by mistake")
    return [version(db, client), call(db, "client", client_id=client)["client"]["stage"]]


def findings(db: psycopg.Connection) -> set[str]:
    rows = db.execute("select finding from ops.findings() union select finding from ops.findings(true)").fetchall()
    return {row[0] for row in rows}


def everything_runs(db: psycopg.Connection) -> None:
    """Call every function, run every job and every check: each answers, or refuses in words of ours."""
    for function, arguments in CALLS.items():
        try:
            call(db, function, **arguments)
        except psycopg.Error as error:
            if not (error.sqlstate or "").startswith("PT"):
                raise
    make_client(db, schedule="monthly")
    for (job,) in db.execute("select job from jobs.catalog()").fetchall():
        db.execute("select jobs.run(%s, '2199-01-31 23:00Z', dry_run => true)", (job,))
        db.execute("select jobs.run(%s)", (job,))
    assert "check_failed" not in findings(db)


def listed(db: psycopg.Connection) -> int:
    """A client that shows in every list."""
    grant(db, TALLY, "can_set_stage", {"from": ["eom_close"], "to": ["eom_review"]})
    made = make_client(db, owner="user:ada", collaborators=["user:bo"])
    move(db, made, "eom_close")
    call(db, "set_flag", client_id=made, flag="advisory_due", reason="r")
    # a table with a check that waits for the commit cannot be altered
    db.execute("set constraints all immediate")
    db.execute("set constraints all deferred")
    return made


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    return listed(db)


def test_a_column_named_like_anything_of_ours_changes_no_answer(db: psycopg.Connection, client: int) -> None:
    expected = reads(db, client)
    names = [row[0] for row in db.execute(NAMES_OF_OURS.encode()).fetchall()]
    assert len(names) > 60

    add_columns_to_every_table(db, {*names, *OTHERS})

    assert reads(db, client) == expected
    assert writes(db, client) == [10, "weekly"]
    everything_runs(db)


def test_ids_can_be_integers(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn) as db:
        db.execute("alter table clients alter column id type integer")
        client = listed(db)
        assert len(reads(db, client)) > 10
        assert writes(db, client) == [10, "weekly"]
        everything_runs(db)


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
    assert "check_failed" not in findings(db)


def test_the_host_s_notes_and_folder_are_shown_while_the_table_has_them(db: psycopg.Connection, client: int) -> None:
    db.execute("update clients set notes = 'a note', gdrive_folder = 'a folder' where id = %s", (client,))
    db.execute("set constraints all immediate")
    shown = call(db, "client", client_id=client)["client"]
    assert (shown["notes"], shown["gdrive_folder"]) == ("a note", "a folder")

    db.execute("alter table clients drop column notes")

    shown = call(db, "client", client_id=client)["client"]
    assert (shown["notes"], shown["gdrive_folder"]) == (None, "a folder")


def test_a_column_of_the_host_s_is_in_no_answer(db: psycopg.Connection, client: int) -> None:
    db.execute("alter table clients add column phone text default '555'")

    assert "phone" not in call(db, "client", client_id=client)["client"]


def test_nothing_of_ours_stands_on_a_column_of_the_host_s(db: psycopg.Connection) -> None:
    views = db.execute(
        "select format('%s.%s', schemaname, viewname) from pg_views"
        " where schemaname in ('rules', 'api', 'jobs', 'ops') and definition like '%clients%'"
    ).fetchall()

    assert views == []


def test_an_open_session_sees_the_change_at_its_next_call(db: psycopg.Connection, client: int) -> None:
    for _ in range(7):  # past the five calls after which a plan is kept
        call(db, "client", client_id=client)
    db.execute("alter table clients add column phone text")
    db.execute("alter table clients drop column notes")

    assert call(db, "client", client_id=client)["client"]["id"] == client
