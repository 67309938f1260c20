"""Version conflicts, and writes made repeatable by a key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    ADMIN,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    move,
    refused,
    version,
)

CLERK = "user:clerk"


def test_a_stale_version_is_refused_with_the_current_one(db: psycopg.Connection) -> None:
    client = make_client(db)
    move(db, client, "eom_close")

    with refused(db, "version_conflict", 409, current_version=1, expected_version=0, client_id=client):
        move(db, client, "eom_review", expected_version=0)


@pytest.mark.parametrize("expected", [-1, 1, 2**63 - 1, -(2**63)])
def test_a_version_that_never_was_is_refused(db: psycopg.Connection, expected: int) -> None:
    client = make_client(db)

    with refused(db, "version_conflict", 409, current_version=0):
        move(db, client, "eom_close", expected_version=expected)


def test_a_version_is_required(db: psycopg.Connection) -> None:
    client = make_client(db)

    with refused(db, "expected_version_required", 422):
        move(db, client, "eom_close", expected_version=None)


def test_there_and_back_again_is_a_conflict_too(db: psycopg.Connection) -> None:
    client = make_client(db, "weekly")
    read = version(db, client)
    move(db, client, "cleanup")
    move(db, client, "weekly")

    with refused(db, "version_conflict", 409, current_version=read + 2):
        move(db, client, "eom_close", expected_version=read)


@pytest.mark.parametrize("change", ["flag", "field"])
def test_every_recorded_change_makes_a_read_version_stale(db: psycopg.Connection, change: str) -> None:
    client = make_client(db)
    read = version(db, client)
    if change == "flag":
        call(db, "set_flag", client_id=client, flag="advisory_due", reason="r")
    else:
        call(db, "update_client", client_id=client, notes="n", reason="r")

    with refused(db, "version_conflict", 409):
        move(db, client, "eom_close", expected_version=read)


def test_update_client_checks_a_version_when_it_is_given(db: psycopg.Connection) -> None:
    client = make_client(db)
    call(db, "update_client", client_id=client, notes="one", reason="r", expected_version=0)

    with refused(db, "version_conflict", 409, current_version=1):
        call(db, "update_client", client_id=client, notes="two", reason="r", expected_version=0)
    assert call(db, "update_client", client_id=client, notes="three", reason="r")["changed"]


def test_two_movers_with_one_version_one_wins(connect: Callable[[], psycopg.Connection]) -> None:
    setup, first, second = connect(), connect(), connect()
    client = make_client(setup)
    barrier = threading.Barrier(2)

    def go(session: psycopg.Connection) -> str | None:
        barrier.wait()
        try:
            move(session, client, "eom_close", expected_version=0)
        except psycopg.Error as error:
            return error.sqlstate
        return None

    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(go, (first, second)))

    assert sorted(outcomes, key=str) == [None, "PT409"] or sorted(map(str, outcomes)) == [
        "None",
        "PT409",
    ]
    assert [row["version"] for row in history_rows(setup, client)] == [0, 1]


def test_many_writers_of_one_client_leave_no_gap(connect: Callable[[], psycopg.Connection]) -> None:
    setup = connect()
    client = make_client(setup)
    sessions = [connect() for _ in range(4)]

    def work(session: psycopg.Connection) -> int:
        done = 0
        for number in range(12):
            flag = ("advisory_due", "client_blocking")[number % 2]
            for function in ("set_flag", "clear_flag"):
                done += call(session, function, client_id=client, flag=flag, reason="r")["changed"]
        return done

    with ThreadPoolExecutor() as pool:
        changes = sum(pool.map(work, sessions))

    rows = history_rows(setup, client)
    assert [row["version"] for row in rows] == list(range(changes + 1))
    assert client_row(setup, client)["version"] == changes


# Keys


WRITES: dict[str, Callable[[int], dict[str, Any]]] = {
    "set_stage": lambda c: {
        "client_id": c,
        "to_stage": "eom_close",
        "expected_version": 0,
        "reason": "r",
    },
    "set_flag": lambda c: {"client_id": c, "flag": "advisory_due", "reason": "r"},
    "clear_flag": lambda c: {"client_id": c, "flag": "advisory_due", "reason": "r"},
    "update_client": lambda c: {"client_id": c, "notes": "n", "reason": "r"},
    "create_client": lambda _: {"name": "New", "slug": "new-by-key", "reason": "r"},
}


@pytest.mark.parametrize("function", WRITES)
@pytest.mark.parametrize("by", ["argument", "header"])
def test_the_same_key_and_request_answer_with_the_first_result(db: psycopg.Connection, function: str, by: str) -> None:
    client = make_client(db)
    arguments = WRITES[function](client)
    if by == "argument":
        arguments["external_id"] = "key-1"
    else:
        db.execute("""select set_config('request.headers', '{"idempotency-key": "key-1"}', true)""")

    first = call(db, function, **arguments)
    rows = db.execute("select count(*) from stage_history").fetchone()
    second = call(db, function, **arguments)

    assert first["replayed"] is False
    assert second == first | {"replayed": True}
    assert db.execute("select count(*) from stage_history").fetchone() == rows


@pytest.mark.parametrize("function", ["set_stage", "set_flag", "update_client", "create_client"])
def test_the_key_is_recorded(db: psycopg.Connection, function: str) -> None:
    client = make_client(db)

    answer = call(db, function, external_id="key-1", **WRITES[function](client))

    assert answer["history"]["external_id"] == "key-1"


def test_a_repetition_comes_before_any_version_check(db: psycopg.Connection) -> None:
    client = make_client(db)
    first = move(db, client, "eom_close", expected_version=0, external_id="key-1")
    move(db, client, "eom_review")

    again = move(db, client, "eom_close", expected_version=0, external_id="key-1")

    assert again == first | {"replayed": True}


def test_a_repetition_survives_a_lost_permission(db: psycopg.Connection) -> None:
    # The answer was given already; it says nothing new and changes nothing.
    client = make_client(db)
    row = grant(db, CLERK, "can_set_stage")
    first = move(db, client, "eom_close", actor=CLERK, expected_version=0, external_id="key-1")
    call(db, "revoke_permission", permission_id=row)

    again = move(db, client, "eom_close", actor=CLERK, expected_version=0, external_id="key-1")

    assert again == first | {"replayed": True}


@pytest.mark.parametrize(
    "other",
    [
        {"to_stage": "cleanup"},
        {"reason": "another"},
        {"payload": {"a": 1}},
        {"channel": "slack"},
        {"triggered_by": "x"},
        {"on_behalf_of": "user:x"},
        {"override": True},
    ],
    ids=lambda o: next(iter(o)),
)
def test_the_same_key_with_another_request_is_refused(db: psycopg.Connection, other: dict[str, Any]) -> None:
    client = make_client(db)
    request = {"to_stage": "eom_close", "expected_version": 0, "reason": "r"}
    call(db, "set_stage", client_id=client, external_id="key-1", **request)

    with refused(db, "idempotency_key_reused", 409):
        call(db, "set_stage", client_id=client, external_id="key-1", **{**request, **other})


def test_a_repetition_that_read_a_newer_version_gets_the_first_answer(
    db: psycopg.Connection,
) -> None:
    """A program that is told of an event twice reads the client again before it moves it."""
    client = make_client(db)
    first = move(db, client, "eom_close", expected_version=0, external_id="key-1")
    assert move(db, client, "eom_close", expected_version=1, external_id="key-1") == first | {"replayed": True}
    item = {"client_id": client, "to_stage": "eom_review", "reason": "r", "external_id": "key-2"}
    batch = [call(db, "set_stages", items=[item | {"expected_version": n}]) for n in (1, 2)]
    assert [each["items"][0]["replayed"] for each in batch] == [False, True]
    with db.transaction():
        db.execute("select set_config('request.headers', %s, true)", ('{"idempotency-key": "k"}',))
        item = {"client_id": client, "to_stage": "weekly", "reason": "r"}
        calls = [call(db, "set_stages", items=[item | {"expected_version": n}]) for n in (2, 3)]
    assert calls[1] == calls[0] | {"replayed": True}


def test_a_key_that_is_refused_says_when_and_for_what_it_was_used(db: psycopg.Connection) -> None:
    client = make_client(db)
    move(db, client, "eom_close", external_id="key-1")
    with refused(db, "idempotency_key_reused", 409) as refusal:
        move(db, client, "eom_review", external_id="key-1")
    assert refusal.details["first_used_at"]
    assert refusal.details["first_used_for"] == {"client_id": client, "to_stage": "eom_close"}


def test_the_same_key_for_another_client_or_function_is_refused(db: psycopg.Connection) -> None:
    client, other = make_client(db), make_client(db)
    move(db, client, "eom_close", expected_version=0, external_id="key-1", reason="r")

    with refused(db, "idempotency_key_reused", 409):
        move(db, other, "eom_close", expected_version=0, external_id="key-1", reason="r")
    with refused(db, "idempotency_key_reused", 409):
        call(db, "set_flag", client_id=client, flag="advisory_due", external_id="key-1", reason="r")


def test_a_key_belongs_to_its_actor_and_nobody_else_can_spoil_it(db: psycopg.Connection) -> None:
    client = make_client(db)
    grant(db, CLERK, "can_set_flag")
    arguments = {"client_id": client, "flag": "advisory_due", "external_id": "key-1"}
    call(db, "clear_flag", actor=CLERK, **arguments)  # a guess at the key, that changes nothing
    call(db, "set_flag", actor=CLERK, client_id=client, flag="client_blocking", external_id="key-2")

    for key in ("key-1", "key-2"):
        arguments["external_id"] = key
        assert call(db, "set_flag" if key == "key-1" else "clear_flag", **arguments)["changed"]


def test_a_refused_request_does_not_use_up_its_key(db: psycopg.Connection) -> None:
    client = make_client(db)
    with refused(db, "transition_not_allowed", 422):
        move(db, client, "onboarding", external_id="key-1")

    assert move(db, client, "eom_close", external_id="key-1")["replayed"] is False


def test_a_change_that_changed_nothing_is_repeatable_too(db: psycopg.Connection) -> None:
    client = make_client(db)
    arguments = {"client_id": client, "flag": "advisory_due", "reason": "r"}
    first = call(db, "clear_flag", external_id="key-1", **arguments)
    call(db, "set_flag", **arguments)

    again = call(db, "clear_flag", external_id="key-1", **arguments)

    assert first["changed"] is False
    assert again["replayed"] is True
    assert client_row(db, client)["flags"] == ["advisory_due"]


@pytest.mark.parametrize("key", ["x" * 201, "x" * 1_000_000, "a\nb", "a\tb", "\x7f"])
def test_a_key_is_short_clean_text(db: psycopg.Connection, key: str) -> None:
    client = make_client(db)

    rule = "text_too_long" if len(key) > 200 else "text_not_clean"
    with refused(db, rule, 422):
        move(db, client, "eom_close", external_id=key)


@pytest.mark.parametrize("key", ["", "  "])
def test_a_blank_key_is_no_key(db: psycopg.Connection, key: str) -> None:
    client = make_client(db)

    move(db, client, "eom_close", external_id=key)
    assert move(db, client, "eom_review", external_id=key)["replayed"] is False


def test_two_requests_at_once_with_one_key_make_one_change(
    connect: Callable[[], psycopg.Connection],
) -> None:
    setup = connect()
    client = make_client(setup)
    sessions = [connect() for _ in range(4)]
    barrier = threading.Barrier(len(sessions))

    def go(session: psycopg.Connection) -> dict[str, Any]:
        barrier.wait()
        answer: dict[str, Any] = move(session, client, "eom_close", expected_version=0, external_id="key-1")
        return answer

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(go, sessions))

    assert sorted(answer["replayed"] for answer in answers) == [False, True, True, True]
    assert len({answer["history"]["id"] for answer in answers}) == 1
    assert [row["version"] for row in history_rows(setup, client)] == [0, 1]


def test_two_new_clients_at_once_with_one_key_are_one_client(
    connect: Callable[[], psycopg.Connection],
) -> None:
    sessions = [connect() for _ in range(2)]
    barrier = threading.Barrier(2)

    def go(session: psycopg.Connection) -> int:
        barrier.wait()
        answer = call(session, "create_client", name="N", slug="once", external_id="key-1", reason="r")
        return int(answer["client"]["id"])

    with ThreadPoolExecutor() as pool:
        assert len(set(pool.map(go, sessions))) == 1


def test_the_second_waits_for_the_first_and_takes_over_when_it_fails(
    connect: Callable[[], psycopg.Connection],
) -> None:
    setup, first, second = connect(), connect(), connect()
    client = make_client(setup)

    with ThreadPoolExecutor() as pool:
        with first.transaction(force_rollback=True):
            move(first, client, "eom_close", expected_version=0, external_id="key-1")
            waiting = pool.submit(move, second, client, "eom_close", expected_version=0, external_id="key-1")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        answer = waiting.result(timeout=10)

    assert answer["replayed"] is False
    assert [row["version"] for row in history_rows(setup, client)] == [0, 1]


def test_an_admin_s_key_is_not_somebody_else_s_window(db: psycopg.Connection) -> None:
    client = make_client(db)
    move(db, client, "eom_close", reason="secret reason", external_id="key-1", expected_version=0)

    with refused(db, "permission_missing", 403) as refusal:
        move(
            db,
            client,
            "eom_review",
            actor=CLERK,
            reason="x",
            external_id="key-1",
            expected_version=1,
        )
    assert "secret" not in str(refusal.details)
    assert ADMIN not in str(refusal.details)
