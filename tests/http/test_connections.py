"""What requests that share a connection, or an actor, do to each other: nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from atlas_stage.local.serving.gateway import gateway
from tests.http.api import Api, refusal
from tests.support.databases import Databases

GOOD = {"to_stage": "cleanup", "reason": "old books", "expected_version": 0}

# For each function a call that succeeds or is refused by its rules: either way its plan is made and kept.
CALLS: dict[str, dict[str, Any]] = {
    "administration": {},
    "verify": {"client_id": 1},
    "digest": {},
    "erase_words": {"client_id": 1, "reason": "x"},
    "adopt_legacy_token": {"token_hash": "0" * 64},
    "changes": {},
    "closes": {},
    "closes_by_month": {},
    "check_stage": {"client_id": 1, "to_stage": "cleanup"},
    "check_stages": {"client_ids": [1]},
    "clear_flag": {"client_id": 1, "flag": "client_blocking"},
    "client": {"client_id": 1},
    "client_id": {"client": "1"},
    "clients": {},
    "create_client": {"name": "N", "slug": "n"},
    "delete_client": {"client_id": 999999, "reason": "x"},
    "rollback_run": {"run_id": 999999, "reason": "x"},
    "rollback_batch": {"batch": "00000000-0000-0000-0000-000000000000", "reason": "x"},
    "undo": {"client_id": 999999, "expected_version": 1},
    "undo_batch": {"batch": "00000000-0000-0000-0000-000000000000"},
    "grant_permission": {"actor_id": "agent:x", "permission": "can_set_flag"},
    "issue_token": {"actor_id": "agent:x", "never_expires": True},
    "permissions": {},
    "queue": {},
    "revoke_permission": {"permission_id": 999999},
    "revoke_token": {"token_id": "000000000000"},
    "rollback": {"client_id": 1, "history_id": 1, "reason": "x"},
    "set_flag": {"client_id": 1, "flag": "client_blocking"},
    "set_stage": GOOD | {"client_id": 1},
    "set_stages": {"items": [GOOD | {"client_id": 1}]},
    "set_flags": {"items": [{"client_id": 1, "flag": "advisory_due", "set": True, "reason": "x"}]},
    "update_clients": {"items": [{"client_id": 1, "notes": "n"}]},
    "people": {},
    "set_role": {"actor_id": "user:x", "role": "viewer"},
    "invite": {"actor_id": "user:x"},
    "accept_invite": {},
    "covers": {},
    "openapi": {},
    "activity": {},
    "set_transition": {
        "from_stage": "cleanup",
        "to_stage": "eom_close",
        "permission": "can_set_stage",
    },
    "set_cover": {"cover_id": 999999},
    "hand_over": {"from_actor_id": "user:x", "to_actor_id": "user:y", "reason": "x"},
    "leave": {"actor_id": "user:x", "reason": "x"},
    "jobs": {},
    "run_job": {"job": "flag_seasonal", "dry_run": True},
    "settings": {},
    "set_setting": {"setting": "undo_minutes", "value": "10"},
    "set_stage_limit": {"stage": "cleanup", "max_days": 45},
    "set_holiday": {"day": "2030-07-04", "name": "n"},
    "stage_history": {"client_id": 1},
    "summary": {},
    "tokens": {},
    "update_client": {"client_id": 1, "notes": "n"},
    "whoami": {},
}
# The plan's paths that write.
PATHS = [
    ("PATCH", "/api/clients/1/stage", GOOD),
    ("PATCH", "/api/clients/1", {"owner": "user:x"}),
    ("POST", "/api/clients/1/flags/client_blocking", {}),
    ("DELETE", "/api/clients/1/flags/client_blocking", {}),
    ("POST", "/api/clients/1/stage_history/1/rollback", {"reason": "x"}),
]
OPEN = {"health"}
FOR_THE_GATEWAY = {"read", "write"}


@pytest.fixture(scope="module")
def narrow(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A gateway whose PostgREST has a single connection."""
    folder: Path = tmp_path_factory.mktemp("narrow")
    with (
        databases.clone() as dsn,
        gateway(dsn, folder, 0, lambda _: None, pool=1) as running,
        Api(running.url, _token(dsn), dsn) as made,
    ):
        yield made


