"""Expired keys and runs are pruned in slices that never wait for locks. History is kept."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.support.calls import call, make_client, move, refused

OLD_KEYS = (
    "insert into idempotency_keys (external_id, actor_id, request_sha256, response, created_at)"
    " select 'old-' || i, 'user:ada', 'x', '{}', now() - interval '91 days' from generate_series(1, 25) i"
)
RUNS = (
    "insert into job_runs (job, due_at, as_of, finished_at, outcome) select 'flag_seasonal', due, due, due, 'done'"
    " from generate_series(now() - interval '733 days', now() - interval '728 days', '1 day') due"
)


def pruned(db: psycopg.Connection, rows: int = 10000) -> tuple[int, int]:
    row = db.execute("select p.keys, p.runs from ops.prune(%s) p", (rows,)).fetchone()
    assert row is not None
    return row


def test_old_answers_go_in_slices_and_young_ones_stay(db: psycopg.Connection) -> None:
    client = make_client(db)
    move(db, client, "eom_close", external_id="young")
    db.execute(OLD_KEYS)

    assert [pruned(db, 10)[0] for _ in range(4)] == [10, 10, 5, 0]
    assert move(db, client, "eom_close", external_id="young", expected_version=0)["replayed"]


def test_old_runs_go_and_the_newest_of_a_job_stays(db: psycopg.Connection) -> None:
    db.execute(RUNS)
    db.execute("update stage_settings set keep_runs = '60 days'")

    assert pruned(db) == (0, 5)
    assert db.execute("select count(*) from job_runs").fetchone() == (1,)


def test_the_settings_say_how_long(db: psycopg.Connection) -> None:
    db.execute(OLD_KEYS)
    db.execute("update stage_settings set keep_keys = '92 days'")

    assert pruned(db) == (0, 0)


def test_a_key_whose_answer_is_gone_is_refused_and_nothing_done_twice(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    again = {"client_id": client, "flag": "client_blocking", "external_id": "k-1"}
    call(db, "set_flag", **again)
    call(db, "clear_flag", client_id=client, flag="client_blocking")
    db.execute("update idempotency_keys set created_at = now() - interval '1 year'")
    pruned(db)

    with refused(db, "idempotency_key_reused", 409):
        call(db, "set_flag", **again)


def test_what_somebody_holds_is_left_and_nobody_waits(
    connect: Callable[[], psycopg.Connection],
) -> None:
    holder, pruner = connect(), connect()
    holder.execute(OLD_KEYS)
    pruner.execute("set lock_timeout = '1s'")
    with holder.transaction():
        holder.execute("select from idempotency_keys where external_id in ('old-1', 'old-2') for update")
        assert pruned(pruner) == (23, 0)
    assert pruned(pruner) == (2, 0)


@pytest.mark.parametrize("setting", ["keep_keys = '1 hour'", "keep_runs = '59 days'"])
def test_what_is_still_needed_cannot_be_set_to_go(db: psycopg.Connection, setting: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
        db.execute(f"update stage_settings set {setting}".encode())
