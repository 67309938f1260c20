"""What bad input gets: a refusal with its rule and status, and nothing changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.calls import call, client_row, history_rows, make_client, move, refused

REASON_TAKERS: dict[str, Callable[[int], dict[str, Any]]] = {
    "set_stage": lambda c: {"client_id": c, "to_stage": "eom_close", "expected_version": 0},
    "set_flag": lambda c: {"client_id": c, "flag": "advisory_due"},
    "clear_flag": lambda c: {"client_id": c, "flag": "advisory_due"},
    "update_client": lambda c: {"client_id": c, "notes": "n"},
    "create_client": lambda _: {"name": "N", "slug": "made"},
}
BLANK = [None, "", " ", "\t\n\r ", "\u00a0", "\u2003\u3000"]
UNCLEAN = ["a\x01b", "\x1b[31mred", "bell\x07", "del\x7f", "c1\x85", "\x0b", "ends\x0c"]


@pytest.mark.parametrize("reason", BLANK, ids=ascii)
def test_a_move_without_a_reason_is_refused(db: psycopg.Connection, reason: str | None) -> None:
    client = make_client(db)

    with refused(db, "reason_required", 422):
        move(db, client, "eom_close", reason=reason)  # type: ignore[arg-type]
    assert client_row(db, client)["version"] == 0


@pytest.mark.parametrize("function", REASON_TAKERS)
@pytest.mark.parametrize("length", [2001, 1_000_000])
def test_a_long_reason_is_refused_and_not_cut(db: psycopg.Connection, function: str, length: int) -> None:
    client = make_client(db)

    with refused(db, "text_too_long", 422, length=length, max_length=2000, field="reason") as refusal:
        call(db, function, reason="x" * length, **REASON_TAKERS[function](client))
    assert len(str(refusal.details)) < 10_000
    assert len(history_rows(db, client)) == 1


def test_a_reason_of_2000_characters_is_kept_whole(db: psycopg.Connection) -> None:
    client = make_client(db)
    reason = "é😀" * 1000  # 2,000 characters, 6,000 bytes

    assert move(db, client, "eom_close", reason=reason)["history"]["reason"] == reason


@pytest.mark.parametrize("function", REASON_TAKERS)
@pytest.mark.parametrize("reason", UNCLEAN, ids=ascii)
def test_control_characters_are_refused(db: psycopg.Connection, function: str, reason: str) -> None:
    client = make_client(db)

    with refused(db, "text_not_clean", 422, field="reason"):
        call(db, function, reason=f"x{reason}x", **REASON_TAKERS[function](client))


@pytest.mark.parametrize("reason", ["two\nlines", "tab\there", "crlf\r\nend", "  kept  "])
def test_lines_and_tabs_in_a_reason_are_kept(db: psycopg.Connection, reason: str) -> None:
    client = make_client(db)

    assert move(db, client, "eom_close", reason=reason)["history"]["reason"] == reason


@pytest.mark.parametrize("argument", ["triggered_by", "on_behalf_of", "external_id"])
@pytest.mark.parametrize("text", ["x" * 201, "x" * 1_000_000, "a\nb", "a\x01b"], ids=lambda t: ascii(t[:5]))
def test_the_other_texts_are_short_and_clean(db: psycopg.Connection, argument: str, text: str) -> None:
    client = make_client(db)

    rule = "text_too_long" if len(text) > 200 else "text_not_clean"
    with refused(db, rule, 422):
        move(db, client, "eom_close", **{argument: text})


def test_nul_is_refused_by_the_database_itself(db: psycopg.Connection) -> None:
    client = make_client(db)

    with pytest.raises(psycopg.DataError), db.transaction():
        move(db, client, "eom_close", reason="a\x00b")
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute(
            "select api.set_stages(items => %s::jsonb)",
            (f'[{{"client_id": {client}, "to_stage": "eom_close", "reason": "a\\u0000b", "expected_version": 0}}]',),
        )
    assert caught.value.sqlstate is not None
    assert caught.value.sqlstate.startswith("22")
    assert client_row(db, client)["version"] == 0


@pytest.mark.parametrize("size", [70_000, 2_000_000])
def test_a_huge_payload_is_refused(db: psycopg.Connection, size: int) -> None:
    client = make_client(db)

    with refused(db, "payload_not_valid", 422):
        move(db, client, "eom_close", payload={"x": "y" * size})


def test_numbers_that_are_too_big_are_the_database_s_own_error(db: psycopg.Connection) -> None:
    for number in ("9223372036854775808", "-9223372036854775809", "1e400", "x", "1.5", ""):
        with pytest.raises(psycopg.DataError), db.transaction():
            db.execute("select api.client(client_id => %s::bigint)", (number,))


def test_null_for_a_client_is_not_found(db: psycopg.Connection) -> None:
    for function in ("client", "stage_history"):
        with refused(db, "client_not_found", 404):
            call(db, function, client_id=None)
    with refused(db, "client_not_found", 404):
        call(db, "set_stage", client_id=None, to_stage="weekly", reason="r", expected_version=0)
    with refused(db, "client_not_found", 404):
        call(db, "set_flag", client_id=None, flag="advisory_due")
    with refused(db, "client_not_found", 404):
        call(db, "check_stage", client_id=None, to_stage="weekly")


def test_null_for_a_stage_is_unknown(db: psycopg.Connection) -> None:
    client = make_client(db)

    with refused(db, "unknown_stage", 422):
        call(db, "set_stage", client_id=client, to_stage=None, reason="r", expected_version=0)


def test_null_for_a_job_is_unknown(db: psycopg.Connection) -> None:
    with refused(db, "unknown_job", 422):
        call(db, "run_job", job=None)


def test_null_for_a_new_client_s_stage_is_onboarding(db: psycopg.Connection) -> None:
    made = call(db, "create_client", name="Blue Heron", slug="blue-heron", stage=None)
    assert made["client"]["stage"] == "onboarding"


@pytest.mark.parametrize("since", ["4714-11-24 BC", "-infinity", "0001-01-01", "1970-01-01", "infinity"])
def test_changes_since_any_moment_are_listed(db: psycopg.Connection, since: str) -> None:
    assert call(db, "changes", since=since)["changes"] == []


def test_null_for_override_and_atomic_mean_no(db: psycopg.Connection) -> None:
    client = make_client(db, "onboarding")
    arguments = {
        "client_id": client,
        "to_stage": "eom_review",
        "reason": "r",
        "expected_version": 0,
    }

    with refused(db, "transition_not_allowed", 422):
        call(db, "set_stage", override=None, **arguments)
    answer = call(db, "set_stages", items=[arguments], atomic=None)
    assert answer["items"][0]["status"] == 422


def test_what_a_user_typed_is_in_the_details_and_never_in_the_message(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    typed = "evil\r\nSet-Cookie: x=1"

    for arguments in ({"to_stage": typed}, {"to_stage": "eom_close", "channel": typed}):
        with pytest.raises(psycopg.Error) as caught, db.transaction():
            move(db, client, **arguments)
        assert "evil" not in (caught.value.diag.message_primary or "")
        assert "evil" not in (caught.value.diag.message_hint or "")
        assert "\n" not in (caught.value.diag.message_primary or "")


def test_every_refusal_of_the_catalog_has_its_form(db: psycopg.Connection) -> None:
    rows = db.execute("select rule, status, message, hint from rules.violation_catalog()").fetchall()

    assert len({row[0] for row in rows}) == len(rows)
    for rule, status, message, hint in rows:
        assert rule.replace("_", "").isalpha(), rule
        assert rule == rule.lower()
        assert status in (400, 401, 403, 404, 405, 409, 411, 413, 415, 422, 431, 503), rule
        for text in (message, hint):
            assert text, rule
            assert "\n" not in text, rule


# Whatever comes: an answer, a refusal of ours, or the database's own "wrong type". Never anything else.

words = st.one_of(
    st.none(),
    st.text(max_size=40).filter(lambda t: "\x00" not in t),
    st.sampled_from(["weekly", "eom_close", "client_blocking", "stuck", "user:ada", "' or 1=1 --", "{}"]),
)
numbers = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 9))
small = st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1))
lists = st.one_of(st.none(), st.lists(words, max_size=4))
json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "from",
                    "to",
                    "flags",
                    "clients",
                    "client_id",
                    "to_stage",
                    "reason",
                    "expected_version",
                    "override",
                    "external_id",
                    "payload",
                    "x",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
booleans = st.one_of(st.none(), st.booleans())

ARGUMENTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "clients": {
        "stage": words,
        "flag": words,
        "owner": words,
        "age_days_gt": small,
        "stuck": booleans,
        "service_tier": words,
        "active": booleans,
        "search": words,
        "after": numbers,
        "page_size": small,
    },
    "client": {"client_id": numbers},
    "set_stage": {
        "client_id": numbers,
        "to_stage": words,
        "reason": words,
        "expected_version": numbers,
        "triggered_by": words,
        "on_behalf_of": words,
        "channel": words,
        "external_id": words,
        "payload": json,
        "override": booleans,
    },
    "set_stages": {"items": json | st.lists(json, max_size=3), "atomic": booleans},
    "set_flag": {"client_id": numbers, "flag": words, "reason": words, "payload": json},
    "clear_flag": {"client_id": numbers, "flag": words, "reason": words, "channel": words},
    "stage_history": {"client_id": numbers, "page_size": small, "before_version": numbers},
    "rollback": {"client_id": numbers, "history_id": numbers, "reason": words},
    "queue": {"actor_id": words, "page_size": small},
    "check_stage": {"client_id": numbers, "to_stage": words},
    "set_flags": {"items": json | st.lists(json, max_size=3)},
    "update_clients": {"items": json | st.lists(json, max_size=3)},
    "create_client": {
        "name": words,
        "slug": words,
        "stage": words,
        "owner": words,
        "collaborators": lists,
        "notes": words,
        "tier": words,
        "cadence": words,
        "schedule": words,
        "reviewers": lists,
        "active": booleans,
        "reason": words,
        "payload": json,
    },
    "update_client": {
        "client_id": numbers,
        "owner": words,
        "collaborators": lists,
        "notes": words,
        "tier": words,
        "reviewers": lists,
        "active": booleans,
        "clear": lists,
        "expected_version": numbers,
    },
    "grant_permission": {"actor_id": words, "permission": words, "scope": json, "notes": words},
    "revoke_permission": {"permission_id": numbers},
    "permissions": {
        "actor_id": words,
        "include_revoked": booleans,
        "after": numbers,
        "page_size": small,
    },
    "issue_token": {"actor_id": words, "description": words, "never_expires": booleans},
    "revoke_token": {"token_id": words},
    "tokens": {"actor_id": words, "page_size": small, "after": words},
    "adopt_legacy_token": {"token_hash": words},
    "whoami": {},
}


@pytest.mark.parametrize("function", ARGUMENTS)
@settings(
    max_examples=60 if os.environ.get("ATLAS_TEST_FUZZ") else 15,  # `make test-all` sets it
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_input_breaks_a_function(db: psycopg.Connection, function: str, data: st.DataObject) -> None:
    arguments = {name: data.draw(strategy, label=name) for name, strategy in ARGUMENTS[function].items()}
    problem = None
    try:
        with db.transaction(force_rollback=True):
            make_client(db)
            call(db, function, **arguments)
    except psycopg.Error as error:
        problem = error
    if problem is not None:
        state = problem.sqlstate or ""
        assert state.startswith(("PT4", "22")), f"{state} {problem} {problem.diag.context}"
