"""When a client is over its SLA is written in one place."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.calls import call, make_client


def test_only_one_function_computes_with_the_days_of_a_stage(db: psycopg.Connection) -> None:
    readers = db.execute(
        "select format('%s.%s', p.pronamespace::regnamespace, p.proname) from pg_proc p"
        " where p.pronamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')"
        " and p.prosrc like '%max_days%' order by 1"
    ).fetchall()

    # api.summary shows the setting
    assert readers == [("api.summary",), ("rules.stage_limits",)]


@pytest.mark.parametrize(("days", "over"), [(-1, False), (0, False), (1, True)])
def test_lists_the_queue_closes_and_the_summary_agree_on_who_is_over(
    db: psycopg.Connection, days: int, over: bool
) -> None:
    client = make_client(db, "eom_review", owner="user:ada")
    db.execute("set constraints all immediate")
    db.execute("alter table clients disable trigger user")
    db.execute(
        "update clients set stage_entered_at = now() - interval '72 hours' - %s * interval '1 millisecond'",
        (days,),
    )
    db.execute("alter table clients enable trigger user")

    shown = call(db, "client", client_id=client)["client"]["attention"]
    listed = call(db, "clients", attention="stuck")["clients"]
    (queued,) = call(db, "queue", actor_id="user:ada")["queue"]
    counted = call(db, "summary")["attention"]["stuck"]
    row = db.execute("select %s::timestamptz < now()", (queued["sla_due_at"],)).fetchone()

    assert (shown == "stuck", len(listed), counted, row) == (over, int(over), int(over), (over,))
