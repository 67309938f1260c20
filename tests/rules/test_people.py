"""The people of the firm: roles, invites, handing over, leaving; one form of an id."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    ADMIN,
    all_breaks,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    refused,
)

ANA, BEN = "user:ana", "user:ben"


def permissions(db: psycopg.Connection, actor: str) -> list[str]:
    granted = call(db, "permissions", actor_id=actor)["permissions"]
    return sorted(each["permission"] for each in granted)


def person(db: psycopg.Connection, actor: str, asked_by: str = ADMIN) -> dict[str, Any] | None:
    people = call(db, "people", actor=asked_by)["people"]
    return next((each for each in people if each["actor_id"] == actor), None)


def accept(db: psycopg.Connection, invite: str) -> Any:
    """As PostgREST does it: the invite is the request's token."""
    with db.transaction():
        headers = json.dumps({"x-atlas-token": invite, "x-atlas-request": "POST /rpc/accept_invite"})
        db.execute("select set_config('request.headers', %s, true)", (headers,))
        return call(db, "accept_invite", actor=None)


class TestRoles:
    def test_a_role_is_a_set_of_grants(self, db: psycopg.Connection) -> None:
        for role, expected in {
            "bookkeeper": ["can_set_flag", "can_set_stage"],
            "reviewer": ["can_set_flag", "can_set_stage", "can_sign_off_eom_review"],
            "admin": ["can_admin"],
            "viewer": [],
        }.items():
            answer = call(db, "set_role", actor_id=ANA, role=role)
            assert answer["changed"] is True
            assert permissions(db, ANA) == expected
            assert call(db, "set_role", actor_id=ANA, role=role)["changed"] is False

    def test_other_grants_end_also_those_with_a_scope(self, db: psycopg.Connection) -> None:
        grant(db, ANA, "can_offboard")
        grant(db, ANA, "can_set_stage", {"to": ["weekly"]})
        call(db, "set_role", actor_id=ANA, role="bookkeeper")

        live = call(db, "permissions", actor_id=ANA)["permissions"]
        assert [(each["permission"], each["scope"]) for each in live] == [
            ("can_set_flag", None),
            ("can_set_stage", None),
        ]

    def test_the_last_admin_stays_one(self, db: psycopg.Connection) -> None:
        with refused(db, "last_admin", 409):
            call(db, "set_role", actor_id=ADMIN, role="viewer")
        assert call(db, "set_role", actor_id=ADMIN, role="admin")["role"] == "admin"

    def test_an_unknown_role_is_refused_with_the_known_ones(self, db: psycopg.Connection) -> None:
        with refused(db, "unknown_role", 422) as refusal:
            call(db, "set_role", actor_id=ANA, role="boss")
        assert "reviewer" in refusal.details["text"]

    def test_it_takes_an_admin(self, db: psycopg.Connection) -> None:
        grant(db, BEN, "can_set_stage")
        for function, more in {
            "set_role": {"role": "viewer"},
            "invite": {},
            "leave": {"reason": "r"},
        }.items():
            with refused(db, "permission_missing", 403):
                call(db, function, actor=BEN, actor_id=ANA, **more)


class TestInvites:
    def test_an_invite_is_exchanged_once(self, db: psycopg.Connection) -> None:
        invited = call(db, "invite", actor_id=ANA, role="bookkeeper", token_days=30)
        token = accept(db, invited["invite"])

        assert (token["actor_id"], token["created_by"], token["state"]) == (ANA, ADMIN, "active")
        assert token["token"] != invited["invite"]
        assert permissions(db, ANA) == ["can_set_flag", "can_set_stage"]
        with refused(db, "invite_not_valid", 401):
            accept(db, invited["invite"])

    def test_an_old_or_unknown_one_is_refused(self, db: psycopg.Connection) -> None:
        invited = call(db, "invite", actor_id=ANA)
        db.execute("update actor_invites set expires_at = now()")
        for invite in (invited["invite"], "atl_unknown", ""):
            with refused(db, "invite_not_valid", 401):
                accept(db, invite)

    def test_it_is_stored_nowhere(self, db: psycopg.Connection) -> None:
        invite = call(db, "invite", actor_id=ANA)["invite"]
        row = db.execute("select to_jsonb(i)::text from actor_invites i").fetchone()
        assert row is not None
        assert invite not in row[0]

    @pytest.mark.parametrize("days", [0, -1, 3651])
    def test_the_days_of_the_token_are_bounded(self, db: psycopg.Connection, days: int) -> None:
        with refused(db, "days_not_valid", 422, days=days):
            call(db, "invite", actor_id=ANA, token_days=days)


