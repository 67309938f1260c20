"""JSON that is small as it is sent and huge as it is written out costs nothing: it is refused before that."""

from __future__ import annotations

import time
from typing import Any

import psycopg
import pytest

from tests.support.calls import call, history_rows, make_client, refused

NOBODY = "user:nobody"
# 131,072 digits each when written out; thousands of them took a backend to gigabytes
BOMBS = ["1e131071", "-1e131071", "1e-16383", "0e-16383", "1e41", "1e-41"]


def bomb(number: str, count: int = 3000) -> str:
    return "{" + ", ".join(f'"a{n}": {number}' for n in range(count)) + "}"


def nested(number: str) -> str:
    return f'{{"a": [[{{"b": {bomb(number, 2000)}}}]]}}'


@pytest.mark.parametrize("number", BOMBS)
@pytest.mark.parametrize("shape", [bomb, nested])
def test_a_payload_of_long_numbers_is_refused_at_once(db: psycopg.Connection, number: str, shape: Any) -> None:
    client = make_client(db)
    begun = time.monotonic()

    for external_id in (None, "key-1"):
        with refused(db, "payload_not_valid", 422):
            db.execute("select rules.act_as(%s)", (NOBODY,))
            db.execute(
                "select api.set_flag(client_id => %s, flag => 'advisory_due', external_id => %s, payload => %s::jsonb)",
                (client, external_id, shape(number)),
            )

    assert time.monotonic() - begun < 5
    assert len(history_rows(db, client)) == 1


@pytest.mark.parametrize("number", BOMBS)
def test_a_scope_of_long_numbers_is_refused_and_only_an_admin_is_asked_about_it(
    db: psycopg.Connection, number: str
) -> None:
    statement = "select api.grant_permission(actor_id => 'user:x', permission => 'can_set_flag', scope => %s::jsonb)"
    scope = f'{{"clients": [{", ".join([number] * 3000)}]}}'

    with refused(db, "scope_not_valid", 422):
        db.execute("select rules.act_as('user:jimmie')")
        db.execute(statement, (scope,))
    with refused(db, "permission_missing", 403):
        db.execute("select rules.act_as(%s)", (NOBODY,))
        db.execute(statement, (scope,))


@pytest.mark.parametrize("number", BOMBS)
def test_items_of_long_numbers_are_refused_one_by_one(db: psycopg.Connection, number: str) -> None:
    client = make_client(db)
    item = (
        f'{{"client_id": {client}, "to_stage": "eom_close", "reason": "r", "expected_version": 0,'
        f' "payload": {bomb(number, 1000)}}}'
    )
    db.execute("select rules.act_as('user:jimmie')")

    row = db.execute("select api.set_stages(items => %s::jsonb)", (f"[{item}, {item}]",)).fetchone()

    assert row is not None
    assert [each["details"]["rule"] for each in row[0]["items"]] == ["payload_not_valid"] * 2


def test_numbers_of_forty_digits_are_kept_as_they_are(db: psycopg.Connection) -> None:
    client = make_client(db)
    payload = {"long": 10**39, "small": 0.5, "none": 0, "list": [1, -2.25]}

    answer = call(db, "set_flag", client_id=client, flag="advisory_due", payload=payload)

    assert answer["history"]["payload"] == payload
