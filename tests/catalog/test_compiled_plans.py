"""No call waits for the compiler: PostgreSQL compiles a plan (jit) that it believes to be expensive, for seconds."""

from __future__ import annotations

import psycopg
import pytest

from tests.security.test_planted_names import CALLS, STATEMENTS, attempt, filled
from tests.support.calls import make_client

REPORT = """
load 'auto_explain';
set local auto_explain.log_min_duration = 0;
set local auto_explain.log_analyze = on;
set local auto_explain.log_nested_statements = on;
set local auto_explain.log_level = notice;
set local client_min_messages = notice;
"""
JOBS = {"due": "select * from jobs.due()", "findings": "select * from ops.findings()"}


@pytest.fixture
def plans(db: psycopg.Connection) -> list[str]:
    """The plans of what this session has executed, with those inside functions. The database was never analyzed."""
    db.execute("set local jit = on")
    row = db.execute("select pg_jit_available()").fetchone()
    if row != (True,):
        pytest.skip("this server has no compiler")
    seen: list[str] = []
    db.add_notice_handler(lambda notice: seen.append(notice.message_primary or ""))
    db.execute(REPORT)
    return seen


@pytest.mark.parametrize(
    "statement",
    [
        *(pytest.param(f"select api.{name}{call}", id=name) for name, call in CALLS.items()),
        *(pytest.param(statement, id=name) for name, statement in (STATEMENTS | JOBS).items()),
    ],
)
def test_nothing_is_compiled_in_a_new_firm(db: psycopg.Connection, plans: list[str], statement: str) -> None:
    statement = filled(db, statement, make_client(db))
    plans.clear()

    attempt(db, statement)

    assert plans
    assert [plan for plan in plans if "JIT:" in plan] == []
