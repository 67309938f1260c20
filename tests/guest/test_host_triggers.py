"""The host's own triggers and constraints on clients: what is recorded is what was stored, or it is refused by name."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    ADMIN,
    as_actor,
    call,
    client_row,
    history_rows,
    make_client,
    move,
    refused,
)


def add_trigger(db: psycopg.Connection, body: str, when: str = "after update", each: str = "row") -> None:
    """A typical host trigger: it runs with the rights of the role that changes a client."""
    db.execute("set constraints all immediate")  # PostgreSQL alters no table in the middle of a change
    db.execute("set constraints all deferred")
    db.execute(f"create function public.host_touch() returns trigger language plpgsql as $$ begin {body} end $$")
    db.execute(f"create trigger zz_host_touch {when} on clients for each {each} execute function public.host_touch()")


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    return make_client(db)


def change_in_every_way(db: psycopg.Connection, client: int) -> None:
    """A move, a flag, a field, a batch, a rollback and plain SQL."""
    moved = move(db, client, "eom_close")
    call(db, "rollback", client_id=client, history_id=moved["history"]["id"], reason="r")
    call(db, "set_flag", client_id=client, flag="advisory_due")
    call(db, "update_client", client_id=client, notes="n")
    version = client_row(db, client)["version"]
    answer = call(
        db,
        "set_stages",
        items=[{"client_id": client, "to_stage": "cleanup", "reason": "r", "expected_version": version}],
    )
    assert answer["done"] == 1, answer
    as_actor(db, ADMIN)
    db.execute("update clients set stage = 'weekly' where id = %s", (client,))


QUIET = {
    "a row trigger before": ("return new;", "before update", "row"),
    "a row trigger after": ("return null;", "after update", "row"),
    "a statement trigger after": ("return null;", "after update", "statement"),
    "one that writes to a table that everybody may": (
        "insert into public.host_log values (new.id); return null;",
        "after update",
        "row",
    ),
    "one that changes a column of the host's": (
        "new.notes := 'seen'; return new;",
        "before update",
        "row",
    ),
}


@pytest.mark.parametrize("trigger", QUIET.values(), ids=QUIET.keys())
def test_a_trigger_that_minds_its_own_business_is_no_hindrance(
    db: psycopg.Connection, client: int, trigger: tuple[str, str, str]
) -> None:
    db.execute("create table public.host_log (client_id bigint)")
    db.execute("grant insert on public.host_log to public")
    add_trigger(db, *trigger)

    change_in_every_way(db, client)

    assert [row["version"] for row in history_rows(db, client)] == list(range(7))
    assert client_row(db, client)["version"] == 6


LOUD = {
    "writes to a table that our role may not": "insert into public.host_log values (new.id); return null;",
    "names its table without a schema": "insert into host_log values (new.id); return null;",
    "raises": "raise exception 'not on a Friday'; return null;",
    "divides by zero": "perform 1 / 0; return null;",
    "raises our own codes' look-alike": "raise sqlstate '28000'; return null;",
}


@pytest.mark.parametrize("body", LOUD.values(), ids=LOUD.keys())
def test_a_trigger_that_fails_is_named_and_nothing_is_changed(db: psycopg.Connection, client: int, body: str) -> None:
    db.execute("create table public.host_log (client_id bigint)")
    add_trigger(db, body)

    with refused(db, "host_trigger_failed", 409, triggers=["zz_host_touch"]) as refusal:
        move(db, client, "eom_close")
    assert refusal.details["said"]
    with refused(db, "host_trigger_failed", 409):
        call(db, "update_client", client_id=client, notes="n")
    answer = call(
        db,
        "set_stages",
        items=[{"client_id": client, "to_stage": "eom_close", "reason": "r", "expected_version": 0}],
    )
    assert answer["items"][0]["details"]["rule"] == "host_trigger_failed"
    assert len(history_rows(db, client)) == 1


@pytest.mark.parametrize(
    ("when", "body"),
    [
        ("before update", "new.stage := 'cleanup'; return new;"),
        ("before update", "new.stage_entered_at := '2001-01-01'; return new;"),
        ("before update", "new.flags := '{advisory_due}'; return new;"),
        ("before update", "new.version := 99; return new;"),
        ("before update", "new.stage_owner := 'user:eve'; return new;"),
        ("before update", "return null;"),
    ],
)
def test_a_trigger_that_rewrites_what_was_to_be_stored_is_refused(
    db: psycopg.Connection, client: int, when: str, body: str
) -> None:
    add_trigger(db, body, when)

    with refused(db, "host_trigger_failed", 409, triggers=["zz_host_touch"]):
        move(db, client, "eom_close")
    assert (client_row(db, client)["stage"], len(history_rows(db, client))) == ("weekly", 1)


@pytest.mark.parametrize(
    "body",
    [
        "new.flags := '{advisory_due}'; return new;",
        "new.stage_owner := 'user:eve'; return new;",
        "new.version := 99; return new;",
        "new.stage_entered_at := '2001-01-01'; return new;",
    ],
)
def test_a_plain_update_that_a_trigger_rewrites_is_recorded_as_stored_or_refused(
    db: psycopg.Connection, client: int, body: str
) -> None:
    add_trigger(db, body, "before update")
    as_actor(db, ADMIN)

    refusal = None
    try:
        with db.transaction():
            db.execute("update clients set stage = 'eom_close' where id = %s", (client,))
            db.execute("set constraints all immediate")
    except psycopg.Error as error:
        refusal = error.sqlstate
    stored, row = client_row(db, client), history_rows(db, client)[-1]
    assert refusal in (None, "PT409")
    assert (stored["version"], stored["stage"]) == (row["version"], row["to_stage"])
    assert (stored["version"] == 0) == (refusal is not None)


def nested(change: str) -> str:
    return f"if pg_trigger_depth() = 1 then update public.clients set {change} where id = new.id; end if; return null;"


def test_a_change_that_a_trigger_makes_is_a_change_of_its_own(db: psycopg.Connection, client: int) -> None:
    add_trigger(db, nested("flags = flags || '{client_blocking}'::text[]"))

    move(db, client, "eom_close", reason="month end")

    rows = history_rows(db, client)
    assert [(row["version"], row["to_stage"], row["flag_added"], row["channel"]) for row in rows[1:]] == [
        (1, "eom_close", None, "api"),
        (2, None, "client_blocking", "psql"),
    ]
    assert client_row(db, client)["version"] == 2


def test_a_change_that_a_trigger_makes_meets_the_rules(db: psycopg.Connection, client: int) -> None:
    call(db, "grant_permission", actor_id="user:ada", permission="can_set_stage")
    add_trigger(db, nested("active = false"))

    with refused(db, "permission_missing", 403, permission="can_admin"):
        move(db, client, "eom_close", actor="user:ada")
    assert len(history_rows(db, client)) == 1


@pytest.mark.parametrize("change", ["stage = 'offboarding', version = version + 1", "version = version + 1"])
def test_a_trigger_with_our_writer_s_rights_forges_no_change(db: psycopg.Connection, client: int, change: str) -> None:
    call(db, "grant_permission", actor_id="user:ada", permission="can_set_stage")
    add_trigger(db, nested(change))

    def forge() -> None:
        with db.transaction():
            move(db, client, "eom_close", actor="user:ada")
            db.execute("set constraints all immediate")

    with pytest.raises(psycopg.Error):
        forge()
    assert client_row(db, client)["stage"] == "weekly"


@pytest.mark.parametrize(
    "table",
    [
        "agent_permissions",
        "actor_tokens",
        "stage_settings",
        "idempotency_keys",
        "actor_logins",
        "job_runs",
    ],
)
def test_a_trigger_inside_our_call_reaches_no_keys_of_ours(db: psycopg.Connection, client: int, table: str) -> None:
    add_trigger(db, f"perform from public.{table}; return null;")

    with refused(db, "host_trigger_failed", 409) as refusal:
        move(db, client, "eom_close")
    assert "permission denied" in refusal.details["said"]


def test_our_functions_may_be_called_from_a_trigger_of_the_host_s(db: psycopg.Connection, client: int) -> None:
    db.execute("create table public.invoices (client_id bigint)")
    db.execute(
        "create function public.flag_client() returns trigger language plpgsql as $$"
        " begin perform api.set_flag(client_id => new.client_id, flag => 'client_blocking', reason => 'unpaid');"
        " perform api.set_stage(client_id => new.client_id, to_stage => 'cleanup', reason => 'r',"
        " expected_version => 1);"
        " return null; end $$"
    )
    db.execute("create trigger flag_client after insert on invoices for each row execute function public.flag_client()")
    as_actor(db, ADMIN)

    db.execute("insert into invoices values (%s)", (client,))

    rows = history_rows(db, client)
    assert [(row["version"], row["channel"], row["reason"]) for row in rows[1:]] == [
        (1, "api", "unpaid"),
        (2, "api", "r"),
    ]


CONSTRAINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "a check": (
        "add constraint host_rule check (stage_owner is distinct from 'user:eve')",
        {"owner": "user:eve"},
    ),
    "a unique key": ("add constraint host_rule unique (stage_owner)", {"owner": "user:ada"}),
}


@pytest.mark.parametrize(("ddl", "arguments"), CONSTRAINTS.values(), ids=CONSTRAINTS.keys())
def test_a_constraint_of_the_host_s_is_named_and_not_taken_for_a_rule_of_ours(
    db: psycopg.Connection, client: int, ddl: str, arguments: dict[str, Any]
) -> None:
    make_client(db, owner="user:ada")
    db.execute("set constraints all immediate")
    db.execute("set constraints all deferred")
    db.execute(f"alter table clients {ddl}")

    with refused(db, "host_constraint", 409, constraint="host_rule", table="clients"):
        call(db, "update_client", client_id=client, **arguments)
    with refused(db, "host_constraint", 409, constraint="host_rule"):
        call(db, "create_client", name="N", slug="new-one", **arguments)


def test_a_deferred_constraint_refuses_a_new_client_before_the_commit(db: psycopg.Connection) -> None:
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute(
        "alter table clients add column parent bigint default -1 constraint parent_fk references clients (id)"
        " deferrable initially deferred"
    )

    with refused(db, "host_constraint", 409, constraint="parent_fk", table="clients"):
        call(db, "create_client", name="N", slug="new-one")


def test_a_deferred_key_of_another_table_keeps_a_client_from_being_deleted(db: psycopg.Connection, client: int) -> None:
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute(
        "create table invoices (client_id bigint constraint invoices_fk references clients (id)"
        " deferrable initially deferred)"
    )
    db.execute("insert into invoices values (%s)", (client,))

    with refused(db, "host_constraint", 409, constraint="invoices_fk", table="invoices"):
        call(db, "delete_client", client_id=client, reason="by mistake")


def test_a_deferred_constraint_stays_as_the_session_has_set_it(db: psycopg.Connection, client: int) -> None:
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute(
        "alter table clients add column parent bigint constraint parent_fk references clients (id)"
        " deferrable initially deferred"
    )
    db.execute("set constraints parent_fk immediate")

    move(db, client, "eom_close")

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        db.execute("update clients set parent = -1 where id = %s", (client,))


def test_what_a_deferred_trigger_did_during_the_check_is_done_once(db: psycopg.Connection, client: int) -> None:
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute(
        "create table public.seen (stage text);"
        "create function public.see() returns trigger language plpgsql as"
        " $$ begin insert into public.seen values (new.stage); return null; end $$;"
        "grant insert on seen to atlas_writer;"
        "create constraint trigger see after update on clients deferrable initially deferred"
        " for each row execute function public.see()"
    )

    move(db, client, "eom_close")
    assert db.execute("select count(*) from seen").fetchone() == (0,)
    db.execute("set constraints all immediate")
    assert db.execute("select stage from seen").fetchall() == [("eom_close",)]


def test_a_taken_slug_is_still_told_as_one(db: psycopg.Connection, client: int) -> None:
    slug = client_row(db, client)["slug"]

    with refused(db, "slug_taken", 409, slug=slug):
        call(db, "create_client", name="N", slug=slug)


def test_a_client_that_the_host_s_rows_refer_to_is_not_taken_out(db: psycopg.Connection, client: int) -> None:
    db.execute("create table public.invoices (client_id bigint references clients (id))")
    db.execute("insert into invoices values (%s)", (client,))

    with refused(db, "host_constraint", 409, table="invoices"):
        call(db, "delete_client", client_id=client, reason="r")


def test_a_slug_that_two_clients_have_means_neither(db: psycopg.Connection, client: int) -> None:
    slug, other = client_row(db, client)["slug"], make_client(db)
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute("alter table clients drop constraint clients_slug_key")
    db.execute("update clients set slug = %s where id = %s", (slug, other))

    with refused(db, "slug_ambiguous", 409, client_ids=[client, other]):
        call(db, "client_id", client=slug)
    with refused(db, "slug_taken", 409):
        call(db, "create_client", name="N", slug=slug)
    assert ("slug_not_unique",) in db.execute("select finding from ops.findings(true)").fetchall()


def test_a_change_that_no_trigger_stopped_blames_none(db: psycopg.Connection) -> None:
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute("alter table clients drop column slug cascade")
    db.execute("alter table clients add column slug text generated always as ('c-' || id) stored")

    with refused(db, "host_trigger_failed", 409) as said:
        call(db, "create_client", name="N", slug="n")
    assert "()" not in said.details["text"]