class TestHandingOver:
    def test_everything_of_one_goes_to_the_other_and_comes_back(self, db: psycopg.Connection) -> None:
        owned = make_client(db, owner=ANA)
        shared = make_client(db, owner="user:eve", collaborators=[ANA, BEN], reviewers=[ANA])
        other = make_client(db, owner="user:eve")
        before = [client_row(db, each) for each in (owned, shared, other)]

        answer = call(db, "hand_over", from_actor_id=ANA, to_actor_id=BEN, reason="on leave")

        assert (answer["done"], answer["left"]) == (2, [])
        assert client_row(db, owned)["stage_owner"] == BEN
        assert client_row(db, shared)["stage_collaborators"] == [BEN]
        assert client_row(db, shared)["eligible_reviewers"] == [BEN]
        assert history_rows(db, owned)[-1]["reason"] == "on leave"
        assert client_row(db, other) == before[2]
        assert person(db, ANA) is None
        call(db, "undo_batch", batch=answer["batch"])
        assert [client_row(db, each) for each in (owned, shared)] == [each | {"version": 2} for each in before[:2]]
        assert all_breaks(db) == []

    def test_who_may_not_change_a_client_is_told_which_stay(self, db: psycopg.Connection) -> None:
        grant(db, BEN, "can_set_stage")
        owned = make_client(db, owner=ANA)
        reviewed = make_client(db, reviewers=[ANA])  # reviewers are an admin's
        answer = call(db, "hand_over", actor=BEN, from_actor_id=ANA, to_actor_id=BEN, reason="r")

        assert answer["done"] == 1
        [left] = answer["left"]
        assert (left["client_id"], left["rule"]) == (reviewed, "permission_missing")
        assert client_row(db, owned)["stage_owner"] == BEN

    def test_a_repeated_undo_gets_the_first_answer(self, db: psycopg.Connection) -> None:
        make_client(db, owner=ANA)
        batch = call(db, "hand_over", from_actor_id=ANA, to_actor_id=BEN, reason="r")["batch"]
        with db.transaction():
            db.execute("select set_config('request.headers', %s, true)", ('{"idempotency-key": "u"}',))
            first = call(db, "undo_batch", batch=batch)
            assert first["rolled_back"] == 1
            assert call(db, "undo_batch", batch=batch) == first | {"replayed": True}

    def test_a_repeated_call_gets_the_first_answer(self, db: psycopg.Connection) -> None:
        make_client(db, owner=ANA)
        with db.transaction():
            db.execute("select set_config('request.headers', %s, true)", ('{"idempotency-key": "k"}',))
            arguments = {"from_actor_id": ANA, "to_actor_id": BEN, "reason": "r"}
            first = call(db, "hand_over", **arguments)
            assert call(db, "hand_over", **arguments) == first | {"replayed": True}


def test_who_leaves_may_nothing_and_has_nothing(db: psycopg.Connection) -> None:
    call(db, "set_role", actor_id=ANA, role="reviewer")
    call(db, "issue_token", actor_id=ANA, never_expires=True)
    invite = call(db, "invite", actor_id=ANA)["invite"]
    client = make_client(db, owner=ANA)

    answer = call(db, "leave", actor_id=ANA, to_actor_id=BEN, reason="left the firm")

    assert (answer["permissions"], answer["tokens"]) == (3, 1)
    assert answer["handed_over"]["done"] == 1
    assert client_row(db, client)["stage_owner"] == BEN
    assert person(db, ANA) is None
    with refused(db, "invite_not_valid", 401):
        accept(db, invite)
    with refused(db, "last_admin", 409):
        call(db, "leave", actor_id=ADMIN, reason="r")


