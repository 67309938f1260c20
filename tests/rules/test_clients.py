"""Making a client, and changing what is not its stage or its flags."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support.calls import (
    ADMIN,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    refused,
)

CLERK = "user:clerk"
DAY_TO_DAY: dict[str, Any] = {
    "owner": "user:ada",
    "collaborators": ["user:bo"],
    "notes": "call first",
}
AGREEMENT: dict[str, Any] = {
    "tier": "full_service",
    "cadence": "quarterly",
    "schedule": "monthly",
    "reviewers": ["user:zoe"],
    "active": False,
}
COLUMNS = {
    "owner": "stage_owner",
    "collaborators": "stage_collaborators",
    "notes": "stage_notes",
    "tier": "service_tier",
    "cadence": "close_cadence",
    "schedule": "sales_tax_schedule",
    "reviewers": "eligible_reviewers",
    "active": "active",
}


def test_a_client_begins_in_onboarding(db: psycopg.Connection) -> None:
    answer = call(db, "create_client", name="Łódź Import", slug="lodz")

    client = answer["client"]
    assert (client["name"], client["slug"], client["stage"]) == (
        "Łódź Import",
        "lodz",
        "onboarding",
    )
    assert (client["version"], client["flags"], client["active"]) == (0, [], True)
    assert answer["changed"] is True
    assert answer["history"]["version"] == 0


def test_a_client_is_made_with_everything_it_has(db: psycopg.Connection) -> None:
    client = call(
        db,
        "create_client",
        name="N",
        slug="s",
        stage="cleanup",
        reason="taken over",
        **DAY_TO_DAY,
        **{**AGREEMENT, "active": True},
    )["client"]

    for argument, value in (DAY_TO_DAY | AGREEMENT | {"active": True}).items():
        assert client[COLUMNS[argument]] == value
    (row,) = history_rows(db, client["id"])
    assert (row["from_stage"], row["to_stage"], row["reason"]) == (None, "cleanup", "taken over")


def test_an_actor_that_can_move_clients_can_create_one(db: psycopg.Connection) -> None:
    with refused(db, "permission_missing", 403, permission="can_set_stage"):
        call(db, "create_client", actor=CLERK, name="N", slug="s1")
    grant(db, CLERK, "can_set_stage")

    assert call(db, "create_client", actor=CLERK, name="N", slug="s1", **DAY_TO_DAY)["changed"]


@pytest.mark.parametrize("argument", AGREEMENT)
def test_the_agreement_of_a_new_client_is_an_admin_s(db: psycopg.Connection, argument: str) -> None:
    grant(db, CLERK, "can_set_stage")

    with refused(db, "permission_missing", 403, permission="can_admin"):
        call(db, "create_client", actor=CLERK, name="N", slug="s1", **{argument: AGREEMENT[argument]})


def test_a_slug_is_taken_once(db: psycopg.Connection) -> None:
    make_client(db, slug="taken")

    with refused(db, "slug_taken", 409):
        call(db, "create_client", name="N", slug="taken")


@pytest.mark.parametrize("argument", ["name", "slug"])
@pytest.mark.parametrize("text", [None, "", "  ", "\u00a0", "a\nb", "x" * 100_000, "a\x00b"])
def test_a_name_and_a_slug_are_clean_text(db: psycopg.Connection, argument: str, text: str | None) -> None:
    arguments = {"name": "N", "slug": "s"} | {argument: text}

    with pytest.raises((psycopg.Error, ValueError)) as caught, db.transaction():
        call(db, "create_client", **arguments)
    if isinstance(caught.value, psycopg.Error) and "\x00" not in str(text):
        assert caught.value.sqlstate == "PT422"


@pytest.mark.parametrize("stage", ["holiday", ""])
def test_a_new_client_s_stage_is_one_of_the_words(db: psycopg.Connection, stage: str) -> None:
    with refused(db, "unknown_stage", 422):
        call(db, "create_client", name="N", slug="s", stage=stage)


@pytest.mark.parametrize("argument", DAY_TO_DAY)
def test_owner_collaborators_and_notes_are_day_to_day_work(db: psycopg.Connection, argument: str) -> None:
    client = make_client(db)
    change = {argument: DAY_TO_DAY[argument]}

    with refused(db, "permission_missing", 403, permission="can_set_stage"):
        call(db, "update_client", actor=CLERK, client_id=client, **change)
    grant(db, CLERK, "can_set_stage")
    answer = call(db, "update_client", actor=CLERK, client_id=client, **change)

    assert answer["changed"] is True
    assert client_row(db, client)[COLUMNS[argument]] == DAY_TO_DAY[argument]


@pytest.mark.parametrize("argument", AGREEMENT)
@pytest.mark.parametrize("by", ["call", "sql"])
def test_the_agreement_is_an_admin_s(db: psycopg.Connection, argument: str, by: str) -> None:
    client = make_client(db)
    for permission in ("can_set_stage", "can_set_flag", "can_offboard", "can_sign_off_eom_review"):
        grant(db, CLERK, permission)
    change = {argument: AGREEMENT[argument]}

    with refused(db, "permission_missing", 403, permission="can_admin"):
        if by == "call":
            call(db, "update_client", actor=CLERK, client_id=client, **change)
        else:
            db.execute("select rules.act_as(%s)", (CLERK,))
            db.execute(
                f"update clients set {COLUMNS[argument]} = %s where id = %s",
                (AGREEMENT[argument], client),
            )
    answer = call(db, "update_client", client_id=client, reason="new contract", **change)
    assert answer["client"][COLUMNS[argument]] == AGREEMENT[argument]


def test_a_mixed_change_needs_the_admin(db: psycopg.Connection) -> None:
    client = make_client(db)
    grant(db, CLERK, "can_set_stage")

    with refused(db, "permission_missing", 403, permission="can_admin"):
        call(db, "update_client", actor=CLERK, client_id=client, owner=CLERK, tier="full_service")
    assert client_row(db, client)["stage_owner"] is None


@pytest.mark.parametrize("argument", ["owner", "collaborators", "notes", "reviewers"])
def test_what_may_be_empty_is_emptied_by_name(db: psycopg.Connection, argument: str) -> None:
    client = make_client(db, **{**DAY_TO_DAY, "reviewers": ["user:zoe"]})

    answer = call(db, "update_client", client_id=client, clear=[argument], reason="r")

    empty: Any = [] if argument == "collaborators" else None
    assert answer["client"][COLUMNS[argument]] == empty
    kept = {"owner", "collaborators", "notes", "reviewers"} - {argument}
    for other in kept:
        assert answer["client"][COLUMNS[other]] not in (None, [])


@pytest.mark.parametrize("clear", [["stage"], ["tier"], ["name"], [""], [None], ["owner", "nonsense"]])
def test_nothing_else_can_be_emptied(db: psycopg.Connection, clear: list[str | None]) -> None:
    client = make_client(db, owner=ADMIN)

    with refused(db, "unknown_value", 422, given=clear[-1] or ""):
        call(db, "update_client", client_id=client, clear=clear)
    assert client_row(db, client)["stage_owner"] == ADMIN


def test_changing_nothing_is_no_change(db: psycopg.Connection) -> None:
    client = make_client(db, owner="user:ada")

    for arguments in ({}, {"owner": "user:ada"}, {"clear": ["notes"]}, {"tier": "recurring_only"}):
        answer = call(db, "update_client", client_id=client, reason="r", **arguments)
        assert (answer["changed"], answer["history"]) == (False, None)
    assert client_row(db, client)["version"] == 0


@pytest.mark.parametrize(
    ("argument", "word"),
    [
        ("tier", "gold"),
        ("cadence", "hourly"),
        ("schedule", "weekly"),
        ("tier", ""),
        ("tier", "x" * 100_000),
    ],
)
def test_an_unknown_word_is_refused_with_the_known_ones(db: psycopg.Connection, argument: str, word: str) -> None:
    client = make_client(db)

    with refused(db, "unknown_value", 422):
        call(db, "update_client", client_id=client, reason="r", **{argument: word})
    with refused(db, "unknown_value", 422):
        call(db, "create_client", name="N", slug="s", **{argument: word})


@pytest.mark.parametrize("actor", ["ada", "user:a b", "x" * 1000, "user:"])
def test_an_owner_a_helper_and_a_reviewer_are_actors(db: psycopg.Connection, actor: str) -> None:
    client = make_client(db)

    for change in ({"owner": actor}, {"collaborators": ["user:bo", actor]}, {"reviewers": [actor]}):
        with refused(db, "actor_id_not_valid", 422):
            call(db, "update_client", client_id=client, reason="r", **change)


def test_lists_of_actors_are_sets(db: psycopg.Connection) -> None:
    client = make_client(db)

    answer = call(
        db,
        "update_client",
        client_id=client,
        collaborators=["user:zoe", "user:ada", "user:zoe"],
        reviewers=["user:b", "user:a", "user:b"],
    )["client"]

    assert answer["stage_collaborators"] == ["user:ada", "user:zoe"]
    assert answer["eligible_reviewers"] == ["user:a", "user:b"]


@pytest.mark.parametrize("client", [0, -1, 2**63 - 1, -(2**63)])
def test_updating_nobody(db: psycopg.Connection, client: int) -> None:
    with refused(db, "client_not_found", 404):
        call(db, "update_client", client_id=client, notes="n")
