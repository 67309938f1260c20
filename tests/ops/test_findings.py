"""The database finds what is wrong with an installation; health and doctor read one list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.calls import call, make_client

CHECKS = Path(__file__).parents[2] / "sql" / "ops" / "findings"

NEVER_RAN = "update job_locks set installed_at = now() - interval '3 days'"
EXPIRES = (
    "insert into actor_tokens (token_hash, actor_id, created_by, expires_at)"
    " values (repeat('ab', 32), 'agent:tally', 'user:jimmie', now() + interval '3 days')"
)
AROUND_THE_TRIGGERS = (
    "set local session_replication_role = replica;"
    " update clients set version = 9; set local session_replication_role = origin"
)
NO_ADMIN_AROUND_THE_TRIGGERS = (
    "set local session_replication_role = replica;"
    " delete from agent_permissions; set local session_replication_role = origin"
)
# What harms an installation, the finding it has to give, and a word of its sentence. Of the first, health tells too.
CHEAP = [
    (NEVER_RAN, "job_overdue", "job flag_seasonal was due on"),
    (EXPIRES, "token_expires", "token abababababab of agent:tally expires on"),
    (
        "delete from business_holidays where day > current_date + 300",
        "holidays_run_out",
        "ends with",
    ),
    (AROUND_THE_TRIGGERS, "history_mismatch", "version 9"),
]
A_RIGHT_AROUND_THE_TRIGGERS = (
    "alter table agent_permissions disable trigger user;"
    " insert into agent_permissions (actor_id, permission, granted_by) values ('user:eve', 'can_admin', 'user:eve')"
)
A_REASON_AROUND_THE_TRIGGERS = (
    "set constraints all immediate; alter table stage_history disable trigger user;"
    " update stage_history set reason = 'another'"
)
DEEP = [
    (A_REASON_AROUND_THE_TRIGGERS, "history_altered", "row_altered at version 0"),
    (
        A_RIGHT_AROUND_THE_TRIGGERS,
        "administration_mismatch",
        "the record does not say who added it",
    ),
    (
        "alter table agent_permissions disable trigger user; alter table administration_history disable trigger user;"
        " update administration_history set actor_id = 'user:eve'"
        " where id = (select max(id) from administration_history)",
        "administration_altered",
        "row_altered, record",
    ),
    (
        "set local session_replication_role = replica; update clients set stage_owner = 'user:eve'",
        "history_altered",
        "client_altered at version 0, in stage_owner",
    ),
    (
        "create or replace function rules.words_hash("
        " salt uuid, reason text, on_behalf_of text, triggered_by text, payload jsonb, external_id text) returns bytea"
        " language sql immutable as $$ select sha256('x') $$",
        "not_as_deployed",
        "rules.words_hash(uuid,text,text,text,jsonb,text) is not what was deployed",
    ),
    (NO_ADMIN_AROUND_THE_TRIGGERS, "no_admin", "no actor has can_admin"),
    ("grant select on clients to atlas_api", "api_role_table_right", "atlas_api has rights on"),
]


def found(db: psycopg.Connection, *, deep: bool) -> list[tuple[Any, ...]]:
    return db.execute("select finding, severity, facts, what, todo from ops.findings(%s)", (deep,)).fetchall()


@pytest.mark.parametrize("deep", [False, True])
def test_a_fresh_installation_is_well(db: psycopg.Connection, deep: bool) -> None:
    make_client(db)
    assert found(db, deep=deep) == []


@pytest.mark.parametrize(("harm", "finding", "words"), CHEAP + DEEP)
def test_what_is_wrong_is_found_and_says_what_to_do(
    db: psycopg.Connection, harm: str, finding: str, words: str
) -> None:
    make_client(db)
    db.execute(harm)
    said = [row for row in found(db, deep=True) if row[0] == finding and words in row[3]]
    assert said, found(db, deep=True)
    _, severity, facts, _, todo = said[0]
    assert severity in {"error", "warning"}
    assert isinstance(facts, dict)
    assert todo


@pytest.mark.parametrize(("harm", "finding", "words"), CHEAP)
def test_health_has_what_is_cheap_to_know(db: psycopg.Connection, harm: str, finding: str, words: str) -> None:
    make_client(db)
    assert call(db, "health") == {"status": "ok", "findings": []}
    db.execute(harm)
    health = call(db, "health")
    assert health["status"] == "attention"
    said = [each["what"] for each in health["findings"] if each["finding"] == finding]
    assert any(words in each for each in said), health


def test_a_check_that_fails_is_a_finding_and_keeps_no_other_from_its_say(
    db: psycopg.Connection,
) -> None:
    db.execute("alter table business_holidays rename to away")
    db.execute(EXPIRES)
    said = [f"{row[0]}: {row[3]}" for row in found(db, deep=True)]
    assert any("check_failed: holidays_run_out could not be checked" in each for each in said)
    assert any("token_expires" in each for each in said)


def test_every_check_that_there_is_stands_in_the_list(db: psycopg.Connection) -> None:
    row = db.execute("select prosrc from pg_proc where oid = 'ops.findings(boolean)'::regprocedure")
    (source,) = row.fetchone() or ("",)
    assert [file.stem for file in CHECKS.glob("*.sql") if f"'{file.stem}'" not in source] == []


def test_operators_may_ask_and_callers_over_http_may_not(db: psycopg.Connection) -> None:
    db.execute("set local role atlas_operator")
    assert found(db, deep=True) == []
    db.execute("set local role atlas_api")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        found(db, deep=True)