class TestThePeople:
    def test_an_admin_sees_what_each_has(self, db: psycopg.Connection) -> None:
        call(db, "set_role", actor_id=ANA, role="reviewer")
        call(db, "issue_token", actor_id=ANA, never_expires=True)
        make_client(db, owner=ANA, reviewers=[ANA])
        make_client(db, owner=ANA, collaborators=[ANA])

        assert person(db, ANA) == {
            "actor_id": ANA,
            "owns": 2,
            "collaborates": 1,
            "reviews": 1,
            "role": "reviewer",
            "permissions": ["can_set_flag", "can_set_stage", "can_sign_off_eom_review"],
            "tokens": 1,
            "last_seen_at": None,
        }

    def test_others_see_who_there_is(self, db: psycopg.Connection) -> None:
        make_client(db, owner=ANA)
        assert person(db, ANA, asked_by=BEN) == {
            "actor_id": ANA,
            "owns": 1,
            "collaborates": 0,
            "reviews": 0,
        }

    def test_a_grant_with_a_scope_is_no_role(self, db: psycopg.Connection) -> None:
        grant(db, ANA, "can_admin", {"clients": [1]})
        found = person(db, ANA)
        assert found is not None
        assert found["role"] is None

    def test_jobs_are_no_people(self, db: psycopg.Connection) -> None:
        people = call(db, "people")["people"]
        assert [each for each in people if each["actor_id"].startswith("system:")] == []


class TestOneForm:
    @pytest.mark.parametrize(
        ("given", "form"),
        [
            ("user:Ben", "user:ben"),
            ("user:be\u200bn", "user:ben"),
            ("user:be\u00adn", "user:ben"),
            ("user:\ufeffben", "user:ben"),
            ("user:jose\u0301", "user:jos\u00e9"),
            ("user:\u00c9va", "user:\u00e9va"),
        ],
    )
    def test_another_form_of_an_id_is_refused_with_the_right_one(
        self, db: psycopg.Connection, given: str, form: str
    ) -> None:
        client = make_client(db)
        for function, arguments in {
            "grant_permission": {"actor_id": given, "permission": "can_admin"},
            "issue_token": {"actor_id": given, "never_expires": True},
            "invite": {"actor_id": given},
            "set_role": {"actor_id": given, "role": "viewer"},
            "update_client": {"client_id": client, "owner": given},
            "create_client": {"name": "n", "slug": "s", "reviewers": [given]},
            "hand_over": {"from_actor_id": ANA, "to_actor_id": given, "reason": "r"},
        }.items():
            with refused(db, "actor_id_not_normal", 422, instead=form):
                call(db, function, **arguments)

    def test_an_id_from_before_stays_usable(self, db: psycopg.Connection) -> None:
        client = make_client(db)
        db.execute("update clients set stage_owner = 'user:Ben' where id = %s", (client,))
        call(db, "update_client", client_id=client, notes="n")
        call(db, "hand_over", from_actor_id="user:Ben", to_actor_id=BEN, reason="one id each")
        assert client_row(db, client)["stage_owner"] == BEN

    def test_a_slug_is_stored_in_its_form(self, db: psycopg.Connection) -> None:
        made = call(db, "create_client", name="N", slug="Jose\u0301\u200b-Cafe")["client"]
        assert made["slug"] == "jos\u00e9-cafe"

    def test_a_slug_that_looks_like_the_host_s_is_refused_with_that_client(self, db: psycopg.Connection) -> None:
        db.execute("insert into clients (name, slug) values ('Acme Inc', 'ACME-Jose\u0301')")
        with refused(db, "slug_too_similar", 409, other_client="Acme Inc"):
            call(db, "create_client", name="N", slug="acme-jos\u00e9")
