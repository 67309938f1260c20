"""Lists: filters, keyset pages; and the queue: what an actor should do next, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import call, client_row, grant, make_client, move, refused
from tests.support.words import STAGES, TIERS

ADA, BO, TALLY = "user:ada", "user:bo", "agent:tally"


def ids(answer: dict[str, Any]) -> list[int]:
    return [client["id"] for client in answer["clients"]]


def aged(db: psycopg.Connection, days: float, *arguments: Any, **named: Any) -> int:
    """A client that was made so many days ago, and is in its stage since then."""
    with clock.at(db, timedelta(days=-days)):
        return make_client(db, *arguments, **named)


def test_a_client_answers_with_every_column_age_and_attention(db: psycopg.Connection) -> None:
    client = make_client(db)

    answer = call(db, "client", client_id=client)["client"]

    assert set(answer) == set(client_row(db, client)) | {"age_days", "attention"}
    assert (answer["age_days"], answer["attention"]) == (0, None)


@pytest.mark.parametrize(("days", "whole"), [(0, 0), (0.99, 0), (1, 1), (10.5, 10), (400, 400)])
def test_age_is_whole_days_in_the_stage(db: psycopg.Connection, days: float, whole: int) -> None:
    client = aged(db, days)

    assert call(db, "client", client_id=client)["client"]["age_days"] == whole


@pytest.mark.parametrize(
    ("stage", "limit"),
    [
        ("onboarding", 30),
        ("cleanup", 45),
        ("eom_close", 10),
        ("eom_review", 3),
        ("paused_client", 30),
        ("paused_internal", 14),
        ("offboarding", 30),
    ],
)
def test_over_its_sla_a_client_is_stuck_unless_it_waits_for_the_client(
    db: psycopg.Connection, stage: str, limit: int
) -> None:
    client = make_client(db, stage)

    with clock.at(db, timedelta(days=limit - 0.1)):
        assert call(db, "client", client_id=client)["client"]["attention"] is None
    with clock.at(db, timedelta(days=limit + 0.1)):
        assert call(db, "client", client_id=client)["client"]["attention"] == "stuck"
        call(db, "set_flag", client_id=client, flag="client_blocking", reason="no answer")
        assert call(db, "client", client_id=client)["client"]["attention"] == "waiting_on_client"


def test_weekly_has_no_sla(db: psycopg.Connection) -> None:
    client = aged(db, 4000, "weekly")

    assert call(db, "client", client_id=client)["client"]["attention"] is None


def test_lists_filter_by_each_fact_and_by_all_together(db: psycopg.Connection) -> None:
    first = make_client(db, "eom_close", owner=ADA, tier="full_service")
    second = aged(db, 40, "eom_close", owner=BO)
    third = make_client(db, "weekly", owner=ADA)
    gone = make_client(db, "weekly", owner=ADA, active=False)
    call(db, "set_flag", client_id=first, flag="advisory_due", reason="r")

    def found(**filters: Any) -> list[int]:
        return ids(call(db, "clients", **filters))

    assert found() == [first, second, third]
    assert found(stage="eom_close") == [first, second]
    assert found(owner=ADA) == [first, third]
    assert found(flag="advisory_due") == [first]
    assert found(service_tier="full_service") == [first]
    assert found(age_days_gt=39) == [second]
    assert found(age_days_gt=40) == []
    assert found(active=False) == [gone]
    assert found(active=None) == [first, second, third, gone]
    assert found(stage="eom_close", owner=ADA) == [first]
    assert found(stage="weekly", owner=BO) == []
    assert found(owner="user:nobody") == []


def test_lists_filter_by_stuck(db: psycopg.Connection) -> None:
    late, fine = make_client(db, "eom_close"), make_client(db, "eom_close")
    call(db, "set_flag", actor="system:cron:stage_stuck_detector", client_id=late, flag="stuck")

    assert ids(call(db, "clients", stuck=True)) == [late]
    assert ids(call(db, "clients", stuck=False)) == [fine]


@pytest.mark.parametrize(
    "word",
    [
        *(
            "bäckerei",
            "BÄCKEREI",
            "backerei",
            "ckere",
            "Ba\u0308ckerei",
            "Grün grun",
            "gruen-ohara",
        ),
        *(
            "O'Hara’s",
            "oharas",
            "hara",
            "lukasz",
            "Łuk",
            "nandu",
            "nandú bäck",
            "strasse",
            "Straße",
        ),
    ],
)
@pytest.mark.parametrize(("clients", "searched"), [(0, "parts"), (3000, "beginnings_first"), (60_000, "beginnings")])
def test_a_search_ignores_capitals_accents_and_apostrophes(
    db: psycopg.Connection, word: str, clients: int, searched: str
) -> None:
    wanted = make_client(db, name="Bäckerei Grün & O’Hara’s Łukasz, Ñandú/Straße", slug="gruen-ohara")
    make_client(db, name="Other", slug="other")
    db.execute("update pg_class set reltuples = %s where relname = 'clients'", (clients,))

    answer = call(db, "clients", search=word)
    assert answer["searched"] == searched
    inside = searched == "beginnings" and word in ("ckere", "hara")
    assert ids(answer) == ([] if inside else [wanted])


def test_a_part_of_a_word_is_found_among_many_clients_if_no_word_begins_so(db: psycopg.Connection) -> None:
    redwood = make_client(db, name="Redwood Bakery")
    db.execute("update pg_class set reltuples = 3000 where relname = 'clients'")
    assert ids(call(db, "clients", search="wood bak")) == [redwood]

    woodland = make_client(db, name="Woodland Bakery")
    assert ids(call(db, "clients", search="wood bak")) == [woodland]


def test_a_search_that_finds_nothing_names_what_is_alike(db: psycopg.Connection) -> None:
    wanted = make_client(db, name="Aldridge & Finch")
    make_client(db, name="Other")

    assert call(db, "clients", search="Aldrige")["similar"] == [{"id": wanted, "name": "Aldridge & Finch"}]
    assert call(db, "clients", search="qqq")["similar"] == []
    assert call(db, "clients", search="Aldridge")["similar"] is None


@pytest.mark.parametrize("word", ["100%", "_", "'", '"', "\\", "& | !", "a:*", "(", "<->", "%"])
def test_a_search_takes_any_signs(db: psycopg.Connection, word: str) -> None:
    make_client(db)

    assert isinstance(call(db, "clients", search=word)["clients"], list)


@pytest.mark.parametrize(
    ("filters", "rule"),
    [
        ({"stage": "holiday"}, "unknown_stage"),
        ({"flag": "nonsense"}, "unknown_flag"),
        ({"service_tier": "gold"}, "unknown_value"),
    ],
)
def test_a_filter_with_an_unknown_word_is_refused(db: psycopg.Connection, filters: dict[str, str], rule: str) -> None:
    with refused(db, rule, 422):
        call(db, "clients", **filters)


def test_lists_page_by_key(db: psycopg.Connection) -> None:
    clients = [make_client(db) for _ in range(5)]

    first = call(db, "clients", page_size=2)
    assert (ids(first), first["next_after"]) == (clients[:2], clients[1])
    # rows that come and go between pages shift nothing
    call(db, "update_client", client_id=clients[0], active=False, reason="gone")
    second = call(db, "clients", page_size=2, after=first["next_after"])
    assert ids(second) == clients[2:4]
    third = call(db, "clients", page_size=2, after=second["next_after"])
    assert (ids(third), third["next_after"]) == (clients[4:], None)


def test_a_full_last_page_is_the_last(db: psycopg.Connection) -> None:
    for _ in range(4):
        make_client(db)

    first = call(db, "clients", page_size=2)
    second = call(db, "clients", page_size=2, after=first["next_after"])
    assert second["next_after"] is None


@pytest.mark.parametrize("function", ["clients", "queue", "permissions", "tokens", "stage_history"])
@pytest.mark.parametrize("size", [0, -1, 1001, 2**31 - 1, -(2**31), None])
def test_a_page_has_1_to_1000_rows(db: psycopg.Connection, function: str, size: int | None) -> None:
    arguments = {"client_id": make_client(db)} if function == "stage_history" else {}

    with refused(db, "page_size_not_valid", 422):
        call(db, function, page_size=size, **arguments)
    assert call(db, function, page_size=1000, **arguments)


@pytest.mark.parametrize("number", [-(2**63), -1, 0, 2**63 - 1])
def test_a_page_after_any_number(db: psycopg.Connection, number: int) -> None:
    make_client(db)

    assert isinstance(call(db, "clients", after=number)["clients"], list)
    assert isinstance(call(db, "permissions", after=number)["permissions"], list)
    client = make_client(db)
    assert isinstance(call(db, "stage_history", client_id=client, before_version=number)["history"], list)


@pytest.mark.parametrize("days", [-(2**31), -1, 0, 2**31 - 1])
def test_any_age_may_be_asked_for(db: psycopg.Connection, days: int) -> None:
    client = make_client(db)

    assert ids(call(db, "clients", age_days_gt=days)) == ([client] if days < 0 else [])


# Queue


def queue(db: psycopg.Connection, actor: str, **arguments: Any) -> list[tuple[int, list[str]]]:
    answer = call(db, "queue", actor=actor, **arguments)["queue"]
    return [(item["client"]["id"], sorted(item["why"])) for item in answer]


def test_the_queue_has_what_the_actor_owns_or_helps_with(db: psycopg.Connection) -> None:
    mine = make_client(db, "eom_close", owner=ADA)
    helped = make_client(db, "eom_close", owner=BO, collaborators=[ADA, "user:zoe"])
    make_client(db, "eom_close", owner=BO)

    assert sorted(queue(db, ADA)) == [(mine, ["owner"]), (helped, ["collaborator"])]


def test_the_queue_has_reviews_that_the_actor_may_sign_off(db: psycopg.Connection) -> None:
    grant(db, ADA, "can_sign_off_eom_review")
    anyone = make_client(db, "eom_review")
    named = make_client(db, "eom_review", reviewers=[ADA])
    make_client(db, "eom_review", reviewers=[BO])
    make_client(db, "eom_close")

    assert sorted(queue(db, ADA)) == [(anyone, ["review"]), (named, ["review"])]
    assert queue(db, BO) == []  # named, but without the permission


def test_the_queue_of_a_reviewer_leaves_out_what_it_moved_in_itself(db: psycopg.Connection) -> None:
    db.execute("update stage_settings set separate_reviewer = true")
    for permission in ("can_sign_off_eom_review", "can_set_stage"):
        grant(db, ADA, permission)
    client = make_client(db, "eom_close")
    move(db, client, "eom_review", actor=ADA)

    assert queue(db, ADA) == []


def test_the_queue_respects_the_scope_of_the_sign_off(db: psycopg.Connection) -> None:
    mine = make_client(db, "eom_review", tier="full_service")
    make_client(db, "eom_review")
    grant(db, ADA, "can_sign_off_eom_review", {"service_tiers": ["full_service"]})

    assert queue(db, ADA) == [(mine, ["review"])]


def test_an_agent_s_queue_has_the_clients_that_its_scoped_grants_cover(
    db: psycopg.Connection,
) -> None:
    grant(db, TALLY, "can_set_stage", {"from": ["eom_close"], "to": ["eom_review"]})
    covered = make_client(db, "eom_close")
    make_client(db, "weekly")

    assert queue(db, TALLY) == [(covered, ["in_scope"])]


def test_a_person_s_queue_is_not_everything_that_a_grant_covers(db: psycopg.Connection) -> None:
    grant(db, ADA, "can_set_stage", {"from": ["eom_close"], "to": ["eom_review"]})
    make_client(db, "eom_close")

    assert queue(db, ADA) == []


def test_each_row_says_every_reason(db: psycopg.Connection) -> None:
    grant(db, ADA, "can_sign_off_eom_review")
    client = make_client(db, "eom_review", owner=ADA, collaborators=[ADA])

    assert queue(db, ADA) == [(client, ["collaborator", "owner", "review"])]


def test_inactive_clients_are_in_nobody_s_queue(db: psycopg.Connection) -> None:
    make_client(db, owner=ADA, active=False)

    assert queue(db, ADA) == []


def test_stuck_first_then_nearest_to_its_sla_waiting_last(db: psycopg.Connection) -> None:
    no_sla = make_client(db, "weekly", owner=ADA)
    far = make_client(db, "cleanup", owner=ADA)
    near = aged(db, 9, "eom_close", owner=ADA)
    stuck = aged(db, 5, "eom_review", owner=ADA)
    waiting = aged(db, 50, "eom_review", owner=ADA)
    call(db, "set_flag", client_id=waiting, flag="client_blocking", reason="r")
    call(db, "set_flag", actor="system:cron:stage_stuck_detector", client_id=stuck, flag="stuck")

    order = [client for client, _ in queue(db, ADA)]

    assert order == [stuck, near, far, no_sla, waiting]


def test_the_queue_says_when_the_sla_ends(db: psycopg.Connection) -> None:
    make_client(db, "eom_review", owner=ADA)
    make_client(db, "weekly", owner=ADA)

    by_stage = {item["client"]["stage"]: item["sla_due_at"] for item in call(db, "queue", actor=ADA)["queue"]}
    row = db.execute("select to_jsonb(now() + interval '72 hours') #>> '{}'").fetchone()
    assert row is not None
    assert by_stage == {"eom_review": row[0], "weekly": None}


def test_the_queue_of_another_actor_can_be_asked_for(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ADA)

    assert queue(db, BO, actor_id=ADA) == [(client, ["owner"])]
    assert queue(db, BO) == []


@pytest.mark.parametrize("actor", ["", "ada", "user: x"])
def test_the_queue_of_what_is_no_actor(db: psycopg.Connection, actor: str) -> None:
    with refused(db, "actor_id_not_valid", 422):
        call(db, "queue", actor_id=actor)


def test_the_queue_has_as_many_as_asked_for(db: psycopg.Connection) -> None:
    for _ in range(4):
        make_client(db, owner=ADA)

    assert len(queue(db, ADA, page_size=3)) == 3


# The firm's holidays and words


def test_every_stage_has_its_sla_row_and_every_tier_can_be_had(db: psycopg.Connection) -> None:
    stages = db.execute("select array_agg(stage order by stage) from stages").fetchone()
    assert stages == (sorted(STAGES),)
    for tier in TIERS:
        assert client_row(db, make_client(db, tier=tier))["service_tier"] == tier


@pytest.mark.parametrize(
    "scope",
    [
        lambda client: {"clients": [client]},
        lambda _: {"service_tiers": ["full_service"]},
        lambda client: {"clients": [client], "service_tiers": ["full_service"], "to": ["cleanup"]},
        lambda client: {"clients": [client], "from": ["weekly"]},
    ],
)
def test_an_agent_whose_grant_is_narrowed_to_clients_or_tiers_has_them_in_its_queue(
    db: psycopg.Connection, scope: Callable[[int], dict[str, Any]]
) -> None:
    covered = make_client(db, "weekly", tier="full_service")
    make_client(db, "weekly")
    grant(db, TALLY, "can_set_stage", scope(covered))

    assert queue(db, TALLY) == [(covered, ["in_scope"])]


@pytest.mark.parametrize("number", [0.5, 2**70, -1])
def test_a_grant_that_names_no_client_puts_none_in_the_queue(db: psycopg.Connection, number: float) -> None:
    make_client(db)
    grant(db, TALLY, "can_set_stage", {"clients": [number]})

    assert queue(db, TALLY) == []


def test_the_queue_pages_by_its_cursor(db: psycopg.Connection) -> None:
    grant(db, TALLY, "can_set_stage", {"from": ["cleanup", "weekly", "eom_close"]})
    stages = [stage for stage in ("weekly", "cleanup", "eom_close") for _ in range(3)]
    clients = [*(make_client(db, stage) for stage in stages[:-1]), aged(db, 20, stages[-1])]
    whole = [client for client, _ in queue(db, TALLY)]

    pages, after = [], None
    while True:
        page = call(db, "queue", actor=TALLY, page_size=2, after=after)
        pages.append([item["client"]["id"] for item in page["queue"]])
        after = page["next_after"]
        if after is None:
            break

    assert [client for page in pages for client in page] == whole
    assert sorted(whole) == clients
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]


def test_lists_take_several_stages(db: psycopg.Connection) -> None:
    clients = [make_client(db, stage) for stage in ("weekly", "eom_close", "cleanup", "weekly")]

    first = call(db, "clients", stage="weekly,eom_close", page_size=2)
    assert ids(first) == clients[:2]
    second = call(db, "clients", stage="weekly,eom_close", page_size=2, cursor=first["next_cursor"])
    assert (ids(second), second["next_cursor"]) == ([clients[3]], None)
    with refused(db, "unknown_stage", 422):
        call(db, "clients", stage="weekly,holiday")


def test_lists_filter_by_attention_by_having_no_owner_and_by_ids(db: psycopg.Connection) -> None:
    late, waiting, fine = (aged(db, days, "eom_close", owner=ADA) for days in (11, 11, 0))
    nobody = make_client(db, "weekly")
    call(db, "set_flag", client_id=waiting, flag="client_blocking", reason="r")

    def found(**filters: Any) -> list[int]:
        return ids(call(db, "clients", **filters))

    assert found(attention="stuck") == [late]
    assert found(attention="waiting_on_client") == [waiting]
    assert found(attention="none") == [fine, nobody]
    assert found(unowned=True) == [nobody]
    assert found(unowned=False) == [late, waiting, fine]
    assert found(client_ids=[fine, nobody, -1]) == [fine, nobody]
    assert found(client_ids=[]) == []
    for name in ("attention", "sort"):
        with refused(db, "unknown_value", 422, field=name, given="bad"):
            call(db, "clients", **{name: "bad"})


def test_an_empty_filter_is_none(db: psycopg.Connection) -> None:
    client = make_client(db)

    empty = dict.fromkeys(("stage", "flag", "owner", "service_tier", "search", "attention", "sort"), "")
    assert ids(call(db, "clients", **empty)) == [client]


@pytest.mark.parametrize(
    ("sort", "order"), [("age", [3, 1, 4, 0, 2]), ("sla", [1, 4, 0, 2, 3]), ("id", [0, 1, 2, 3, 4])]
)
def test_lists_sort_by_age_and_by_what_is_left_of_the_sla(db: psycopg.Connection, sort: str, order: list[int]) -> None:
    # limits: 10, 10, 45, none, 3 days
    clients = [
        aged(db, days, stage)
        for stage, days in (
            ("eom_close", 1),
            ("eom_close", 9),
            ("cleanup", 0.5),
            ("weekly", 30),
            ("eom_review", 1.5),
        )
    ]

    pages, cursor = [], None
    while True:
        page = call(db, "clients", sort=sort, page_size=2, cursor=cursor)
        pages += ids(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert [clients.index(client) for client in pages] == order


def test_a_cursor_of_another_sort_is_refused(db: psycopg.Connection) -> None:
    with refused(db, "cursor_not_valid", 422):
        call(db, "clients", sort="age", after=1)
    for cursor in ("x", "1", "1.2.3"):
        with refused(db, "cursor_not_valid", 422):
            call(db, "clients", sort="age", cursor=cursor)


# What an actor may do, and how many there are


def test_check_stages_says_of_each_client_what_check_stage_says(db: psycopg.Connection) -> None:
    grant(db, ADA, "can_set_stage", {"from": ["weekly"], "to": ["eom_close"]})
    clients = [make_client(db, stage) for stage in STAGES]

    answer = call(db, "check_stages", actor=ADA, client_ids=[*clients, -1])

    assert [each["client_id"] for each in answer["clients"]] == clients
    for each in answer["clients"]:
        allowed = {
            stage
            for stage in STAGES
            if call(db, "check_stage", actor=ADA, client_id=each["client_id"], to_stage=stage)["allowed"]
        }
        assert {move["to_stage"] for move in each["moves"]} == allowed
    assert sum(len(each["moves"]) for each in answer["clients"]) == 1


@pytest.mark.parametrize("client_ids", [None, [], list(range(201))])
def test_check_stages_takes_1_to_200(db: psycopg.Connection, client_ids: list[int] | None) -> None:
    with refused(db, "client_ids_not_valid", 422):
        call(db, "check_stages", client_ids=client_ids)


def test_a_summary_counts_active_clients_by_stage_owner_flag_and_attention(
    db: psycopg.Connection,
) -> None:
    aged(db, 11, "eom_close", owner=ADA)
    waiting = aged(db, 11, "eom_close", owner=BO)
    make_client(db, "weekly", owner=ADA)
    make_client(db, "weekly")
    make_client(db, "weekly", active=False)
    call(db, "set_flag", client_id=waiting, flag="client_blocking", reason="r")

    summary = call(db, "summary")

    counted = {each["stage"]: each["clients"] for each in summary["stages"]}
    assert counted == dict.fromkeys(STAGES, 0) | {"eom_close": 2, "weekly": 2}
    closing = next(each for each in summary["stages"] if each["stage"] == "eom_close")
    assert (closing["stuck"], closing["waiting_on_client"], closing["max_days"]) == (1, 1, 10)
    assert {each["owner"]: each["clients"] for each in summary["owners"]} == {
        ADA: 2,
        BO: 1,
        None: 1,
    }
    assert {each["flag"]: each["clients"] for each in summary["flags"] if each["clients"]} == {"client_blocking": 1}
    assert summary["attention"] == {"stuck": 1, "late": 0, "waiting_on_client": 1}
    assert summary["clients"] == 4
    assert call(db, "changes", after=summary["cursor"])["changes"] == []


def test_a_client_flagged_as_stuck_comes_first_however_many_are_older(
    db: psycopg.Connection,
) -> None:
    for _ in range(3):
        aged(db, 5, "weekly", owner=ADA)
    stuck = make_client(db, "weekly", owner=ADA)
    db.execute("set constraints all immediate")
    db.execute("alter table clients disable trigger user")
    db.execute("update clients set flags = '{stuck}' where id = %s", (stuck,))
    db.execute("alter table clients enable trigger user")

    (first,) = call(db, "queue", actor_id=ADA, page_size=1)["queue"]

    assert first["client"]["id"] == stuck


@pytest.mark.parametrize("actor", [ADA, "user:reviewer", TALLY])
@pytest.mark.parametrize("page_size", [1, 3, 100])
def test_flags_and_the_limit_order_every_actors_queue(db: psycopg.Connection, actor: str, page_size: int) -> None:
    grant(db, "user:reviewer", "can_sign_off_eom_review")
    grant(db, TALLY, "can_set_stage", {"from": ["eom_review"]})
    # the limit is 3 days; in the order in which they should come, each kind with the longer there first
    cases: list[tuple[float, list[str]]] = [
        (9, ["season_tax", "stuck"]),
        (7, ["stuck"]),
        (5, []),
        (4, ["advisory_due"]),
        (1, ["stuck"]),
        (0.5, ["client_blocking", "stuck"]),
        (2.5, ["client_blocking"]),
        (2, ["advisory_due"]),
        (1.5, []),
        (8, ["client_blocking", "stuck"]),
        (6, ["advisory_due", "client_blocking"]),
        (3.5, ["client_blocking"]),
    ]
    clients = [aged(db, days, "eom_review", owner=ADA) for days, _ in cases]
    db.execute("set constraints all immediate")
    db.execute("alter table clients disable trigger user")
    for client, (_, flags) in zip(clients, cases, strict=True):
        db.execute("update clients set flags = %s where id = %s", (flags, client))
    db.execute("alter table clients enable trigger user")

    found, after = [], None
    while True:
        page = call(db, "queue", actor=actor, page_size=page_size, after=after)
        found += [clients.index(item["client"]["id"]) for item in page["queue"]]
        after = page["next_after"]
        if after is None:
            break

    assert found == list(range(len(cases)))


def test_a_flag_lists_who_carries_it_among_any_others(db: psycopg.Connection) -> None:
    alone, among, other = make_client(db, "cleanup"), make_client(db), make_client(db)
    gone = make_client(db, active=False)
    db.execute("set constraints all immediate")
    db.execute("alter table clients disable trigger user")
    for client, flags in (
        (alone, ["client_blocking"]),
        (among, ["advisory_due", "client_blocking", "season_tax"]),
        (other, ["season_tax"]),
        (gone, ["client_blocking"]),
    ):
        db.execute("update clients set flags = %s where id = %s", (flags, client))
    db.execute("alter table clients enable trigger user")

    for sort in ("id", "age", "sla"):
        assert set(ids(call(db, "clients", flag="client_blocking", sort=sort))) == {alone, among}
    assert ids(call(db, "clients", flag="client_blocking", stage="cleanup")) == [alone]
    assert ids(call(db, "clients", flag="client_blocking", stage="weekly,cleanup")) == [
        alone,
        among,
    ]
    assert ids(call(db, "clients", flag="client_blocking", active=None)) == [alone, among, gone]
    assert ids(call(db, "clients", flag="client_blocking", active=False)) == [gone]
    assert ids(call(db, "clients", flag="advisory_due")) == [among]
    first = call(db, "clients", flag="client_blocking", page_size=1)
    rest = call(db, "clients", flag="client_blocking", page_size=1, after=first["next_after"])
    assert (ids(first), ids(rest), rest["next_after"]) == ([alone], [among], None)


def test_clients_without_a_limit_are_all_in_the_queue_longest_in_their_stage_first(
    db: psycopg.Connection,
) -> None:
    clients = [aged(db, days, owner=ADA) for days in (1, 5, 2, 7, 3, 6, 4)]

    found: list[int] = []
    after = None
    while True:
        page = call(db, "queue", actor=ADA, page_size=2, after=after)
        found += [clients.index(item["client"]["id"]) for item in page["queue"]]
        after = page["next_after"]
        if after is None:
            break

    assert found == [3, 5, 1, 6, 4, 2, 0]


def test_the_queue_pages_through_clients_that_entered_their_stage_at_the_same_moment(
    db: psycopg.Connection,
) -> None:
    clients = [aged(db, 20, "eom_close", owner=ADA) for _ in range(5)]

    found: list[int] = []
    after = None
    while True:
        page = call(db, "queue", actor=ADA, page_size=2, after=after)
        found += [item["client"]["id"] for item in page["queue"]]
        after = page["next_after"]
        if after is None:
            break

    assert found == clients


@pytest.mark.parametrize("after", ["x", "3.1.1", "0.1", "0..5.9", "0.1.99999999999999999999"])
def test_a_place_in_no_queue_is_refused(db: psycopg.Connection, after: str) -> None:
    with refused(db, "cursor_not_valid", 422):
        call(db, "queue", after=after)
