"""Flags: who may set which, a set without duplicates, no change and no row where nothing changes."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.calls import ADMIN, call, client_row, grant, history_rows, make_client, refused
from tests.support.words import FLAGS, FLAGS_OF_ANYONE, SEASONAL_FLAGS, SETTER_OF_FLAG

CLERK = "user:clerk"


def setter(flag: str) -> str:
    return f"system:cron:{SETTER_OF_FLAG[flag]}" if flag in SETTER_OF_FLAG else CLERK


@pytest.fixture
def clerk(db: psycopg.Connection) -> str:
    grant(db, CLERK, "can_set_flag")
    return CLERK


@pytest.mark.usefixtures("clerk")
@pytest.mark.parametrize("flag", FLAGS)
def test_who_may_set_a_flag_sets_and_clears_it(db: psycopg.Connection, flag: str) -> None:
    client = make_client(db)
    actor = setter(flag)

    on = call(db, "set_flag", actor=actor, client_id=client, flag=flag, reason="on")
    assert on["changed"] is True
    assert on["client"]["flags"] == [flag]
    assert (on["history"]["flag_added"], on["history"]["flag_removed"]) == (flag, None)
    assert (on["history"]["from_stage"], on["history"]["to_stage"]) == (None, None)

    off = call(db, "clear_flag", actor=actor, client_id=client, flag=flag, reason="off")
    assert off["client"]["flags"] == []
    assert (off["history"]["flag_added"], off["history"]["flag_removed"]) == (None, flag)
    assert [row["version"] for row in history_rows(db, client)] == [0, 1, 2]


@pytest.mark.parametrize("flag", [*SEASONAL_FLAGS, "stuck"])
@pytest.mark.parametrize("function", ["set_flag", "clear_flag"])
@pytest.mark.parametrize("actor", [ADMIN, CLERK, "agent:tally", "system:cron:flag_sales_tax_due"])
def test_a_job_s_flag_is_its_job_s_alone(db: psycopg.Connection, flag: str, function: str, actor: str) -> None:
    client = make_client(db)
    if actor != ADMIN:
        grant(db, actor, "can_set_flag")
    if function == "clear_flag":
        call(db, "set_flag", actor=setter(flag), client_id=client, flag=flag)
    before = client_row(db, client)

    with refused(db, "flag_reserved", 403, flag=flag):
        call(db, function, actor=actor, client_id=client, flag=flag, reason="r")
    assert client_row(db, client) == before


@pytest.mark.usefixtures("clerk")
def test_sales_tax_due_is_its_job_s_or_a_person_s_but_not_an_agent_s(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    grant(db, "agent:tally", "can_set_flag")
    grant(db, "system:webhook", "can_set_flag")

    for actor in ("agent:tally", "system:webhook", "system:cron:flag_seasonal"):
        if actor == "system:cron:flag_seasonal":
            grant(db, actor, "can_set_flag")
        with refused(db, "flag_reserved", 403):
            call(db, "set_flag", actor=actor, client_id=client, flag="sales_tax_due")
    job = "system:cron:flag_sales_tax_due"
    assert call(db, "set_flag", actor=job, client_id=client, flag="sales_tax_due")["changed"]
    assert call(db, "clear_flag", actor=CLERK, client_id=client, flag="sales_tax_due")["changed"]


@pytest.mark.parametrize("actor", [CLERK, "agent:tally"])
@pytest.mark.parametrize("flag", FLAGS_OF_ANYONE)
def test_anyone_with_the_permission_sets_the_open_flags(db: psycopg.Connection, actor: str, flag: str) -> None:
    client = make_client(db)

    with refused(db, "permission_missing", 403, permission="can_set_flag"):
        call(db, "set_flag", actor=actor, client_id=client, flag=flag, reason="r")
    grant(db, actor, "can_set_flag", {"flags": [flag]})
    assert call(db, "set_flag", actor=actor, client_id=client, flag=flag, reason="r")["changed"]


def test_the_scope_of_flags_covers_setting_and_clearing(db: psycopg.Connection) -> None:
    client = make_client(db)
    grant(db, CLERK, "can_set_flag", {"flags": ["client_blocking"]})
    call(db, "set_flag", client_id=client, flag="advisory_due", reason="r")

    for function in ("set_flag", "clear_flag"):
        with refused(db, "permission_missing", 403, scope_key="flags"):
            call(db, function, actor=CLERK, client_id=client, flag="advisory_due", reason="r")


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [({"service_tiers": ["full_service"]}, True), ({"service_tiers": ["cleanup_only"]}, False)],
)
def test_the_scope_of_service_tiers_covers_flags_too(
    db: psycopg.Connection, scope: dict[str, list[str]], allowed: bool
) -> None:
    client = make_client(db, tier="full_service")
    grant(db, CLERK, "can_set_flag", scope)

    if allowed:
        call(db, "set_flag", actor=CLERK, client_id=client, flag="advisory_due")
    else:
        with refused(db, "permission_missing", 403, scope_key="service_tiers"):
            call(db, "set_flag", actor=CLERK, client_id=client, flag="advisory_due")


@pytest.mark.usefixtures("clerk")
def test_setting_what_is_set_is_no_change(db: psycopg.Connection) -> None:
    client = make_client(db)
    call(db, "set_flag", actor=CLERK, client_id=client, flag="client_blocking", reason="r")
    before = client_row(db, client)

    again = call(db, "set_flag", actor=CLERK, client_id=client, flag="client_blocking", reason="r")

    assert again["changed"] is False
    assert again["replayed"] is False
    assert again["history"] is None
    assert again["client"]["flags"] == ["client_blocking"]
    assert client_row(db, client) == before
    assert len(history_rows(db, client)) == 2


@pytest.mark.usefixtures("clerk")
def test_clearing_what_is_not_set_is_no_change(db: psycopg.Connection) -> None:
    client = make_client(db)

    answer = call(db, "clear_flag", actor=CLERK, client_id=client, flag="client_blocking")

    assert answer["changed"] is False
    assert len(history_rows(db, client)) == 1


@pytest.mark.parametrize("function", ["set_flag", "clear_flag"])
def test_no_change_still_needs_the_permission(db: psycopg.Connection, function: str) -> None:
    client = make_client(db)
    if function == "set_flag":
        call(db, "set_flag", client_id=client, flag="client_blocking", reason="r")

    with refused(db, "permission_missing", 403):
        call(db, function, actor=CLERK, client_id=client, flag="client_blocking", reason="r")


@pytest.mark.parametrize("function", ["set_flag", "clear_flag"])
@pytest.mark.parametrize("flag", ["", " ", "Stuck", "client blocking", "x" * 100_000, None, "é"])
def test_an_unknown_flag_is_refused_with_the_known_ones(
    db: psycopg.Connection, function: str, flag: str | None
) -> None:
    client = make_client(db)

    with refused(db, "unknown_flag", 422) as refusal:
        call(db, function, client_id=client, flag=flag, reason="r")
    assert set(refusal.details["known"]) == set(FLAGS)


def test_flags_are_sorted_whatever_the_order_of_setting(db: psycopg.Connection) -> None:
    client = make_client(db)
    for flag in reversed(FLAGS):
        actor = setter(flag) if flag in SETTER_OF_FLAG else ADMIN
        call(db, "set_flag", actor=actor, client_id=client, flag=flag, reason="r")

    assert client_row(db, client)["flags"] == sorted(FLAGS)


def test_a_plain_update_makes_a_sorted_set_and_a_row_each(db: psycopg.Connection) -> None:
    client = make_client(db)

    db.execute("select rules.act_as(%s, 'by hand')", (ADMIN,))
    db.execute(
        "update clients set flags = '{client_blocking,advisory_due,client_blocking}' where id = %s",
        (client,),
    )

    assert client_row(db, client)["flags"] == ["advisory_due", "client_blocking"]
    rows = history_rows(db, client)[1:]
    assert {row["flag_added"] for row in rows} == {"advisory_due", "client_blocking"}
    assert [row["version"] for row in rows] == [1, 2]
    assert {(row["channel"], row["reason"], row["actor_id"]) for row in rows} == {("psql", "by hand", ADMIN)}


@pytest.mark.parametrize("flags", ["{client_blocking,nonsense}", "{stuck}", "{season_tax}"])
def test_a_plain_update_meets_the_rules_of_flags(db: psycopg.Connection, flags: str) -> None:
    client = make_client(db)

    db.execute("select rules.act_as(%s)", (ADMIN,))
    rule, status = ("unknown_flag", 422) if "nonsense" in flags else ("flag_reserved", 403)
    with refused(db, rule, status):
        db.execute("update clients set flags = %s where id = %s", (flags, client))


def test_a_plain_update_cannot_clear_a_job_s_flag_unseen(db: psycopg.Connection) -> None:
    client = make_client(db)
    call(db, "set_flag", actor=setter("season_tax"), client_id=client, flag="season_tax")

    db.execute("select rules.act_as(%s)", (ADMIN,))
    with refused(db, "flag_reserved", 403, flag="season_tax"):
        db.execute("update clients set flags = '{}' where id = %s", (client,))


def test_a_move_and_setting_stuck_in_one_statement_is_no_way_around(db: psycopg.Connection) -> None:
    client = make_client(db)

    db.execute("select rules.act_as(%s)", (ADMIN,))
    db.execute("update clients set stage = 'eom_close', flags = '{stuck}' where id = %s", (client,))

    # Every stage change removes `stuck`, also one that comes with the move.
    assert client_row(db, client)["flags"] == []
    assert [row["flag_added"] for row in history_rows(db, client)] == [None, None]


def test_null_among_the_flags_is_refused(db: psycopg.Connection) -> None:
    client = make_client(db)

    db.execute("select rules.act_as(%s)", (ADMIN,))
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        db.execute("update clients set flags = '{null}' where id = %s", (client,))
    assert caught.value.sqlstate in ("PT422", "23514", "23502")
    assert client_row(db, client)["flags"] == []


@pytest.mark.usefixtures("clerk")
def test_an_inactive_client_may_still_be_flagged(db: psycopg.Connection) -> None:
    # "An inactive client does not move": a flag is not a move.
    client = make_client(db, active=False)

    assert call(db, "set_flag", actor=CLERK, client_id=client, flag="advisory_due")["changed"]


@pytest.mark.parametrize("function", ["set_flag", "clear_flag"])
@pytest.mark.parametrize("client", [0, -1, 2**63 - 1])
def test_a_flag_of_nobody(db: psycopg.Connection, function: str, client: int) -> None:
    with refused(db, "client_not_found", 404):
        call(db, function, client_id=client, flag="advisory_due", reason="r")


def test_two_flags_set_in_one_transaction_are_two_rows(db: psycopg.Connection) -> None:
    client = make_client(db)

    call(db, "set_flag", client_id=client, flag="advisory_due", reason="a")
    call(db, "set_flag", client_id=client, flag="client_blocking", reason="b")

    rows = history_rows(db, client)[1:]
    assert [(row["flag_added"], row["reason"]) for row in rows] == [
        ("advisory_due", "a"),
        ("client_blocking", "b"),
    ]
    assert rows[0]["xid"] == rows[1]["xid"]
