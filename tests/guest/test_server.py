"""What the server around the database does to the feed and to our indexes: found, named, and in health."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from atlas_stage.ops.deploy import migrate
from tests.support.calls import call, make_client, move, refused
from tests.support.cluster import Cluster

NOT_OF_THIS_SERVER = "update feed_epochs set system_identifier = 1"
LATER = "update stage_history set recorded_at = recorded_at - interval '6 minutes'"


def in_health(db: psycopg.Connection) -> dict[str, Any]:
    return {each["finding"]: each for each in call(db, "health")["findings"]}


def test_after_an_upgrade_of_the_server_the_feed_continues(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        # As after pg_upgrade: another identifier, and rows with their old transaction ids.
        db.execute(f"{NOT_OF_THIS_SERVER}, xid = pg_current_xact_id()")
        cursor = call(db, "changes")["cursor"]
        client = make_client(db)

        assert [row["client_id"] for row in call(db, "changes", after=cursor)["changes"]] == [client]

        migrate(fresh_dsn)

        assert db.execute(
            "select count(*), bool_and(e.system_identifier = s.system_identifier)"
            " from feed_epochs e cross join pg_control_system() s"
        ).fetchone() == (1, True)
        assert call(db, "changes", after=cursor)["changes"]


def test_an_install_knows_by_which_cluster_its_epoch_was_written(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        assert db.execute("select xid::text = xmin::text from feed_epochs").fetchall() == [(True,)]


def test_on_another_server_the_feed_says_what_to_do(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        make_client(db)
        db.execute(NOT_OF_THIS_SERVER)
        with refused(db, "feed_not_in_order", 503):
            call(db, "changes")
        assert in_health(db)["feed_stopped"]["todo"] == "run: atlas-stage migrate"

        migrate(fresh_dsn)

        assert call(db, "changes")["changes"]
        assert in_health(db) == {}


def test_a_transaction_that_holds_the_feed_back_is_named(fresh_dsn: str) -> None:
    with (
        psycopg.connect(fresh_dsn, application_name="their import") as host,
        psycopg.connect(fresh_dsn, autocommit=True) as db,
    ):
        before = call(db, "changes")
        assert before["behind_since"] is None
        host.execute("create table theirs ()")
        client = make_client(db)
        after = call(db, "changes", after=before["cursor"])
        assert after["changes"] == []
        assert after["behind_since"]
        assert in_health(db) == {}  # not yet

        db.execute("alter table stage_history disable trigger user")
        db.execute(LATER)
        db.execute("alter table stage_history enable trigger user")

        finding = in_health(db)["feed_waits"]
        assert f"process {host.info.backend_pid} of database {db.info.dbname}" in finding["what"]
        assert "program their import" in finding["what"]
        assert f"select pg_terminate_backend({host.info.backend_pid});" in finding["todo"]
        host.commit()
        shown = call(db, "changes", after=before["cursor"])
        assert [row["client_id"] for row in shown["changes"]] == [client]
        assert shown["behind_since"] is None
        assert "feed_waits" not in in_health(db)


@pytest.fixture
def roomy() -> Iterator[str]:
    """A server that allows prepared transactions."""
    with Cluster(settings={"max_prepared_transactions": "2"}) as cluster:
        migrate(cluster.dsn)
        yield cluster.dsn


def test_a_forgotten_prepared_transaction_is_named(roomy: str) -> None:
    with psycopg.connect(roomy, autocommit=True) as db:
        client = make_client(db)
        db.execute("begin; update clients set notes = 'n'; prepare transaction 'theirs'")
        with refused(db, "client_locked", 503):
            move(db, client, "eom_close")
        assert "prepared_transaction" not in in_health(db)

        # the age can't be changed, so the threshold is
        body = db.execute("select pg_get_functiondef('ops.prepared_transaction'::regproc)").fetchone()
        assert body is not None
        db.execute(body[0].replace("5 minutes", "0 minutes").encode())

        finding = in_health(db)["prepared_transaction"]
        assert "transaction theirs of login" in finding["what"]
        db.execute(finding["todo"].partition("or: ")[2].encode())
        assert move(db, client, "eom_close")["changed"]


def test_a_changed_sort_order_is_named_with_the_lines_that_mend_it(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute("update pg_database set datcollversion = '1.0' where datname = current_database()")
        finding = in_health(db)["collation_changed"]
        assert "built with version 1.0" in finding["what"]

        for line in finding["todo"].partition(": ")[2].split(";")[:-1]:
            db.execute(line.encode())

        assert in_health(db) == {}


def test_keys_do_not_depend_on_the_sort_order(db: psycopg.Connection) -> None:
    found = db.execute(
        """
        select i.indrelid::regclass::text, k.sort_order = '"C"'::regcollation
        from pg_index i
        cross join lateral unnest(i.indkey::int2[], i.indcollation::oid[]) as k (attnum, sort_order)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where i.indisunique and a.attname in ('external_id', 'token_hash')
        order by 1
        """
    ).fetchall()

    assert found == [("actor_tokens", True), ("idempotency_keys", True), ("stage_history", True)]


def test_since_finds_changes_from_before_the_clock_was_set_back(db: psycopg.Connection) -> None:
    db.execute("alter table stage_history disable trigger user")
    oldest, early, late = make_client(db), make_client(db), make_client(db)
    db.execute("set constraints all immediate")
    for client, xid, hours in ((oldest, 9, 5), (early, 10, 1), (late, 20, 4)):
        db.execute(
            "update stage_history set xid = %(xid)s::text::xid8,"
            " recorded_at = now() - make_interval(hours => %(hours)s),"
            " occurred_at = now() - make_interval(hours => %(hours)s) where client_id = %(client)s",
            {"client": client, "xid": xid, "hours": hours},
        )
    since = db.execute("select now() - interval '2 hours'").fetchone()
    assert since is not None

    shown = call(db, "changes", since=since[0].isoformat())["changes"]

    assert [row["client_id"] for row in shown] == [early]