def _token(dsn: str) -> str:
    with psycopg.connect(dsn) as db:
        db.execute("select rules.act_as('user:jimmie')")
        row = db.execute("select api.issue_token('user:jimmie', never_expires => true)").fetchone()
    assert row is not None
    return str(row[0]["token"])


def test_every_function_is_tried_below(narrow: Api) -> None:
    assert narrow.dsn is not None
    with psycopg.connect(narrow.dsn) as db:
        rows = db.execute("select proname::text from pg_proc where pronamespace = 'api'::regnamespace").fetchall()

    assert {row[0] for row in rows} == set(CALLS) | OPEN | FOR_THE_GATEWAY


# This one takes an invite and no token.
WITH_TOKEN = [function for function in CALLS if function != "accept_invite"]


@pytest.mark.parametrize("function", WITH_TOKEN)
def test_anonymous_stays_out_after_an_authorised_call(narrow: Api, function: str) -> None:
    arguments = CALLS[function]
    for _ in range(6):  # a plan is kept after five
        assert narrow.call(function, **arguments).status_code not in (401, 500)

    for token in (None, "wrong", None):
        refusal(narrow.call(function, token, **arguments), 401, "unauthenticated")
    if not arguments:
        assert narrow.send("GET", f"/rpc/{function}").status_code in (200, 405)
        assert narrow.send("GET", f"/rpc/{function}", None).status_code in (401, 405)


@pytest.mark.parametrize(("method", "path", "body"), PATHS, ids=str)
def test_anonymous_stays_out_of_the_paths(narrow: Api, method: str, path: str, body: dict[str, Any]) -> None:
    for _ in range(6):
        assert narrow.send(method, path, json=body).status_code not in (401, 500)

    refusal(narrow.send(method, path, None, json=body), 401, "unauthenticated")


def test_one_actor_is_not_the_one_before(narrow: Api) -> None:
    first, second = narrow.actor(), narrow.actor()
    tokens = {actor: narrow.token(actor)["token"] for actor in (first, second)}

    for actor in [first, second] * 10:
        assert narrow.done("whoami", tokens[actor])["actor_id"] == actor


@pytest.mark.skipif("ATLAS_TEST_URL" in os.environ, reason="needs the database")
def test_two_slow_writes_of_one_token_overlap(api: Api) -> None:
    assert api.dsn is not None
    actor = api.actor()
    token = api.token(actor)["token"]  # never used, so that both want to note its use
    api.done("grant_permission", actor_id=actor, permission="can_set_flag")
    clients = [api.make_client(), api.make_client()]
    answers: list[httpx.Response] = []

    def flag(client_id: int) -> None:
        with httpx.Client(base_url=api.url, timeout=30, trust_env=False) as http:
            answers.append(
                http.post(
                    f"/api/clients/{client_id}/flags/client_blocking",
                    headers={"Authorization": f"Bearer {token}"},
                )
            )

    # Both clients are locked, so each write waits inside its transaction, after noting the token's use.
    with psycopg.connect(api.dsn) as first, psycopg.connect(api.dsn) as second:
        for db, client_id in zip((first, second), clients, strict=True):
            db.execute("select from clients where id = %s for update", (client_id,))
        threads = [threading.Thread(target=flag, args=(client_id,)) for client_id in clients]
        for thread in threads:
            thread.start()
        _until_waiting(api.dsn, 2)
        second.rollback()  # the later one can continue, and does
        threads[1].join(10)
        assert not threads[1].is_alive()
        assert threads[0].is_alive()
        first.rollback()
    threads[0].join(10)

    assert [answer.status_code for answer in answers] == [200, 200]


def _until_waiting(dsn: str, sessions: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as db:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            row = db.execute(
                "select count(*) from pg_stat_activity"
                " where datname = current_database() and usename = 'atlas_authenticator'"
                " and wait_event_type = 'Lock'"
            ).fetchone()
            if row == (sessions,):
                return
            time.sleep(0.05)
    raise AssertionError("the writes do not wait for the clients")
