"""Plain SQL: the same rules and history, and no setting changes the actor."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from tests.support.calls import (
    ADMIN,
    as_actor,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    move,
    refused,
)


@pytest.fixture
def login(db: psycopg.Connection) -> Iterator[Callable[[str], None]]:
    """Makes ordinary login roles (gone with the transaction) and turns the session into one."""

    def become(name: str) -> None:
        db.execute("reset session authorization")
        role = sql.Identifier(name)
        if not db.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone():
            db.execute(sql.SQL("create role {} login").format(role))
            db.execute(sql.SQL("grant select, insert, update on clients to {}").format(role))
            db.execute(sql.SQL("grant select on stage_history to {}").format(role))
            db.execute(sql.SQL("grant usage on sequence clients_id_seq to {}").format(role))
        db.execute(sql.SQL("set local session authorization {}").format(role))

    yield become
    if db.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
        db.execute("reset session authorization")


def test_a_login_without_an_actor_of_its_own_is_system_db(db: psycopg.Connection, login: Callable[[str], None]) -> None:
    client = make_client(db)
    grant(db, "system:db:ada_login", "can_set_stage")

    login("ada_login")
    db.execute("update clients set stage = 'eom_close' where id = %s", (client,))

    row = history_rows(db, client)[-1]
    assert (row["actor_id"], row["actor_type"], row["channel"]) == (
        "system:db:ada_login",
        "system",
        "psql",
    )
    assert (row["reason"], row["trigger_type"]) == (None, "manual")


def test_a_login_is_the_actor_that_actor_logins_says(db: psycopg.Connection, login: Callable[[str], None]) -> None:
    client = make_client(db)
    grant(db, "user:ada", "can_set_stage")
    db.execute("insert into actor_logins values ('ada_login', 'user:ada')")

    login("ada_login")
    db.execute("update clients set stage = 'eom_close' where id = %s", (client,))

    row = history_rows(db, client)[-1]
    assert (row["actor_id"], row["actor_type"], row["trigger_type"]) == (
        "user:ada",
        "human",
        "manual",
    )


def test_a_login_without_a_grant_changes_nothing_of_ours(db: psycopg.Connection, login: Callable[[str], None]) -> None:
    client = make_client(db)

    login("ada_login")
    for change in ("stage = 'eom_close'", "flags = '{advisory_due}'", "stage_owner = 'user:x'"):
        with refused(db, "permission_missing", 403, actor_id="system:db:ada_login"):
            db.execute(f"update clients set {change} where id = %s", (client,))
    db.execute("update clients set notes = 'Atlas''s own column' where id = %s", (client,))


def test_an_unknown_word_in_a_plain_update_changes_nothing(
    db: psycopg.Connection, login: Callable[[str], None]
) -> None:
    client = make_client(db)

    for change in ("stage = 'holiday'", "close_cadence = 'hourly'", "service_tier = 'gold'"):
        as_actor(db, ADMIN)
        with pytest.raises(psycopg.Error) as caught, db.transaction():
            db.execute(f"update clients set {change} where id = %s", (client,))
        assert caught.value.sqlstate in ("PT422", "23514")


FORGERIES = {
    "atlas.act_as": ADMIN,
    "atlas.act_as_reason": "forged",
    "atlas.actor": ADMIN,
    "atlas.token_actor": ADMIN,
    "atlas.change": f'{{"actor_id": "{ADMIN}", "channel": "api", "override": true, "rolls_back": 1}}',
    "atlas.change_kind": "fields",
    "atlas.restoring": "on",
    "atlas.override": "true",
    "request.headers": '{"x-atlas-token": "atl_x"}',
    "request.jwt.claims": '{"role": "atlas_owner"}',
    "role.atlas": "atlas_owner",
}


def test_no_setting_makes_an_ordinary_login_someone_else(db: psycopg.Connection, login: Callable[[str], None]) -> None:
    client = make_client(db)

    login("ada_login")
    for local in ("true", "false"):
        for name, value in FORGERIES.items():
            db.execute(f"select set_config(%s, %s, {local})", (name, value))
        for change in ("stage = 'eom_close'", "flags = '{advisory_due}'", "active = false"):
            with refused(db, "permission_missing", 403, actor_id="system:db:ada_login"):
                db.execute(f"update clients set {change} where id = %s", (client,))
    assert len(history_rows(db, client)) == 1


def test_no_setting_forges_what_is_recorded(db: psycopg.Connection, login: Callable[[str], None]) -> None:
    client = make_client(db)
    for permission in ("can_set_stage", "can_set_flag"):
        grant(db, "system:db:ada_login", permission)

    login("ada_login")
    for name, value in FORGERIES.items():
        db.execute("select set_config(%s, %s, false)", (name, value))
    db.execute(
        "update clients set stage = 'eom_close', flags = '{advisory_due}',"
        " stage_entered_at = '2001-01-01', returning_to_stage = 'cleanup'"
        " where id = %s",
        (client,),
    )
    db.execute(
        "update clients set stage_entered_at = '2001-01-01', returning_to_stage = 'cleanup' where id = %s",
        (client,),
    )

    rows = history_rows(db, client)[1:]
    assert len(rows) == 2
    for row in rows:
        assert (row["actor_id"], row["channel"], row["trigger_type"]) == (
            "system:db:ada_login",
            "psql",
            "manual",
        )
        assert row["payload"] == {}
    after = db.execute(
        "select stage_entered_at = now(), returning_to_stage, version from clients where id = %s",
        (client,),
    ).fetchone()
    assert after == (True, None, 2)


def test_settings_left_by_a_call_do_not_colour_a_plain_update_after_it(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    move(db, client, "eom_close", reason="by call", payload={"a": 1}, channel="slack")

    as_actor(db, ADMIN, "by hand")
    db.execute("update clients set stage = 'eom_review' where id = %s", (client,))

    row = history_rows(db, client)[-1]
    assert (row["reason"], row["channel"], row["payload"]) == ("by hand", "psql", {})


def test_a_call_after_a_plain_update_is_a_call(db: psycopg.Connection) -> None:
    client = make_client(db)
    as_actor(db, ADMIN, "by hand")
    db.execute("update clients set stage = 'eom_close' where id = %s", (client,))

    row = move(db, client, "eom_review", reason="by call")["history"]

    assert (row["reason"], row["channel"]) == ("by call", "api")


def test_acting_as_someone_is_for_operators(db: psycopg.Connection, login: Callable[[str], None]) -> None:
    login("ada_login")

    with pytest.raises(psycopg.Error) as caught, db.transaction():
        as_actor(db, ADMIN)
    assert caught.value.sqlstate in ("42501", "PT403")


def test_an_operator_acts_as_someone_with_their_rights_and_name(
    db: psycopg.Connection, login: Callable[[str], None]
) -> None:
    client = make_client(db)
    grant(db, "user:ada", "can_set_stage")
    login("ops_login")
    db.execute("reset session authorization")
    db.execute("grant atlas_operator to ops_login")

    login("ops_login")
    as_actor(db, "user:ada", "asked by phone")
    db.execute("update clients set stage = 'eom_close' where id = %s", (client,))
    with refused(db, "permission_missing", 403, actor_id="user:ada"):
        db.execute("update clients set flags = '{advisory_due}' where id = %s", (client,))

    row = history_rows(db, client)[-1]
    assert (row["actor_id"], row["reason"], row["channel"]) == (
        "user:ada",
        "asked by phone",
        "psql",
    )


def test_an_operator_may_call_the_functions_too(db: psycopg.Connection, login: Callable[[str], None]) -> None:
    client = make_client(db)
    grant(db, "user:ada", "can_set_stage")
    login("ops_login")
    db.execute("reset session authorization")
    db.execute("grant atlas_operator to ops_login")

    login("ops_login")
    assert move(db, client, "eom_close", actor="user:ada")["history"]["actor_id"] == "user:ada"


@pytest.mark.parametrize("actor", ["", "ada", "robot:x", "user:a b", "user:", "user:\n", "x" * 500])
def test_nobody_acts_as_what_is_no_actor(db: psycopg.Connection, actor: str) -> None:
    with refused(db, "actor_id_not_valid", 422):
        as_actor(db, actor)


def test_acting_as_someone_ends_with_the_transaction(
    connect: Callable[[], psycopg.Connection],
) -> None:
    session = connect()
    with session.transaction():
        as_actor(session, ADMIN)
        assert call(session, "whoami", actor=None)["actor_id"] == ADMIN

    assert call(session, "whoami", actor=None)["actor_id"] == "system:db:postgres"


def test_the_superuser_s_login_has_no_grants_of_its_own(db: psycopg.Connection) -> None:
    row = db.execute("insert into clients (name, slug) values ('a', 'plain') returning id").fetchone()
    assert row is not None

    with refused(db, "permission_missing", 403, actor_id="system:db:postgres"):
        db.execute("update clients set stage = 'eom_close' where id = %s", row)


def test_a_new_client_is_refused_for_each_rule_once(db: psycopg.Connection) -> None:
    with refused(db, "permission_missing", 403) as refusal:
        db.execute("insert into clients (name, slug, stage, stage_owner) values ('a', 'own', 'eom_close', 'user:ana')")

    rules = [each["rule"] for each in refusal.details["refusals"]]
    assert sorted(rules) == ["permission_missing", "transition_not_allowed"]


def test_a_change_inside_a_function_of_somebody_else_is_judged_as_the_session(
    db: psycopg.Connection, login: Callable[[str], None]
) -> None:
    client = make_client(db)
    db.execute(
        "create function public.helper(bigint) returns void language sql security definer"
        " begin atomic update public.clients set stage = 'eom_close' where id = $1; end"
    )
    login("ada_login")

    with refused(db, "permission_missing", 403, actor_id="system:db:ada_login"):
        db.execute("select public.helper(%s)", (client,))


def test_one_bad_client_in_a_bulk_update_refuses_the_statement(db: psycopg.Connection) -> None:
    clients = [make_client(db) for _ in range(5)]
    bad = make_client(db, "onboarding")

    as_actor(db, ADMIN)
    with refused(db, "transition_not_allowed", 422, client_id=bad, from_stage="onboarding"):
        db.execute("update clients set stage = 'eom_close' where id = any(%s)", ([*clients, bad],))
    assert {client_row(db, client)["stage"] for client in clients} == {"weekly"}


def test_a_bulk_update_is_judged_by_scopes_of_clients(db: psycopg.Connection) -> None:
    mine, other = make_client(db), make_client(db)
    grant(db, "user:ada", "can_set_stage", {"clients": [mine]})

    as_actor(db, "user:ada")
    with refused(db, "permission_missing", 403, client_id=other):
        db.execute("update clients set stage = 'eom_close' where id = any(%s)", ([mine, other],))
    db.execute("update clients set stage = 'eom_close' where id = %s", (mine,))


def test_a_bulk_update_is_judged_by_scopes_of_tiers(db: psycopg.Connection) -> None:
    mine = make_client(db, tier="full_service")
    other = make_client(db, tier="cleanup_only")
    grant(db, "user:ada", "can_set_stage", {"service_tiers": ["full_service"]})

    as_actor(db, "user:ada")
    with refused(db, "permission_missing", 403, scope_key="service_tiers"):
        db.execute("update clients set stage = 'eom_close' where id = any(%s)", ([mine, other],))
    db.execute("update clients set stage = 'eom_close' where id = %s", (mine,))


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_bulk_update_after_one_row_updates_in_the_same_session_keeps_its_speed(
    db: psycopg.Connection,
) -> None:
    # A plan cached from single rows must not meet the bulk case as a nested loop: that took minutes.
    client = make_client(db)
    for stage in ("eom_close", "eom_review", "weekly") * 4:
        as_actor(db, ADMIN, "one row")
        db.execute("update clients set stage = %s where id = %s", (stage, client))
    db.execute("insert into clients (name, slug) select 'bulk', 'bulk-' || n from generate_series(1, 6000) n")
    db.execute("set local statement_timeout = '30s'")

    as_actor(db, ADMIN, "all at once")
    db.execute("update clients set stage = 'eom_close', flags = '{advisory_due}' where name = 'bulk'")

    row = db.execute(
        "select count(*), count(distinct h.client_id), min(h.version), max(h.version), min(h.reason)"
        " from stage_history h join clients c on c.id = h.client_id"
        " where c.name = 'bulk' and h.version > 0"
    ).fetchone()
    assert row == (12000, 6000, 1, 2, "all at once")
    # and back to one row
    db.execute("update clients set stage = 'eom_close' where id = %s", (client,))


def test_many_clients_are_changed_at_once_after_history_was_empty(fresh_dsn: str) -> None:
    """The first clients of a firm, in a session whose plans know a history without a page."""
    with psycopg.connect(fresh_dsn, autocommit=True) as made:
        made.execute("vacuum (analyze) stage_history")
        with made.transaction():
            as_actor(made, ADMIN, "the first")
            made.execute("insert into clients (name, slug) select 'New', 'new-' || n from generate_series(1, 2000) n")
            made.execute("update clients set stage = 'eom_close' where name = 'New'")
            row = made.execute(
                "select seq_tup_read from pg_stat_xact_user_tables where relname = 'stage_history'"
            ).fetchone()
    assert row is not None
    assert row[0] < 2000


def test_many_history_rows_written_by_hand_find_the_one_before_by_index(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    # as after a vacuum of the first few rows: read from end to end they are two pages
    db.execute("analyze stage_history")
    rows = 2000

    db.execute(
        "insert into stage_history"
        " (client_id, version, flag_added, actor_type, actor_id, channel, trigger_type)"
        " select %s, version, 'seen', 'human', 'user:jimmie', 'api', 'manual'"
        " from generate_series(1, %s) version",
        (client, rows),
    )

    row = db.execute(
        "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'stage_history'"
    ).fetchone()
    assert row is not None
    assert row[0] < 5 * rows


def test_an_upsert_and_a_from_clause_are_updates_like_any_other(db: psycopg.Connection) -> None:
    client = make_client(db, slug="upserted")

    with refused(db, "permission_missing", 403):
        as_actor(db, "user:nobody")
        db.execute(
            "insert into clients (name, slug) values ('n', 'upserted')"
            " on conflict (slug) do update set stage = 'eom_close'"
        )
    as_actor(db, ADMIN)
    db.execute(
        "insert into clients (name, slug) values ('n', 'upserted') on conflict (slug) do update set stage = 'eom_close'"
    )
    assert [row["version"] for row in history_rows(db, client)] == [0, 1]
    assert client_row(db, client)["version"] == 1


def test_merge_is_an_update_like_any_other(db: psycopg.Connection) -> None:
    client = make_client(db)
    merge = (
        "merge into clients c using (values (%s::bigint)) as v (id) on v.id = c.id"
        " when matched then update set stage = '{}'"
    )

    as_actor(db, ADMIN)
    with refused(db, "transition_not_allowed", 422):
        db.execute(merge.format("eom_review"), (client,))
    db.execute(merge.format("eom_close"), (client,))
    assert history_rows(db, client)[-1]["to_stage"] == "eom_close"


@pytest.mark.parametrize(
    "flags",
    [
        "{client_blocking,advisory_due,advisory_due}",
        "{{client_blocking},{advisory_due}}",
        "[5:6]={client_blocking,advisory_due}",
    ],
)
def test_flags_are_a_set_however_they_are_written(db: psycopg.Connection, flags: str) -> None:
    client = make_client(db)

    as_actor(db, ADMIN)
    db.execute("update clients set flags = %s where id = %s", (flags, client))
    db.execute("update clients set flags = %s where id = %s", (flags, client))

    assert client_row(db, client)["flags"] == ["advisory_due", "client_blocking"]
    assert [row["version"] for row in history_rows(db, client)] == [0, 1, 2]


def test_a_client_cannot_leave_its_history_by_another_id(db: psycopg.Connection) -> None:
    client = make_client(db)

    as_actor(db, ADMIN)
    with refused(db, "client_id_is_kept", 409, client_id=client):
        db.execute("update clients set id = 77777, stage = 'eom_close' where id = %s", (client,))


def test_copy_is_an_insert_like_any_other(db: psycopg.Connection) -> None:
    with db.cursor().copy("copy clients (name, slug) from stdin") as copy:
        copy.write_row(("a", "copied-a"))
        copy.write_row(("b", "copied-b"))

    rows = db.execute(
        "select h.version from stage_history h join clients c on c.id = h.client_id where c.slug like 'copied-%%'"
    ).fetchall()
    assert rows == [(0,), (0,)]


def test_a_psql_user_names_a_client_by_its_slug(db: psycopg.Connection) -> None:
    client = make_client(db, slug="blue-heron")
    db.execute("select rules.act_as(%s)", [ADMIN])
    moved = db.execute("select api.set_stage(api.client_id('blue-heron'), 'eom_close', 'month end', 0)").fetchone()
    assert moved is not None
    assert moved[0]["client"]["id"] == client
    assert db.execute("select api.client_id(%s)", [str(client)]).fetchone() == (client,)


@pytest.mark.parametrize(
    ("stage", "month", "rule"),
    [("eom_close", "1850-01", "period_not_valid"), ("cleanup", "2026-05", "period_not_expected")],
)
def test_a_move_by_plain_sql_chooses_no_month_that_a_call_couldn_t(
    db: psycopg.Connection, stage: str, month: str, rule: str
) -> None:
    client = make_client(db, stage="weekly")
    as_actor(db, ADMIN)
    with refused(db, rule, 422):
        db.execute("update clients set stage = %s, close_period = %s where id = %s", (stage, month, client))
