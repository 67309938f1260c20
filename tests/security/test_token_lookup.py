"""Asking doesn't reveal whether a token exists: the look-up is by the hash of the whole token, in an index."""

from __future__ import annotations

import hashlib

import psycopg
import pytest

from tests.support.calls import call

# What was read of the tokens: scans of the table as a whole, scans of an index, rows that an index gave.
READ = """
    select seq_scan, idx_scan, idx_tup_fetch from pg_stat_xact_user_tables where relid = 'public.actor_tokens'::regclass
"""


def asked(db: psycopg.Connection, token: str) -> tuple[tuple[int, ...], str]:
    """Ask with a token as PostgREST does: what was read for it, and the answer."""
    db.execute("select set_config('request.headers', %s, true)", (f'{{"x-atlas-token": "{token}"}}',))
    before = db.execute(READ).fetchone()
    try:
        with db.transaction():
            row = db.execute("select rules.token_actor()").fetchone()
        answer = str(row)
    except psycopg.Error as error:
        answer = f"{error.sqlstate} {error.diag.message_primary} {error.diag.message_detail}"
    after = db.execute(READ).fetchone()
    assert before is not None
    assert after is not None
    return tuple(new - old for old, new in zip(before, after, strict=True)), answer


@pytest.fixture
def token(db: psycopg.Connection) -> str:
    issued = call(db, "issue_token", actor_id="user:ada", never_expires=True)["token"]
    db.execute(
        "insert into actor_tokens (token_hash, actor_id, created_by)"
        " select encode(sha256(i::text::bytea), 'hex'), 'user:many', 'test' from generate_series(1, 5000) i"
    )
    db.execute("analyze actor_tokens")
    return str(issued)


def test_a_token_is_found_by_its_hash_in_an_index(db: psycopg.Connection, token: str) -> None:
    (whole_table, by_index, rows), answer = asked(db, token)

    assert (whole_table, answer) == (0, "('user:ada',)")
    assert by_index >= 1
    assert rows >= 1


def test_a_wrong_token_costs_the_same_however_much_of_it_is_right(db: psycopg.Connection, token: str) -> None:
    last = "0" if token[-1] != "0" else "1"
    stored = hashlib.sha256(token.encode()).hexdigest()
    wrong = ["atl_nothing-like-it", token[:-1] + last, token[:10], token + "x", stored, stored[:12]]

    assert {asked(db, each)[0] for each in wrong} == {(0, 1, 0)}
    assert len({asked(db, each)[1] for each in wrong}) == 1
