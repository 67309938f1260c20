"""Ways to gain a right by acting for a person: each is tried, and none works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.support.calls import ADMIN, call, grant, history_rows, make_client, move, refused

SLACK, ANA, ECHO = "agent:slack", "user:ana", "agent:echo"


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    call(db, "set_role", actor_id=ANA, role="bookkeeper")
    grant(db, SLACK, "can_act_for", {"actors": [ANA]})
    return make_client(db)


@pytest.mark.parametrize(
    "name",
    [
        *("User:ana", "USER:ANA", " user:ana", "user:ana ", "user:ana\u200b", "user:аna"),
        *("user:%", "user:", "ana", "user:*", '{"actors": ["user:ana"]}', "user:ana,user:jimmie"),
        *(SLACK, ADMIN, "system:cron:stage_autoroll_eom_open", "system:install", "user:nobody"),
    ],
)
def test_only_the_exact_actor_is_covered(db: psycopg.Connection, client: int, name: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        move(db, client, "eom_close", actor=SLACK, on_behalf_of=name)
    assert caught.value.sqlstate in ("PT403", "PT422")


def _another_person(db: psycopg.Connection, client: int) -> None:
    call(db, "set_role", actor_id="user:ben", role="admin")
    move(db, client, "eom_close", actor=SLACK, on_behalf_of="user:ben")


def _more_than_the_person(db: psycopg.Connection, client: int) -> None:
    grant(db, SLACK, "can_offboard")
    move(db, client, "offboarding", actor=SLACK, on_behalf_of=ANA)


def _the_adapter_s_admin(db: psycopg.Connection, client: int) -> None:
    grant(db, SLACK, "can_admin")
    move(db, client, "onboarding", actor=SLACK, on_behalf_of=ANA, override=True)


def _through_two(db: psycopg.Connection, client: int) -> None:
    grant(db, ECHO, "can_act_for", {"actors": [SLACK]})
    move(db, client, "eom_close", actor=ECHO, on_behalf_of=SLACK)


def _the_person_acts_for_the_agent(db: psycopg.Connection, client: int) -> None:
    grant(db, SLACK, "can_offboard")
    move(db, client, "offboarding", actor=ANA, on_behalf_of=SLACK)


def _a_revoked_listing(db: psycopg.Connection, client: int) -> None:
    db.execute("update agent_permissions set revoked_at = now() where permission = 'can_act_for'")
    move(db, client, "eom_close", actor=SLACK, on_behalf_of=ANA)


def _a_client_listed_for_the_person_only(db: psycopg.Connection, client: int) -> None:
    db.execute("update agent_permissions set revoked_at = now() where actor_id = %s", (SLACK,))
    grant(db, SLACK, "can_act_for", {"actors": [ANA], "clients": [make_client(db)]})
    move(db, client, "eom_close", actor=SLACK, on_behalf_of=ANA)


def _a_client_listed_for_the_adapter_only(db: psycopg.Connection, client: int) -> None:
    db.execute("update agent_permissions set revoked_at = now() where actor_id = %s", (ANA,))
    grant(db, SLACK, "can_set_stage", {"clients": [client]})
    grant(db, ANA, "can_set_stage", {"clients": [make_client(db)]})
    move(db, client, "eom_close", actor=SLACK, on_behalf_of=ANA)


def _undo_of_another_s_change(db: psycopg.Connection, client: int) -> None:
    version = move(db, client, "eom_close")["client"]["version"]
    call(*(db, "undo"), actor=SLACK, client_id=client, expected_version=version, on_behalf_of=ANA)


def _a_payload_that_says_so(db: psycopg.Connection, client: int) -> None:
    grant(db, SLACK, "can_set_stage")
    change = move(*(db, client, "eom_close"), actor=SLACK, on_behalf_of=ADMIN, payload={"acts_for": True})
    assert history_rows(db, client)[-1]["payload"] == {}
    call(
        *(db, "undo"),
        actor=ADMIN,
        client_id=client,
        expected_version=change["client"]["version"],
    )


WAYS: list[Callable[[psycopg.Connection, int], None]] = [
    _another_person,
    _more_than_the_person,
    _the_adapter_s_admin,
    _through_two,
    _the_person_acts_for_the_agent,
    _a_revoked_listing,
    _a_client_listed_for_the_person_only,
    _a_client_listed_for_the_adapter_only,
    _undo_of_another_s_change,
    _a_payload_that_says_so,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__.strip("_"))
def test_no_way_to_a_right_that_the_person_or_the_scope_lacks(
    db: psycopg.Connection, client: int, way: Callable[[psycopg.Connection, int], None]
) -> None:
    if way is _the_person_acts_for_the_agent:
        grant(db, ANA, "can_set_flag")
    with pytest.raises(psycopg.Error) as caught:
        way(db, client)
    assert caught.value.sqlstate == "PT403"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("grant_permission", {"actor_id": SLACK, "permission": "can_admin"}),
        ("issue_token", {"actor_id": ANA}),
        ("invite", {"actor_id": ANA}),
        ("set_role", {"actor_id": SLACK, "role": "admin"}),
        ("rollback", {"client_id": 1, "history_id": 1, "reason": "r"}),
        ("erase_words", {"client_id": 1, "reason": "r"}),
        ("run_job", {"job": "flag_seasonal"}),
    ],
)
def test_administration_is_never_done_for_somebody(
    db: psycopg.Connection, client: int, function: str, arguments: dict[str, Any]
) -> None:
    grant(db, SLACK, "can_act_for", {"actors": [ADMIN]})
    if "client_id" in arguments:
        arguments = arguments | {"client_id": client}
    with pytest.raises(psycopg.errors.UndefinedFunction):
        call(db, function, actor=SLACK, on_behalf_of=ADMIN, **arguments)
    with refused(db, "permission_missing", 403, actor_id=SLACK):
        call(db, function, actor=SLACK, **arguments)
