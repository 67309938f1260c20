"""Logical replication of our tables: the copies keep the publisher's hashes, and verify finds nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest

from atlas_stage.ops.deploy import migrate
from tests.support.calls import all_breaks, make_client, move
from tests.support.cluster import Cluster

WAL = {"wal_level": "logical", "max_wal_senders": "10"}


@pytest.fixture
def servers() -> Iterator[tuple[str, str]]:
    with Cluster(settings=WAL) as publisher, Cluster(settings=WAL) as subscriber:
        for each in (publisher, subscriber):
            migrate(each.dsn)
        yield publisher.dsn, subscriber.dsn


def test_replicated_rows_keep_their_hashes(servers: tuple[str, str]) -> None:
    publisher, subscriber = servers
    with (
        psycopg.connect(publisher, autocommit=True) as here,
        psycopg.connect(subscriber, autocommit=True) as there,
    ):
        client = make_client(here)
        here.execute("create publication p for table clients, stage_history")
        there.execute(f"create subscription s connection '{publisher}' publication p".encode())
        try:
            move(here, client, "eom_close")
            expected = here.execute("select array_agg(row_hash order by id) from stage_history").fetchone()
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                found = there.execute("select array_agg(row_hash order by id) from stage_history").fetchone()
                # the two tables are copied at first, each in its own time
                breaks = all_breaks(there)
                if found == expected and not breaks:
                    break
                time.sleep(0.2)
            assert found == expected
            assert breaks == []
        finally:
            there.execute("drop subscription s")


@pytest.mark.slow  # a gigabyte of log
def test_a_slot_that_nobody_reads_is_named_before_the_disk_is_full() -> None:
    with Cluster(settings=WAL) as server:
        migrate(server.dsn)
        with psycopg.connect(server.dsn, autocommit=True) as db:
            db.execute("select pg_create_physical_replication_slot('old_standby', true)")
            finding = "select facts ->> 'slot', todo from ops.slot_inactive()"
            assert db.execute(finding).fetchall() == []

            for _ in range(70):
                db.execute("select pg_switch_wal() from (select pg_logical_emit_message(false, 'x', 'x')) s")

            [(slot, todo)] = db.execute(finding).fetchall()
            assert slot == "old_standby"
            db.execute(todo.partition("or: ")[2].encode())
            assert db.execute(finding).fetchall() == []
