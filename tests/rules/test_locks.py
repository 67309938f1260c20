"""An actor without permission never blocks others: only changes that no rule forbids take locks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.calls import ADMIN, make_client

NOBODY = "user:nobody"
BATCH = 200

CALLS: dict[str, tuple[str, Callable[[list[int]], tuple[Any, ...]]]] = {
    "set_stage": ("select api.set_stage(%s, 'eom_close', 'r', 0)", lambda ids: (ids[0],)),
    "set_stage, wrong version": (
        "select api.set_stage(%s, 'eom_close', 'r', 7)",
        lambda ids: (ids[0],),
    ),
    "set_stage, unknown stage": (
        "select api.set_stage(%s, 'holiday', 'r', 0)",
        lambda ids: (ids[0],),
    ),
    "set_stage, override": (
        "select api.set_stage(%s, 'eom_review', 'r', 0, override => true)",
        lambda ids: (ids[0],),
    ),
    "set_flag": ("select api.set_flag(%s, 'client_blocking')", lambda ids: (ids[0],)),
    "clear_flag": ("select api.clear_flag(%s, 'client_blocking')", lambda ids: (ids[0],)),
    "update_client": ("select api.update_client(%s, notes => 'n')", lambda ids: (ids[0],)),
    "rollback": ("select api.rollback(%s, 1, 'r')", lambda ids: (ids[0],)),
    "delete_client": ("select api.delete_client(%s, 'r')", lambda ids: (ids[0],)),
    "erase_words": ("select api.erase_words(%s, 'r')", lambda ids: (ids[0],)),
    "set_stages": (
        "select api.set_stages(%s)",
        lambda ids: (Jsonb([move(client) for client in [*ids, ids[0]]]),),
    ),
    "set_stages, second try of a client": (
        "select api.set_stages(%s)",
        lambda ids: (Jsonb([move(ids[0], version=n) for n in range(3)]),),
    ),
    "set_flags": (
        "select api.set_flags(%s)",
        lambda ids: (Jsonb([{"client_id": c, "flag": "client_blocking", "set": True} for c in [*ids, ids[0]]]),),
    ),
    "update_clients": (
        "select api.update_clients(%s)",
        lambda ids: (Jsonb([{"client_id": each, "notes": "n"} for each in [*ids, ids[0]]]),),
    ),
}


def move(client: int, version: int = 0) -> dict[str, Any]:
    return {
        "client_id": client,
        "to_stage": "eom_close",
        "reason": "r",
        "expected_version": version,
    }


GRANTS: dict[str, str] = {
    "no grant": "select 1",
    "another permission": (
        "insert into agent_permissions (actor_id, permission, granted_by)"
        f" values ('{NOBODY}', 'can_read_clients', 'user:jimmie')"
    ),
    "out of scope": (
        "insert into agent_permissions (actor_id, permission, scope, granted_by)"
        f" select '{NOBODY}', p, '{{\"from\": [\"cleanup\"]}}', 'user:jimmie'"
        " from unnest('{can_set_stage,can_set_flag,can_admin}'::text[]) p"
    ),
}


@pytest.mark.parametrize("grants", GRANTS)
def test_an_actor_that_may_not_change_a_client_asks_for_no_lock(
    connect: Callable[[], psycopg.Connection], grants: str
) -> None:
    holder, caller = connect(), connect()
    holder.execute(
        "insert into clients (name, slug) select 'c', 'c' || n from generate_series(1, %s) n",
        [BATCH],
    )
    holder.execute(GRANTS[grants])
    holder.execute("update stage_settings set lock_wait = '15 seconds'")

    with holder.transaction():
        ids = [row[0] for row in holder.execute("select id from clients for update").fetchall()]
        for call, (statement, arguments) in CALLS.items():
            began = time.monotonic()
            answer = refusals(caller, statement, arguments(ids))

            assert time.monotonic() - began < 12, call  # it would wait 15 s for a client that another session holds
            assert answer, f"{call}: nothing was refused"
            assert "client_locked" not in answer, call


def refusals(caller: psycopg.Connection, statement: str, arguments: tuple[Any, ...], actor: str = NOBODY) -> set[str]:
    """The rules that refused the call or its items."""
    try:
        with caller.transaction():
            caller.execute("select rules.act_as(%s)", [actor])
            row = caller.execute(statement, arguments).fetchone()
    except psycopg.Error as error:
        return {json.loads(error.diag.message_detail or "{}")["rule"]}
    assert row is not None
    return {item["details"]["rule"] for item in row[0]["items"]}


def test_a_call_that_meets_plain_sql_in_another_order_is_refused_as_locked(
    connect: Callable[[], psycopg.Connection],
) -> None:
    plain, caller = connect(), connect()
    first, second = (make_client(caller) for _ in range(2))
    caller.execute("update stage_settings set lock_wait = '10 seconds'")
    caller.execute("set deadlock_timeout = '100ms'")
    plain.execute("set deadlock_timeout = '30s'")
    items = Jsonb([{"client_id": each, "flag": "client_blocking", "set": True} for each in (first, second)])
    with ThreadPoolExecutor() as pool, plain.transaction():
        plain.execute("select id from clients where id = %s for update", [second])
        calling = pool.submit(refusals, caller, "select api.set_flags(%s)", (items,), ADMIN)
        while not plain.execute(
            "select from pg_locks where not granted and pid = %s", [caller.info.backend_pid]
        ).rowcount:
            time.sleep(0.01)
        plain.execute("select id from clients where id = %s for update", [first])
        assert calling.result(30) == {"client_locked"}
