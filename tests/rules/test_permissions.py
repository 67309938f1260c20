"""Grants: scopes key by key, alternatives, revocation, admin, override."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    ADMIN,
    call,
    grant,
    history_rows,
    make_client,
    move,
    refused,
    version,
)
from tests.support.words import MOVES, PAUSES, PERMISSIONS

CLERK = "user:clerk"


def may_move(db: psycopg.Connection, client: int, target: str, actor: str = CLERK) -> bool:
    """Asks the dry run and the real move, which have to agree."""
    dry = call(db, "check_stage", actor=actor, client_id=client, to_stage=target)["allowed"]
    state = None
    try:
        with db.transaction(force_rollback=True):
            move(db, client, target, actor=actor)
    except psycopg.Error as error:
        state = error.sqlstate
    assert (state, dry) in ((None, True), ("PT403", False))
    return state is None


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (None, True),
        ({"from": ["weekly"]}, True),
        ({"from": ["cleanup", "weekly"]}, True),
        ({"from": ["cleanup"]}, False),
        ({"to": ["eom_close"]}, True),
        ({"to": ["cleanup"]}, False),
        ({"from": ["weekly"], "to": ["eom_close"]}, True),
        ({"from": ["weekly"], "to": ["cleanup"]}, False),
        ({"from": ["cleanup"], "to": ["eom_close"]}, False),
        ({"service_tiers": ["full_service"]}, True),
        ({"service_tiers": ["cleanup_only"]}, False),
        ({"from": ["weekly"], "service_tiers": ["cleanup_only", "full_service"]}, True),
        ({"from": []}, False),
        ({"to": []}, False),
        ({"clients": []}, False),
        ({"flags": ["client_blocking"]}, False),
    ],
)
def test_a_scope_covers_a_move_when_every_key_does(
    db: psycopg.Connection, scope: dict[str, Any] | None, allowed: bool
) -> None:
    client = make_client(db, "weekly", tier="full_service")
    grant(db, CLERK, "can_set_stage", scope)

    assert may_move(db, client, "eom_close") is allowed


def test_a_scope_of_clients_covers_these_clients_only(db: psycopg.Connection) -> None:
    mine, other = make_client(db), make_client(db)
    grant(db, CLERK, "can_set_stage", {"clients": [mine, 10**12]})

    assert may_move(db, mine, "eom_close")
    assert not may_move(db, other, "eom_close")


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        ({"from": ["cleanup"]}, "from"),
        ({"to": ["cleanup"]}, "to"),
        ({"clients": [0]}, "clients"),
        ({"service_tiers": ["cleanup_only"]}, "service_tiers"),
    ],
)
def test_the_refusal_names_the_scope_key_that_did_not_match(
    db: psycopg.Connection, scope: dict[str, Any], key: str
) -> None:
    client = make_client(db)
    row = grant(db, CLERK, "can_set_stage", scope)

    with refused(
        db,
        "permission_missing",
        403,
        permission="can_set_stage",
        actor_id=CLERK,
        scope_key=key,
    ) as refusal:
        move(db, client, "eom_close", actor=CLERK)
    assert refusal.details["grants"] == [{"permission_id": row, "permission": "can_set_stage", "scope_keys": [key]}]


def test_several_grants_are_alternatives(db: psycopg.Connection) -> None:
    client = make_client(db)
    grant(db, CLERK, "can_set_stage", {"from": ["cleanup"]})
    grant(db, CLERK, "can_set_stage", {"to": ["cleanup"]})

    assert may_move(db, client, "cleanup")
    # not the union of the keys: each grant counts alone
    assert not may_move(db, client, "eom_close")


@pytest.mark.parametrize("how", ["sql", "api"])
def test_a_revoked_grant_does_not_count(db: psycopg.Connection, how: str) -> None:
    client = make_client(db)
    row = grant(db, CLERK, "can_set_stage")
    assert may_move(db, client, "eom_close")

    if how == "api":
        call(db, "revoke_permission", permission_id=row)
    else:
        db.execute("update agent_permissions set revoked_at = now() where id = %s", (row,))

    assert not may_move(db, client, "eom_close")


def test_an_unknown_key_in_a_stored_scope_matches_nothing(db: psycopg.Connection) -> None:
    client = make_client(db)
    db.execute(
        "insert into agent_permissions (actor_id, permission, scope, granted_by)"
        """ values (%s, 'can_set_stage', '{"offices": ["Austin"]}', 'system:install')""",
        (CLERK,),
    )

    with refused(db, "permission_missing", 403, scope_key="offices"):
        move(db, client, "eom_close", actor=CLERK)


@pytest.mark.parametrize("scope", ['{"from": "weekly"}', '{"from": {"weekly": 1}}', '{"from": null}'])
def test_a_stored_scope_of_the_wrong_shape_does_not_break_anything(db: psycopg.Connection, scope: str) -> None:
    client = make_client(db, "cleanup")
    db.execute(
        "insert into agent_permissions (actor_id, permission, scope, granted_by)"
        " values ('agent:tally', 'can_set_stage', %s, 'system:install')",
        (scope,),
    )

    assert not may_move(db, client, "weekly", "agent:tally")
    assert call(db, "queue", actor="agent:tally")["queue"] == []


@pytest.mark.parametrize("permission", [p for p in PERMISSIONS if p != "can_admin"])
def test_an_admin_has_every_permission(db: psycopg.Connection, permission: str) -> None:
    grant(db, "user:boss", "can_admin")
    way = {
        "can_set_stage": ("weekly", "cleanup"),
        "can_sign_off_eom_review": ("eom_review", "weekly"),
        "can_offboard": ("weekly", "offboarding"),
    }.get(permission)
    client = make_client(db, way[0] if way else "weekly")

    if way:
        assert may_move(db, client, way[1], "user:boss")
    elif permission == "can_set_flag":
        answer = call(
            db,
            "set_flag",
            actor="user:boss",
            client_id=client,
            flag="advisory_due",
            reason="r",
        )
        assert answer["changed"]
    else:
        assert call(db, "client", actor="user:boss", client_id=client)["client"]["id"] == client


def test_an_admin_of_some_clients_is_none_of_the_others(db: psycopg.Connection) -> None:
    mine, other = make_client(db), make_client(db)
    grant(db, "user:boss", "can_admin", {"clients": [mine]})

    assert may_move(db, mine, "offboarding", "user:boss")
    assert not may_move(db, other, "offboarding", "user:boss")
    with refused(db, "permission_missing", 403):
        call(db, "grant_permission", actor="user:boss", actor_id="user:boss", permission="can_admin")


def test_the_seeds_are_the_plan_s_two_and_those_of_the_jobs(db: psycopg.Connection) -> None:
    rows = db.execute("select actor_id, permission, scope, granted_by from agent_permissions order by 1, 2").fetchall()

    assert rows == [
        (
            "system:cron:flag_autoclear_advisory_due",
            "can_set_flag",
            {"flags": ["advisory_due"]},
            "system:install",
        ),
        (
            "system:cron:flag_sales_tax_due",
            "can_set_flag",
            {"flags": ["sales_tax_due"]},
            "system:install",
        ),
        (
            "system:cron:flag_seasonal",
            "can_set_flag",
            {"flags": ["season_year_end", "season_1099", "season_tax"]},
            "system:install",
        ),
        (
            "system:cron:stage_autoroll_eom_open",
            "can_set_stage",
            {"from": ["weekly"], "to": ["eom_close"]},
            "system:install",
        ),
        (
            "system:cron:stage_stuck_detector",
            "can_set_flag",
            {"flags": ["stuck"]},
            "system:install",
        ),
        ("user:jimmie", "can_admin", None, "system:install"),
        ("user:jimmie", "can_sign_off_eom_review", None, "system:install"),
    ]


def test_a_job_may_do_its_own_work_and_nothing_else(db: psycopg.Connection) -> None:
    roller = "system:cron:stage_autoroll_eom_open"
    client = make_client(db)

    assert may_move(db, client, "eom_close", roller)
    assert not may_move(db, client, "cleanup", roller)
    assert not may_move(db, client, "offboarding", roller)


# Override


OVERRIDES = [
    ("onboarding", "eom_review"),
    ("eom_review", "onboarding"),
    ("offboarding", "weekly"),
    ("offboarding", "paused_client"),
    ("paused_client", "eom_close"),
    ("weekly", "eom_close"),
]


@pytest.mark.parametrize(("start", "target"), OVERRIDES)
def test_an_admin_can_override_into_any_stage(db: psycopg.Connection, start: str, target: str) -> None:
    client = make_client(db, start, returning_to="weekly")

    answer = move(db, client, target, override=True, reason="the partner said so")

    assert answer["client"]["stage"] == target
    assert answer["history"]["trigger_type"] == "manual_override"
    assert answer["history"]["reason"] == "the partner said so"
    expected = start if target.startswith("paused") else None
    assert answer["client"]["returning_to_stage"] == expected


@pytest.mark.parametrize("permission", ["can_set_stage", "can_offboard", "can_sign_off_eom_review", "can_set_flag"])
def test_nobody_else_can_override(db: psycopg.Connection, permission: str) -> None:
    client = make_client(db, "onboarding")
    grant(db, CLERK, permission)

    with refused(db, "override_needs_admin", 403):
        move(db, client, "eom_review", actor=CLERK, override=True)


def test_override_is_refused_even_where_the_move_itself_would_be_allowed(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    grant(db, CLERK, "can_set_stage")

    with refused(db, "override_needs_admin", 403):
        move(db, client, "eom_close", actor=CLERK, override=True)


@pytest.mark.parametrize("reason", [None, "", "  ", "\n\t "])
def test_an_override_needs_a_reason(db: psycopg.Connection, reason: str | None) -> None:
    client = make_client(db)

    with refused(db, "reason_required", 422):
        call(
            db,
            "set_stage",
            client_id=client,
            to_stage="eom_review",
            reason=reason,
            expected_version=version(db, client),
            override=True,
        )


def test_an_override_does_not_move_an_inactive_client(db: psycopg.Connection) -> None:
    # "An inactive client does not move": an admin makes it active first, which history then tells.
    client = make_client(db, active=False)

    with refused(db, "client_inactive", 422):
        move(db, client, "eom_review", override=True)


def test_an_override_to_where_the_client_is_changes_nothing(db: psycopg.Connection) -> None:
    client = make_client(db)

    with refused(db, "transition_not_allowed", 422):
        move(db, client, "weekly", override=True)


def test_an_override_still_needs_the_right_version(db: psycopg.Connection) -> None:
    client = make_client(db)
    move(db, client, "eom_close")

    with refused(db, "version_conflict", 409, current_version=1):
        move(db, client, "weekly", override=True, expected_version=0)


def test_a_plain_update_is_never_an_override(db: psycopg.Connection) -> None:
    client = make_client(db, "onboarding")

    db.execute("select rules.act_as(%s, 'please')", (ADMIN,))
    db.execute("select set_config('atlas.override', 'true', true)")
    with refused(db, "transition_not_allowed", 422):
        db.execute("update clients set stage = 'eom_review' where id = %s", (client,))


def test_an_override_does_not_linger(db: psycopg.Connection) -> None:
    client = make_client(db, "onboarding")
    move(db, client, "eom_review", override=True)

    # in the same transaction, by plain SQL and by the next call
    with refused(db, "transition_not_allowed", 422):
        db.execute("update clients set stage = 'onboarding' where id = %s", (client,))
    with refused(db, "transition_not_allowed", 422):
        move(db, client, "onboarding")


# Granting


def test_a_grant_is_recorded_with_who_gave_it(db: psycopg.Connection) -> None:
    given = call(
        db,
        "grant_permission",
        actor_id=CLERK,
        permission="can_set_stage",
        scope={"from": ["weekly"]},
        notes="new bookkeeper",
    )

    row = given["permission"]
    assert given["changed"] is True
    assert row["actor_id"] == CLERK
    assert row["permission"] == "can_set_stage"
    assert row["scope"] == {"from": ["weekly"]}
    assert row["notes"] == "new bookkeeper"
    assert row["granted_by"] == ADMIN
    assert row["revoked_at"] is None


def test_granting_the_same_twice_changes_nothing(db: psycopg.Connection) -> None:
    first = call(db, "grant_permission", actor_id=CLERK, permission="can_offboard")
    second = call(db, "grant_permission", actor_id=CLERK, permission="can_offboard")

    assert second["changed"] is False
    assert second["permission"]["id"] == first["permission"]["id"]


def test_revoking_keeps_the_row_and_twice_changes_nothing(db: psycopg.Connection) -> None:
    row = grant(db, CLERK, "can_offboard")

    first = call(db, "revoke_permission", permission_id=row)
    second = call(db, "revoke_permission", permission_id=row)

    assert first["changed"] is True
    assert first["permission"]["revoked_at"] is not None
    assert second["changed"] is False
    assert call(db, "permissions", actor_id=CLERK)["permissions"] == []
    listed = call(db, "permissions", actor_id=CLERK, include_revoked=True)["permissions"]
    assert [p["id"] for p in listed] == [row]


@pytest.mark.parametrize("row", [0, -1, 10**15])
def test_revoking_what_does_not_exist(db: psycopg.Connection, row: int) -> None:
    with refused(db, "permission_not_found", 404):
        call(db, "revoke_permission", permission_id=row)


@pytest.mark.parametrize(
    ("scope", "rule"),
    [
        ({"offices": ["Austin"]}, "unknown_scope_key"),
        ({"From": ["weekly"]}, "unknown_scope_key"),
        ({"from": ["weekly"], "x": []}, "unknown_scope_key"),
        ({"": []}, "unknown_scope_key"),
        ({"from": "weekly"}, "scope_not_valid"),
        ({"from": [1]}, "scope_not_valid"),
        ({"from": None}, "scope_not_valid"),
        ({"clients": ["1"]}, "scope_not_valid"),
        ({"clients": {"1": 1}}, "scope_not_valid"),
        ([], "scope_not_valid"),
        ("weekly", "scope_not_valid"),
        (7, "scope_not_valid"),
    ],
)
def test_a_scope_that_means_nothing_is_not_granted(db: psycopg.Connection, scope: Any, rule: str) -> None:
    with refused(db, rule, 422):
        call(db, "grant_permission", actor_id=CLERK, permission="can_set_stage", scope=scope)
    assert call(db, "permissions", actor_id=CLERK)["permissions"] == []


@pytest.mark.parametrize("permission", ["", "can_fly", "CAN_ADMIN", None])
def test_an_unknown_permission_is_refused(db: psycopg.Connection, permission: str | None) -> None:
    with refused(db, "unknown_permission", 422):
        call(db, "grant_permission", actor_id=CLERK, permission=permission)


BAD_ACTORS = [
    "",
    " ",
    "ada",
    "user:",
    "user: ada",
    "robot:ada",
    "user:a\nb",
    "user:" + "x" * 10_000,
    "USER:ada",
    "user:a b",
    None,
]


@pytest.mark.parametrize("actor", BAD_ACTORS)
def test_what_is_no_actor_id_gets_nothing(db: psycopg.Connection, actor: str | None) -> None:
    with refused(db, "actor_id_not_valid", 422):
        call(db, "grant_permission", actor_id=actor, permission="can_set_stage")
    with refused(db, "actor_id_not_valid", 422):
        call(db, "issue_token", actor_id=actor, never_expires=True)


ADMINS_WORK: list[tuple[str, dict[str, Any]]] = [
    ("grant_permission", {"actor_id": CLERK, "permission": "can_admin"}),
    ("revoke_permission", {"permission_id": 1}),
    ("permissions", {}),
    ("issue_token", {"actor_id": ADMIN, "never_expires": True}),
    ("revoke_token", {"token_id": "0123456789ab"}),
    ("tokens", {}),
    ("adopt_legacy_token", {"token_hash": "a" * 64}),
    ("rollback", {"client_id": 1, "history_id": 1, "reason": "r"}),
]


@pytest.mark.parametrize(("function", "arguments"), ADMINS_WORK, ids=[w[0] for w in ADMINS_WORK])
def test_is_an_admin_s_alone(db: psycopg.Connection, function: str, arguments: dict[str, Any]) -> None:
    for permission in PERMISSIONS:
        if permission != "can_admin":
            grant(db, CLERK, permission)
    if function == "rollback":
        client = make_client(db)
        move(db, client, "eom_close")
        arguments = {
            **arguments,
            "client_id": client,
            "history_id": history_rows(db, client)[1]["id"],
        }

    with refused(db, "permission_missing", 403, permission="can_admin"):
        call(db, function, actor=CLERK, **arguments)


def test_without_any_grant_an_actor_may_read_and_ask(db: psycopg.Connection) -> None:
    client = make_client(db)
    nobody = "user:nobody"

    assert call(db, "client", actor=nobody, client_id=client)["client"]["id"] == client
    assert call(db, "stage_history", actor=nobody, client_id=client)["history"]
    assert call(db, "queue", actor=nobody)["queue"] == []
    assert call(db, "clients", actor=nobody)["clients"]
    assert call(db, "check_stage", actor=nobody, client_id=client, to_stage="cleanup")["allowed"] is False
    who = call(db, "whoami", actor=nobody)
    assert (who["actor_id"], who["actor_type"], who["permissions"]) == (nobody, "human", [])


def test_whoami_lists_live_grants(db: psycopg.Connection) -> None:
    grant(db, "agent:tally", "can_set_flag", {"flags": ["client_blocking"]})
    gone = grant(db, "agent:tally", "can_set_stage")
    call(db, "revoke_permission", permission_id=gone)

    who = call(db, "whoami", actor="agent:tally")

    assert who["actor_type"] == "agent"
    assert [(p["permission"], p["scope"]) for p in who["permissions"]] == [
        ("can_set_flag", {"flags": ["client_blocking"]})
    ]


def _changes(db: psycopg.Connection, **more: Any) -> set[str]:
    """What CLERK can change, found by trying it."""
    tries: list[tuple[str, str, dict[str, Any]]] = [
        ("flag", "set_flag", {"flag": "client_blocking", "reason": "because"}),
        ("edit", "update_client", {"notes": "call first", "reason": "because"}),
        ("edit", "update_client", {"tier": "full_service", "reason": "because"}),
    ]
    made = set()
    for stage, targets in MOVES.items():
        client = make_client(db, stage)
        moves = [
            ("move", "set_stage", {"to_stage": to, "reason": "because"}) for to in (*targets, *PAUSES, "offboarding")
        ]
        for kind, function, arguments in (*moves, *tries):
            with contextlib.suppress(psycopg.Error), db.transaction(force_rollback=True):
                if function != "set_flag":
                    arguments["expected_version"] = version(db, client)
                call(db, function, actor=CLERK, client_id=client, **arguments, **more)
                made.add(kind)
                with db.transaction():
                    seen = version(db, client)
                    call(db, "undo", actor=CLERK, client_id=client, expected_version=seen, **more)
                    made.add("undo")
    return made


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("minutes", ["10", "0"])
def test_whoami_says_which_kinds_of_change_are_possible(db: psycopg.Connection, permission: str, minutes: str) -> None:
    call(db, "set_setting", setting="undo_minutes", value=minutes)
    grant(db, CLERK, permission, {"actors": [ADMIN]} if permission == "can_act_for" else None)
    tried = _changes(db, **({"on_behalf_of": ADMIN} if permission == "can_act_for" else {}))
    assert set(call(db, "whoami", actor=CLERK)["allowed_changes"]) == tried


def test_the_last_admin_stays(db: psycopg.Connection) -> None:
    row = db.execute(
        "select id from agent_permissions where permission = 'can_admin' and revoked_at is null"
    ).fetchone()
    assert row is not None
    grant(db, "user:half", "can_admin", {"from": ["weekly"]})  # may not grant everything

    with refused(db, "last_admin", 409):
        call(db, "revoke_permission", permission_id=row[0])
    for statement in (
        "update agent_permissions set revoked_at = now()",
        "delete from agent_permissions",
    ):
        with refused(db, "last_admin", 409):
            db.execute(statement)

    grant(db, "user:second", "can_admin")
    assert call(db, "revoke_permission", permission_id=row[0])["changed"]


def test_two_admins_that_revoke_each_other_at_once_leave_one(
    connect: Callable[[], psycopg.Connection],
) -> None:
    first, second = connect(), connect()
    other = grant(first, "user:second", "can_admin")
    row = first.execute(
        "select id from agent_permissions where actor_id = 'user:jimmie' and permission = 'can_admin'"
    ).fetchone()
    assert row is not None
    with ThreadPoolExecutor() as pool:
        with contextlib.ExitStack() as at_once:
            at_once.enter_context(first.transaction())
            call(first, "revoke_permission", actor="user:jimmie", permission_id=other)
            waiting = pool.submit(call, second, "revoke_permission", actor="user:second", permission_id=row[0])
            time.sleep(0.5)
            assert not waiting.done()
        with pytest.raises(psycopg.Error) as caught:
            waiting.result(timeout=20)
    assert caught.value.sqlstate in ("PT403", "PT409")


def test_a_stranger_s_lock_stops_no_grant(db: psycopg.Connection, connect: Callable[[], psycopg.Connection]) -> None:
    stranger = connect()
    with stranger.transaction():
        stranger.execute("select pg_advisory_xact_lock(hashtextextended('atlas grant user:x', 0))")
        db.execute("set local statement_timeout = '5s'")
        grant(db, "user:x", "can_set_flag")
