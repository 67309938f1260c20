"""Acting for a person: whose grants decide, what is recorded, and what it never allows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.support.calls import (
    ADMIN,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    move,
    refused,
    version,
)

SLACK, ANA, BEN = "agent:slack", "user:ana", "user:ben"

Call = Callable[..., Any]


def _move(to: str, **more: Any) -> Call:
    return lambda db, client, actor, **who: move(db, client, to, actor=actor, **more, **who)


def _items(function: str, **item: Any) -> Call:
    def batch(db: psycopg.Connection, client: int, actor: str, **who: Any) -> Any:
        if function == "set_stages":
            item.update(expected_version=version(db, client), reason="r")
        answer = call(db, function, actor=actor, items=[{"client_id": client} | item | who])
        if answer["refused"]:
            raise psycopg.errors.lookup("42501")(answer["items"][0]["details"]["rule"])
        return answer

    return batch


def _plain(function: str, **arguments: Any) -> Call:
    return lambda db, client, actor, **who: call(db, function, actor=actor, client_id=client, **arguments, **who)


# What it needs, the stage it begins in, the facts that a scope is held against, and the call.
CALLS: dict[str, tuple[str, str, dict[str, str], Call]] = {
    "a move": ("can_set_stage", "weekly", {"to": "eom_close"}, _move("eom_close")),
    "a move of a batch": (
        *("can_set_stage", "weekly", {"to": "eom_close"}),
        _items("set_stages", to_stage="eom_close"),
    ),
    "a sign-off": ("can_sign_off_eom_review", "eom_review", {"to": "weekly"}, _move("weekly")),
    "offboarding": ("can_offboard", "weekly", {"to": "offboarding"}, _move("offboarding")),
    "an override": (
        *("can_admin", "weekly", {"to": "onboarding"}),
        _move("onboarding", override=True),
    ),
    "a flag": (
        *("can_set_flag", "weekly", {"flags": "client_blocking"}),
        _plain("set_flag", flag="client_blocking"),
    ),
    "a flag of a batch": (
        *("can_set_flag", "weekly", {"flags": "client_blocking"}),
        _items("set_flags", flag="client_blocking", set=True),
    ),
    "a field": ("can_set_stage", "weekly", {}, _plain("update_client", owner="user:new")),
    "an admin's field": (
        *("can_admin", "weekly", {}),
        _items("update_clients", tier="cleanup_only", reason="r"),
    ),
}

# One for each evaluator; the others run with the slow tests.
EVALUATED = ("a move", "a flag", "an admin's field")

Scope = dict[str, list[Any]] | None
# None: no such grant. An empty tuple is no scope.
NO_GRANT: list[Scope] = []
ACTS_FOR: dict[str, list[Scope]] = {
    "nobody": NO_GRANT,
    "every person": [None],
    "this person": [{"actors": [ANA]}],
    "another person": [{"actors": [BEN]}],
    "this person, moves to cleanup": [{"actors": [ANA], "to": ["cleanup"]}],
    "this person, what is called": [{"actors": [ANA], "from": ["weekly", "eom_review"]}],
    "nobody in a list": [{"actors": []}],
    "this person for flags, another for all": [
        {"actors": [ANA], "flags": ["client_blocking"]},
        {"actors": [BEN]},
    ],
}
GRANTS = {
    "none": (),
    "the needed one": ("{needed}",),
    "all but admin": ("can_set_stage", "can_set_flag", "can_sign_off_eom_review", "can_offboard"),
    "admin": ("can_admin",),
    "can_act_for": ("can_act_for",),
}


def _given(grants: str, needed: str) -> list[str]:
    return [each.format(needed=needed) for each in GRANTS[grants]]


def _expected(needed: str, facts: dict[str, str], own: str, person: str, acts: str) -> bool:
    """The rule, said once more in Python: the person's right within one covering scope, or the caller's own."""
    scopes = [*ACTS_FOR[acts], *([None] if own == "can_act_for" else [])]
    own_grants, person_grants = _given(own, needed), _given(person, needed)
    covering = [
        each
        for each in scopes
        if (ANA in each["actors"] if each and "actors" in each else "can_admin" not in person_grants)
    ]
    if not covering:
        return needed in own_grants or "can_admin" in own_grants
    in_scope = any(
        each is None
        or all(key == "actors" or key == "from" or facts.get(key) in allowed for key, allowed in each.items())
        for each in covering
    )
    return (needed in person_grants or "can_admin" in person_grants) and in_scope


@pytest.mark.parametrize(
    "name",
    [each if each in EVALUATED else pytest.param(each, marks=pytest.mark.slow) for each in CALLS],
)
def test_a_call_for_a_person_is_allowed_where_their_grants_and_the_scope_allow_it(
    db: psycopg.Connection, name: str
) -> None:
    needed, stage, facts, make = CALLS[name]
    client = make_client(db, stage)
    wrong = []
    for own, person, acts in itertools.product(GRANTS, GRANTS, ACTS_FOR):
        allowed = True
        with db.transaction(force_rollback=True):
            grants = [(SLACK, each, None) for each in _given(own, needed)]
            grants += [(ANA, each, None) for each in _given(person, needed)]
            grants += [(SLACK, "can_act_for", scope) for scope in ACTS_FOR[acts]]
            db.execute(
                "insert into agent_permissions (actor_id, permission, scope, granted_by)"
                " select g ->> 0, g ->> 1, nullif(g -> 2, 'null'), 'user:test' from jsonb_array_elements(%s) g",
                [Jsonb(grants)],
            )
            if name in ("a move", "a sign-off", "offboarding"):
                dry = call(
                    db,
                    "check_stage",
                    actor=SLACK,
                    client_id=client,
                    to_stage=facts["to"],
                    on_behalf_of=ANA,
                )
            try:
                with db.transaction():
                    make(db, client, SLACK, on_behalf_of=ANA)
            except psycopg.Error as error:
                allowed = error.sqlstate not in ("PT403", "42501")
            if name in ("a move", "a sign-off", "offboarding") and dry["allowed"] is not allowed:
                wrong.append(("check_stage", own, person, acts))
        if allowed is not _expected(needed, facts, own, person, acts):
            wrong.append((allowed, own, person, acts))
    assert wrong == []


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    return make_client(db)


@pytest.fixture
def acting(db: psycopg.Connection) -> int:
    """Slack acts for Ana and Ben, who are reviewers. The id of its grant."""
    for person in (ANA, BEN):
        call(db, "set_role", actor_id=person, role="reviewer")
    return grant(db, SLACK, "can_act_for", {"actors": [ANA, BEN]})


def act(db: psycopg.Connection, client: int, to: str, person: str = ANA, **more: Any) -> Any:
    return move(db, client, to, actor=SLACK, on_behalf_of=person, **more)


def test_history_has_both_and_says_that_one_acted_for_the_other(
    db: psycopg.Connection, client: int, acting: int
) -> None:
    row = act(db, client, "eom_close", payload={"message": 7})["history"]

    assert (row["actor_id"], row["on_behalf_of"]) == (SLACK, ANA)
    assert row["payload"] == {"message": 7, "acts_for": True}


def test_a_caller_cannot_say_itself_that_it_acted_for_somebody(db: psycopg.Connection, client: int) -> None:
    grant(db, SLACK, "can_set_stage")
    row = act(db, client, "eom_close", payload={"acts_for": True})["history"]

    assert row["payload"] == {}
    with refused(db, "undo_not_yours", 403):
        call(db, "undo", actor=ANA, client_id=client, expected_version=row["version"], reason="mine?")


def test_a_sign_off_is_the_person_s(db: psycopg.Connection, acting: int) -> None:
    client = make_client(db, "eom_close", cadence="monthly")
    act(db, client, "eom_review")
    act(db, client, "weekly", BEN)
    month = history_rows(db, client)[-1]["close_period"]
    (close,) = [each for each in call(db, "closes", month=month)["closes"] if each["client_id"] == client]

    assert (close["reviewed_by"], close["signed_off_by"], close["signed_off_through"]) == (
        *(ANA, BEN),
        SLACK,
    )


def test_only_a_reviewer_of_the_client_signs_off_through_an_adapter(db: psycopg.Connection, acting: int) -> None:
    client = make_client(db, "eom_review", reviewers=[BEN])
    with refused(db, "not_eligible_reviewer", 403, actor_id=ANA):
        act(db, client, "weekly")
    act(db, client, "weekly", BEN)


@pytest.mark.parametrize(
    ("handed_over", "signs_off"),
    [
        ((SLACK, ANA), (SLACK, ANA)),
        ((SLACK, ANA), (ANA, None)),
        ((ANA, None), (SLACK, ANA)),
        ((SLACK, ANA), (SLACK, BEN)),
    ],
)
def test_separation_of_duties_counts_the_caller_and_the_person(
    db: psycopg.Connection,
    acting: int,
    handed_over: tuple[str, str | None],
    signs_off: tuple[str, str | None],
) -> None:
    db.execute("update stage_settings set separate_reviewer = true")
    client = make_client(db, "eom_close")
    for actor, to in ((handed_over, "eom_review"), (signs_off, "weekly")):
        who, person = actor
        if to == "weekly":
            with refused(db, "reviewer_moved_it_in", 403):
                move(db, client, to, actor=who, on_behalf_of=person)
        else:
            move(db, client, to, actor=who, on_behalf_of=person)
    move(db, client, "weekly", actor=BEN)


def test_revoking_either_grant_ends_it_at_once(db: psycopg.Connection, client: int, acting: int) -> None:
    with db.transaction(force_rollback=True):
        call(db, "set_role", actor_id=ANA, role="viewer")
        with refused(db, "permission_missing", 403, actor_id=ANA, permission="can_set_stage"):
            act(db, client, "eom_close")
    call(db, "revoke_permission", permission_id=acting)
    with refused(db, "permission_missing", 403, actor_id=SLACK, permission="can_set_stage"):
        act(db, client, "eom_close")


def test_a_refusal_names_the_actor_whose_right_is_missing(db: psycopg.Connection, client: int, acting: int) -> None:
    call(db, "revoke_permission", permission_id=acting)
    grant(db, SLACK, "can_act_for", {"actors": [ANA], "to": ["cleanup"]})
    with refused(db, "permission_missing", 403, actor_id=SLACK, permission="can_act_for", scope_key="to"):
        act(db, client, "eom_close")
    with refused(db, "permission_missing", 403, actor_id=ANA) as refusal:
        act(db, client, "offboarding")
    assert refusal.details["text"].startswith("user:ana needs permission to offboard clients")
    assert {each["actor_id"] for each in refusal.details["refusals"]} == {ANA, SLACK}


def test_a_person_undoes_here_what_was_done_there(db: psycopg.Connection, client: int, acting: int) -> None:
    before = client_row(db, client)["stage"]
    for done_by, undone_by in itertools.product(((SLACK, ANA), (ANA, None)), repeat=2):
        move(db, client, "eom_close", actor=done_by[0], on_behalf_of=done_by[1])
        row = call(
            db,
            "undo",
            actor=undone_by[0],
            on_behalf_of=undone_by[1],
            client_id=client,
            expected_version=version(db, client),
        )["history"]
        assert (row["actor_id"], row["on_behalf_of"]) == undone_by
        assert client_row(db, client)["stage"] == before


def test_an_undo_is_the_person_s_own_and_in_the_scope(db: psycopg.Connection, client: int, acting: int) -> None:
    act(db, client, "eom_close")
    undo = {"client_id": client, "expected_version": version(db, client)}
    with refused(db, "undo_not_yours", 403, made_by=ANA):
        call(db, "undo", actor=SLACK, on_behalf_of=BEN, **undo)
    with refused(db, "undo_not_yours", 403, made_by=ANA):
        call(db, "undo", actor=SLACK, **undo)
    call(db, "revoke_permission", permission_id=acting)
    grant(db, SLACK, "can_act_for", {"actors": [ANA], "to": ["eom_close"]})
    with refused(db, "permission_missing", 403, permission="can_act_for", scope_key="to"):
        call(db, "undo", actor=SLACK, on_behalf_of=ANA, **undo)


def test_a_batch_for_a_person_is_undone_by_the_person(db: psycopg.Connection, acting: int) -> None:
    clients = [make_client(db) for _ in range(3)]
    items = [{"client_id": each, "flag": "client_blocking", "set": True, "on_behalf_of": ANA} for each in clients]
    batch = call(db, "set_flags", actor=SLACK, items=items)["batch"]
    with refused(db, "undo_not_yours", 403, made_by=ANA):
        call(db, "undo_batch", actor=SLACK, batch=batch)
    with db.transaction(force_rollback=True):
        assert call(db, "undo_batch", actor=ANA, batch=batch)["rolled_back"] == 3
    answer = call(db, "undo_batch", actor=SLACK, on_behalf_of=ANA, batch=batch)
    assert answer["rolled_back"] == 3


def test_a_batch_can_act_for_several_people(db: psycopg.Connection, acting: int) -> None:
    call(db, "set_role", actor_id=BEN, role="viewer")
    one, other = make_client(db), make_client(db)
    items = [
        {"client_id": each, "flag": "client_blocking", "set": True, "on_behalf_of": person}
        for each, person in ((one, ANA), (other, BEN))
    ]
    answer = call(db, "set_flags", actor=SLACK, items=items)

    assert [each.get("details", {}).get("actor_id") for each in answer["items"]] == [None, BEN]


def test_the_dry_run_of_many_agrees_with_the_changes(db: psycopg.Connection, acting: int) -> None:
    call(db, "revoke_permission", permission_id=acting)
    grant(db, SLACK, "can_act_for", {"actors": [ANA], "clients": [make_client(db)]})
    listed = make_client(db, "eom_review")
    grant(db, SLACK, "can_act_for", {"actors": [ANA], "clients": [listed]})
    other = make_client(db, "eom_review")
    mine, theirs = (
        call(db, "check_stages", actor=SLACK, client_ids=[each], on_behalf_of=ANA)["clients"][0]
        for each in (listed, other)
    )

    assert mine | {"client_id": 0, "version": 0} == call(db, "check_stages", actor=ANA, client_ids=[listed])["clients"][
        0
    ] | {"client_id": 0, "version": 0}
    assert [theirs[each] for each in ("moves", "override_to", "set_flags", "fields")] == [[]] * 4


def test_an_unscoped_grant_covers_no_admin_and_no_job(db: psycopg.Connection, client: int) -> None:
    grant(db, SLACK, "can_act_for")
    for person in (ADMIN, "system:cron:stage_stuck_detector", "agent:tally", "somebody"):
        if person.startswith("agent:"):
            grant(db, person, "can_set_stage")
        with refused(db, "permission_missing", 403, actor_id=SLACK, permission="can_set_stage"):
            act(db, client, "eom_close", person)
    # even by an admin's scoped grant
    grant(db, ANA, "can_admin", {"clients": [client]})
    with refused(db, "permission_missing", 403, actor_id=SLACK):
        act(db, client, "eom_close")


def test_a_job_cannot_be_listed(db: psycopg.Connection) -> None:
    for actors in (["system:cron:flag_seasonal"], ["ana"], [1], "user:ana", ["user:ana\n"]):
        with refused(db, "scope_not_valid", 422, scope_key="actors"):
            grant(db, SLACK, "can_act_for", {"actors": actors})  # type: ignore[dict-item]
    with refused(db, "unknown_scope_key", 422, scope_key="actors"):
        grant(db, SLACK, "can_set_stage", {"actors": [ANA]})


def test_an_admin_is_covered_where_the_scope_lists_them(db: psycopg.Connection, client: int) -> None:
    grant(db, SLACK, "can_act_for", {"actors": [ADMIN], "to": ["eom_close"]})
    act(db, client, "eom_close", ADMIN)
    with refused(db, "permission_missing", 403, permission="can_act_for", scope_key="to"):
        act(db, client, "onboarding", ADMIN, override=True)


def test_acting_is_not_passed_on(db: psycopg.Connection, client: int) -> None:
    tally = "agent:tally"
    call(db, "set_role", actor_id=ANA, role="bookkeeper")
    grant(db, SLACK, "can_act_for", {"actors": [tally]})
    grant(db, tally, "can_act_for", {"actors": [ANA]})
    for person in (ANA, tally):
        with refused(db, "permission_missing", 403):
            act(db, client, "eom_close", person)


def test_a_new_client_is_judged_by_the_person(db: psycopg.Connection, acting: int) -> None:
    new = {"name": "New", "slug": "new-one", "on_behalf_of": ANA}
    row = call(db, "create_client", actor=SLACK, **new)["history"]
    assert row["payload"]["acts_for"] is True
    with refused(db, "permission_missing", 403, actor_id=ANA, permission="can_admin"):
        call(db, "create_client", actor=SLACK, **new | {"slug": "newer"}, tier="cleanup_only")


def test_a_flag_that_people_set_is_set_through_an_adapter(db: psycopg.Connection, client: int, acting: int) -> None:
    arguments = {"client_id": client, "flag": "sales_tax_due", "on_behalf_of": ANA}
    assert call(db, "set_flag", actor=SLACK, **arguments)["changed"]
    with refused(db, "flag_reserved", 403, actor_id=ANA):
        call(db, "set_flag", actor=SLACK, **arguments | {"flag": "stuck"})


def test_the_scope_of_acting_makes_no_queue(db: psycopg.Connection) -> None:
    client = make_client(db)
    grant(db, SLACK, "can_act_for", {"actors": [ANA], "from": ["weekly"], "clients": [client]})
    grant(db, SLACK, "can_act_for", {"actors": [ANA], "service_tiers": ["recurring_only"]})

    assert call(db, "queue", actor=SLACK)["queue"] == []


def test_a_retry_after_the_grant_was_revoked_gets_the_first_answer(
    db: psycopg.Connection, client: int, acting: int
) -> None:
    first = act(db, client, "eom_close", external_id="Ev1")
    call(db, "revoke_permission", permission_id=acting)
    again = act(db, client, "eom_close", external_id="Ev1", expected_version=7)

    assert (again["replayed"], again["history"]) == (True, first["history"])
