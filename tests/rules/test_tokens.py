"""Tokens: shown once, stored as a hash, expiring, listed permanently."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.support.calls import ADMIN, call, refused

ADA = "user:ada"


def later(**delta: int) -> datetime:
    return datetime.now(UTC) + timedelta(**delta)


def issue(db: psycopg.Connection, **arguments: Any) -> dict[str, Any]:
    arguments = {"actor_id": ADA, "expires_at": later(days=90)} | arguments
    answer: dict[str, Any] = call(db, "issue_token", **arguments)
    return answer


def test_a_token_is_shown_once_and_only_its_hash_is_kept(db: psycopg.Connection) -> None:
    answer = issue(db, description="Ada's laptop")

    token = answer["token"]
    digest = hashlib.sha256(token.encode()).hexdigest()
    row = db.execute("select t.*::text from actor_tokens t where actor_id = %s", (ADA,)).fetchone()
    assert row is not None
    assert digest in row[0]
    assert token not in row[0]
    assert answer["id"] == digest[:12]
    assert token not in str(call(db, "tokens"))
    assert digest not in str(call(db, "tokens"))


def test_a_token_has_its_form_and_its_checksum(db: psycopg.Connection) -> None:
    token = issue(db)["token"]

    assert re.fullmatch(r"atl_[A-Za-z0-9_-]{43}[0-9a-f]{6}", token)
    body = token[:-6]
    assert hashlib.sha256(body.encode()).hexdigest()[:6] == token[-6:]


def test_no_two_tokens_are_alike(db: psycopg.Connection) -> None:
    tokens = [issue(db)["token"] for _ in range(50)]

    assert len({token[4:47] for token in tokens}) == 50
    # every position varies: nothing of it is a constant
    for position in range(4, 47):
        assert len({token[position] for token in tokens}) > 1, position


def test_an_expiry_is_mandatory_unless_never_is_asked_for(db: psycopg.Connection) -> None:
    with refused(db, "expiry_required", 422):
        issue(db, expires_at=None)

    assert issue(db, expires_at=None, never_expires=True)["expires_at"] is None


def test_an_expiry_at_infinity_is_never_and_has_to_be_asked_for_as_such(
    db: psycopg.Connection,
) -> None:
    db.execute("select rules.act_as(%s)", (ADMIN,))
    with refused(db, "expiry_required", 422):
        db.execute("select api.issue_token(actor_id => 'user:ada', expires_at => 'infinity')")


@pytest.mark.parametrize("delta", [{"seconds": -1}, {"days": -400}, {"days": -700_000}])
def test_an_expiry_is_in_the_future(db: psycopg.Connection, delta: dict[str, int]) -> None:
    with refused(db, "expiry_in_past", 422):
        issue(db, expires_at=later(**delta))


def test_the_list_says_what_state_a_token_is_in(db: psycopg.Connection) -> None:
    active = issue(db)["id"]
    revoked = issue(db)["id"]
    expired = issue(db)["id"]
    call(db, "revoke_token", token_id=revoked)
    db.execute(
        "update actor_tokens set expires_at = now() - interval '1 second' where left(token_hash, 12) = %s",
        (expired,),
    )

    listed = {t["id"]: t for t in call(db, "tokens", actor_id=ADA)["tokens"]}

    assert {identity: t["state"] for identity, t in listed.items()} == {
        active: "active",
        revoked: "revoked",
        expired: "expired",
    }
    assert set(listed[active]) == {
        "id",
        "actor_id",
        "description",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "state",
    }
    assert listed[active]["created_by"] == ADMIN


def test_revoking_twice_changes_nothing_more(db: psycopg.Connection) -> None:
    token = issue(db)["id"]
    call(db, "revoke_token", token_id=token)
    before = db.execute("select revoked_at from actor_tokens where actor_id = %s", (ADA,)).fetchone()

    call(db, "revoke_token", token_id=token)

    assert db.execute("select revoked_at from actor_tokens where actor_id = %s", (ADA,)).fetchone() == before


@pytest.mark.parametrize("token", ["", "0123456789ab", "x" * 100_000, "%", None, "atl_abc"])
def test_revoking_what_is_not_there(db: psycopg.Connection, token: str | None) -> None:
    issue(db)

    with refused(db, "token_not_found", 404):
        call(db, "revoke_token", token_id=token)


def test_tokens_page_by_key(db: psycopg.Connection) -> None:
    made = {issue(db)["id"] for _ in range(5)}
    seen: list[str] = []
    after = None
    for _ in range(3):
        page = call(db, "tokens", page_size=2, after=after)
        seen += [t["id"] for t in page["tokens"]]
        after = page["next_after"]

    assert after is None
    assert sorted(seen) == sorted(made)


def test_tokens_are_listed_by_actor(db: psycopg.Connection) -> None:
    mine = issue(db)["id"]
    issue(db, actor_id="user:bo")

    assert [t["id"] for t in call(db, "tokens", actor_id=ADA)["tokens"]] == [mine]


def test_the_shared_token_is_adopted_by_its_hash_for_legacy(db: psycopg.Connection) -> None:
    digest = hashlib.sha256(b"the shared secret").hexdigest()

    call(db, "adopt_legacy_token", token_hash=digest)

    (token,) = call(db, "tokens")["tokens"]
    assert (token["actor_id"], token["expires_at"], token["state"]) == (
        "system:legacy",
        None,
        "active",
    )
    assert token["id"] == digest[:12]
    row = db.execute("select token_hash from actor_tokens").fetchone()
    assert row == (digest,)


@pytest.mark.parametrize(
    "digest",
    ["", "a" * 63, "a" * 65, "g" * 64, "A" * 64, "the shared secret", None, "a" * 64 + "\n"],
)
def test_only_a_hash_is_adopted(db: psycopg.Connection, digest: str | None) -> None:
    with refused(db, "token_hash_not_valid", 422):
        call(db, "adopt_legacy_token", token_hash=digest)


@pytest.mark.parametrize("text", ["x" * 100_000, "a\x1bb"])
def test_a_description_is_short_clean_text(db: psycopg.Connection, text: str) -> None:
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        issue(db, description=text)
    assert caught.value.sqlstate == "PT422"
