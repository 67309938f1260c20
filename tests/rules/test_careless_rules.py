"""A rule holds for every way in: an evaluator sees nothing that batches do not tell apart."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from tests.support.calls import as_actor, call, client_row, grant, make_client, provoked

OWNER = "user:owner"


@pytest.fixture(autouse=True)
def _planted_refusals_need_no_comment() -> Iterator[None]:
    before = set(provoked)
    yield
    provoked.intersection_update(before)


def add_rule(db: psycopg.Connection, evaluator: str, condition: str) -> None:
    """Put a rule at the head of an evaluator, as an edit of its file would."""
    definition = db.execute(
        "select pg_get_functiondef(p.oid) from pg_proc p"
        " where p.pronamespace = 'rules'::regnamespace and p.proname = %s",
        [evaluator],
    ).fetchone()
    assert definition is not None
    head, begin, tail = definition[0].partition("\nbegin\n")
    assert begin
    rule = f"  if {condition} then return array[('client_inactive', null)::rules.violation]; end if;\n"
    db.execute((head + begin + rule + tail).encode())


@contextlib.contextmanager
def refused_or_broken(db: psycopg.Connection, *clients: int) -> Iterator[None]:
    """The block changes none of these clients: it raises, or answers with refusals."""
    before = [client_row(db, client) for client in clients]
    with contextlib.suppress(psycopg.Error), db.transaction():
        yield
    assert [client_row(db, client) for client in clients] == before


def many(db: psycopg.Connection, stage: str) -> list[int]:
    """Ten clients in a stage: one of them is the owner's, and all but it may change."""
    clients = [make_client(db, stage) for _ in range(10)]
    call(db, "update_client", client_id=clients[7], owner=OWNER)
    return clients


def item(db: psycopg.Connection, client: int, **more: Any) -> dict[str, Any]:
    version = client_row(db, client)["version"]
    return {"client_id": client, "reason": "r", **more} | ({"expected_version": version} if "to_stage" in more else {})


WAYS: dict[str, tuple[str, str, Callable[[psycopg.Connection, list[int]], object]]] = {
    "set_stages": (
        "move_violations",
        "eom_review",
        lambda db, clients: call(
            db,
            "set_stages",
            actor=OWNER,
            items=[item(db, client, to_stage="weekly") for client in clients],
        ),
    ),
    "plain update of stages": (
        "move_violations",
        "eom_review",
        lambda db, clients: db.execute("update clients set stage = 'weekly' where id = any (%s)", [clients]),
    ),
    "set_flags": (
        "flag_violations",
        "weekly",
        lambda db, clients: call(
            db,
            "set_flags",
            actor=OWNER,
            items=[item(db, client, flag="advisory_due", set=True) for client in clients],
        ),
    ),
    "plain update of flags": (
        "flag_violations",
        "weekly",
        lambda db, clients: db.execute("update clients set flags = '{advisory_due}' where id = any (%s)", [clients]),
    ),
    "update_clients": (
        "field_violations",
        "weekly",
        lambda db, clients: call(
            db,
            "update_clients",
            actor=OWNER,
            items=[{"client_id": client, "notes": "n"} for client in clients],
        ),
    ),
    "plain update of fields": (
        "field_violations",
        "weekly",
        lambda db, clients: db.execute("update clients set stage_notes = 'n' where id = any (%s)", [clients]),
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("column", ["stage_owner", "id", "slug", "close_cadence", "stage_notes", "version"])
def test_a_rule_that_reads_what_is_no_fact_lets_nothing_through(db: psycopg.Connection, way: str, column: str) -> None:
    evaluator, stage, change = WAYS[way]
    clients = many(db, stage)
    grant(db, OWNER, "can_admin")
    add_rule(db, evaluator, f"client.{column}::text = 'user:owner'")

    with refused_or_broken(db, *clients):
        as_actor(db, OWNER)
        change(db, clients)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("fact", "differs"),
    [
        ("service_tier", {"tier": "full_service"}),
        ("eligible_reviewers", {"reviewers": ["user:owner"]}),
        ("active", {"active": False}),
    ],
)
def test_a_rule_about_any_fact_holds_for_each_client_of_a_batch(
    db: psycopg.Connection, way: str, fact: str, differs: dict[str, Any]
) -> None:
    evaluator, stage, change = WAYS[way]
    clients = [make_client(db, stage) for _ in range(10)]
    call(db, "update_client", client_id=clients[7], **differs)
    odd = clients[7]
    grant(db, OWNER, "can_admin")
    value = client_row(db, odd)[fact]
    add_rule(db, evaluator, f"client.{fact}::text = {psycopg.sql.Literal(value).as_string(db)}::text")

    with refused_or_broken(db, odd):
        as_actor(db, OWNER)
        change(db, clients)
    if way == "set_stages":
        assert client_row(db, clients[0])["stage"] == "weekly"
    if way == "set_flags":
        assert client_row(db, clients[0])["flags"] == ["advisory_due"]
    if way == "update_clients":
        assert client_row(db, clients[0])["stage_notes"] == "n"


def test_a_new_fact_is_told_apart_by_every_way_in(db: psycopg.Connection) -> None:
    clients = many(db, "eom_review")
    grant(db, OWNER, "can_admin")
    db.execute("alter type rules.facts add attribute stage_owner text")
    source = db.execute("select prosrc from pg_proc where proname = 'facts_of'").fetchone()
    assert source is not None
    body = source[0].rstrip()
    db.execute(
        (
            "create or replace function rules.facts_of("
            "client rules.client_state, actor_id text, on_behalf_of text default null)"
            " returns setof rules.facts language sql stable as $$"
            f"{body}, (client.fields).stage_owner $$"
        ).encode()
    )
    add_rule(db, "move_violations", f"client.stage_owner = '{OWNER}'")

    with refused_or_broken(db, clients[7]):
        WAYS["set_stages"][2](db, clients)
    assert client_row(db, clients[0])["stage"] == "weekly"
    with refused_or_broken(db, *clients):
        as_actor(db, OWNER)
        WAYS["plain update of stages"][2](db, clients)
