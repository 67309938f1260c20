"""When a client is over its SLA is written in one place."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import call, make_client


def test_only_one_function_computes_with_the_days_of_a_stage(db: psycopg.Connection) -> None:
    readers = db.execute(
        "select format('%s.%s', p.pronamespace::regnamespace, p.proname) from pg_proc p"
        " where p.pronamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')"
        " and p.prosrc like '%max_days%' order by 1"
    ).fetchall()

    # the functions of api show the setting and change it, and one has an argument of its name
    assert readers == [
        ("api.set_stage_limit",),
        ("api.settings",),
        ("api.summary",),
        ("rules.call_function",),
        ("rules.stage_limits",),
    ]


@pytest.mark.parametrize(("milliseconds", "over"), [(-1, False), (0, False), (1, True)])
def test_lists_the_queue_closes_and_the_summary_agree_on_who_is_over(
    db: psycopg.Connection, milliseconds: int, over: bool
) -> None:
    with clock.at(db, -timedelta(hours=72, milliseconds=milliseconds)):
        client = make_client(db, "eom_review", owner="user:ada")

    shown = call(db, "client", client_id=client)["client"]["attention"]
    listed = call(db, "clients", attention="stuck")["clients"]
    (queued,) = call(db, "queue", actor_id="user:ada")["queue"]
    counted = call(db, "summary")["attention"]["stuck"]
    row = db.execute("select %s::timestamptz < now()", (queued["sla_due_at"],)).fetchone()

    assert (shown == "stuck", len(listed), counted, row) == (over, int(over), int(over), (over,))
