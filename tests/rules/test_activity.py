"""The firm's activity: newest first, by actor, client and day, page by page."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import ADMIN, call, grant, make_client, move, refused

BEN = "user:ben"


def pages(db: psycopg.Connection, size: int, **filters: Any) -> list[list[dict[str, Any]]]:
    found, before = [], None
    while True:
        page = call(db, "activity", page_size=size, before=before, **filters)
        found.append(page["activity"])
        before = page["next_before"]
        if before is None:
            return found


@pytest.fixture
def clients(db: psycopg.Connection) -> list[int]:
    """Three clients, each moved on another day of May 2026; Ben flags the second."""
    grant(db, BEN, "can_set_flag")
    made = []
    for day in (4, 5, 6):
        with clock.at(db, f"2026-05-{day:02} 23:30"):
            made.append(make_client(db, "weekly", actor=ADMIN))
            move(db, made[-1], "cleanup")
    with clock.at(db, "2026-05-07 00:00"):
        call(db, "set_flag", actor=BEN, client_id=made[1], flag="client_blocking")
    # all of it was written then, each day by another transaction
    db.execute("set constraints all immediate")
    db.execute("alter table stage_history disable trigger user")
    db.execute(
        "update stage_history set recorded_at = occurred_at,"
        " xid = (100 + extract(day from occurred_at at time zone 'America/Chicago'))::text::xid8"
        " where client_id = any (%s)",
        (made,),
    )
    db.execute("alter table stage_history enable trigger user")
    return made


def test_each_change_is_there_once_and_the_newest_first(db: psycopg.Connection, clients: list[int]) -> None:
    rows = [row for page in pages(db, 3) for row in page if row["client_id"] in clients]
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert len(rows) == 7
    assert rows[0]["flag_added"] == "client_blocking"
    assert rows[0]["client_name"]


def test_filters_are_combined(db: psycopg.Connection, clients: list[int]) -> None:
    def found(**filters: Any) -> list[tuple[int, Any]]:
        return [
            (clients.index(row["client_id"]), row["to_stage"] or row["flag_added"])
            for page in pages(db, 2, **filters)
            for row in page
        ]

    assert found(actor_id=BEN) == [(1, "client_blocking")]
    assert found(client_id=clients[1]) == [(1, "client_blocking"), (1, "cleanup"), (1, "weekly")]
    assert found(client_id=clients[1], actor_id=ADMIN)[0] == (1, "cleanup")
    assert found(day="2026-05-05") == [(1, "cleanup"), (1, "weekly")]
    assert found(day="2026-05-07", actor_id=BEN) == [(1, "client_blocking")]
    assert found(day="2026-05-06", actor_id=BEN) == []
    assert found(day="2026-05-08") == []


def test_a_change_that_was_undone_says_so(db: psycopg.Connection) -> None:
    client = make_client(db, "cleanup")
    move(db, client, "weekly")
    moved, first = call(db, "activity", client_id=client)["activity"]
    assert [(row["is_rolled_back"], row["is_reversible"]) for row in (moved, first)] == [(False, True), (False, False)]
    call(db, "rollback", client_id=client, history_id=moved["id"], reason="r")
    back, moved, _ = call(db, "activity", client_id=client)["activity"]
    assert [(row["is_rolled_back"], row["is_reversible"]) for row in (back, moved)] == [(False, False), (True, False)]


def test_a_change_says_until_when_the_caller_can_undo_it(db: psycopg.Connection) -> None:
    def undo_until(actor: str, version: int) -> object:
        rows = call(db, "activity", actor=actor, client_id=client, page_size=10)["activity"]
        return next(row["undo_until"] for row in rows if row["version"] == version)

    grant(db, BEN, "can_set_stage")
    with clock.at(db, "2026-05-05 09:00"):
        client = make_client(db, "onboarding")
        move(db, client, "cleanup", actor=BEN)
        assert undo_until(BEN, 1) == "2026-05-05T14:10:00+00:00"
        assert undo_until(ADMIN, 1) is None  # it isn't hers
    with clock.at(db, "2026-05-05 09:05"):
        move(db, client, "weekly", actor=BEN)
        assert undo_until(BEN, 1) is None  # the newer move depends on it
        assert undo_until(BEN, 2) == "2026-05-05T14:15:00+00:00"
    with clock.at(db, "2026-05-05 09:15:01"):
        assert undo_until(BEN, 2) is None  # too late


def test_a_cursor_a_size_and_a_day_are_checked(db: psycopg.Connection) -> None:
    for rule, arguments in {
        "cursor_not_valid": {"before": "1.2"},
        "page_size_not_valid": {"page_size": 0},
        "moment_not_valid": {"day": "infinity"},
        "text_too_long": {"actor_id": "x" * 300},
    }.items():
        with refused(db, rule, 422):
            call(db, "activity", **arguments)
