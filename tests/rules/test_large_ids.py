"""Ids that JSON readers can't hold exactly are refused; one that is there all the same breaks nothing."""

from __future__ import annotations

import psycopg
import pytest

from atlas_stage import Stage
from atlas_stage.ops import evidence
from atlas_stage.ops.deploy import migrate
from tests.support.calls import ADMIN, call, make_client, refused

LARGEST = 2**53


@pytest.mark.parametrize("number", [LARGEST + 1, 2**63 - 1])
def test_a_client_with_a_larger_id_is_refused(db: psycopg.Connection, number: int) -> None:
    with refused(db, "id_too_large", 422, id=number):
        db.execute("insert into clients (id, name, slug) values (%s, 'A', 'a')", (number,))


def test_a_client_with_the_largest_id_is_added(db: psycopg.Connection) -> None:
    db.execute("insert into clients (id, name, slug) values (%s, 'A', 'a')", (LARGEST,))

    assert call(db, "client", client_id=LARGEST)["client"]["id"] == LARGEST


def test_each_numbered_table_of_ours_refuses_larger_ids(db: psycopg.Connection) -> None:
    rows = db.execute(
        "select d.refobjid::regclass::text, exists ("
        "  select from pg_constraint k where k.conrelid = d.refobjid and k.contype = 'c'"
        "  and pg_get_constraintdef(k.oid) = format('CHECK ((%%I <= %%L::bigint))', a.attname, %s::bigint)"
        ")"
        " from pg_class s"
        " join pg_depend d on d.objid = s.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i')"
        " join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid"
        " where s.relkind = 'S' and s.relnamespace = 'public'::regnamespace",
        (LARGEST,),
    ).fetchall()

    assert ("stage_history", True) in rows
    assert [table for table, checked in rows if not checked] == ["clients"]


@pytest.mark.parametrize("number", [2**52 + 1, LARGEST, 2**63 - 1])
def test_a_client_with_a_large_id_stops_nothing(fresh_dsn: str, number: int) -> None:
    with psycopg.connect(fresh_dsn) as db:
        client = make_client(db)
        db.execute("alter table clients disable trigger clients_stamp_new_client")
        db.execute("insert into clients (id, name, slug) values (%s, 'A', 'a')", (number,))
        db.execute("set constraints all immediate")
        db.execute("alter table clients enable trigger clients_stamp_new_client")
    with Stage.connect(fresh_dsn, ADMIN) as stage:
        assert evidence.verify(stage).breaks == ()
        made = evidence.digest(stage).digest
        migrate(fresh_dsn)
        migrate(fresh_dsn, force=True)

        assert stage.create_client(name="B", slug="b").client.id == client + 1
        assert evidence.digest(stage, made).digest == made
    with psycopg.connect(fresh_dsn) as db:
        said = db.execute(
            "select finding, facts ->> 'too_large' from ops.findings(true) where severity <> 'notice'"
        ).fetchall()
    assert said == [("id_too_large", str(number))]
