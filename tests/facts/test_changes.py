"""The feed: every change once, in an order into which nothing comes late, on this server and on the next."""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from atlas_stage.ops import deploy
from tests.support.calls import (
    ADMIN,
    as_actor,
    call,
    grant,
    history_rows,
    make_client,
    move,
    refused,
)
from tests.support.cluster import Cluster

Connect = Callable[[], psycopg.Connection]
ADA, TALLY = "user:ada", "agent:tally"


def ids(answer: dict[str, Any]) -> list[int]:
    return [change["id"] for change in answer["changes"]]


def all_ids(db: psycopg.Connection) -> list[int]:
    return [row[0] for row in db.execute("select id from stage_history order by id").fetchall()]


class Reader:
    """Who follows the feed: keeps the cursor and what it was told."""

    def __init__(self, cursor: str | None = None, page_size: int = 100) -> None:
        self.cursor = cursor
        self.page_size = page_size
        self.seen: list[int] = []

    def catch_up(self, db: psycopg.Connection) -> list[int]:
        """Read on until nothing more waits; what came."""
        came: list[int] = []
        while True:
            answer = call(db, "changes", after=self.cursor, page_size=self.page_size)
            self.cursor = answer["cursor"]
            came += ids(answer)
            if not answer["more"]:
                self.seen += came
                return came


@pytest.fixture
def autodb(connect: Connect) -> psycopg.Connection:
    return connect()


def test_every_change_is_told_once_page_by_page(autodb: psycopg.Connection) -> None:
    for _ in range(4):
        move(autodb, make_client(autodb), "eom_close")
    reader = Reader(page_size=3)

    assert reader.catch_up(autodb) == all_ids(autodb)
    assert reader.catch_up(autodb) == []


def test_a_change_says_what_it_is_for_its_readers(autodb: psycopg.Connection) -> None:
    client = make_client(autodb, stage="weekly")
    for stage in ("eom_close", "eom_review", "eom_close", "eom_review", "paused_client", "eom_review", "weekly"):
        moved = move(autodb, client, stage)
    call(autodb, "rollback", client_id=client, history_id=moved["history"]["id"], reason="r")
    call(autodb, "set_flag", client_id=client, flag="advisory_due")
    call(autodb, "clear_flag", client_id=client, flag="advisory_due")
    call(autodb, "update_client", client_id=client, notes="n")

    # a resume and a rollback hand nothing over
    assert [change["kind"] for change in call(autodb, "changes")["changes"]] == [
        *("moved", "moved", "sign_off_wanted", "sent_back", "sign_off_wanted", "moved", "moved", "signed_off", "moved"),
        *("flagged", "unflagged", "changed"),
    ]


def test_a_change_has_the_name_of_its_client(autodb: psycopg.Connection) -> None:
    client = make_client(autodb, name="Łódź", slug="lodz")
    stored = history_rows(autodb, client)[0]

    (change,) = call(autodb, "changes")["changes"]

    assert (change["client_name"], change["client_slug"]) == ("Łódź", "lodz")
    for name in ("id", "client_id", "version", "to_stage", "actor_id", "reason", "payload"):
        assert change[name] == stored[name]


def test_a_cursor_is_there_when_nothing_came(autodb: psycopg.Connection) -> None:
    empty = call(autodb, "changes")
    assert (empty["changes"], empty["more"]) == ([], False)

    client = make_client(autodb)

    assert ids(call(autodb, "changes", after=empty["cursor"])) == [history_rows(autodb, client)[0]["id"]]


def test_what_was_begun_before_and_committed_late_is_not_passed_over(connect: Connect) -> None:
    early, late, reading = connect(), connect(), connect()
    first, second = make_client(early), make_client(early)
    reader = Reader()
    reader.catch_up(reading)

    with early.transaction():
        move(early, first, "eom_close")
        move(late, second, "eom_close")
        while_open = reader.catch_up(reading)
    afterwards = reader.catch_up(reading)

    assert while_open == []
    assert sorted(reader.seen) == all_ids(reading)
    assert len(afterwards) == 2


def test_what_was_rolled_back_holds_up_nobody_and_is_not_told(connect: Connect) -> None:
    early, late, reading = connect(), connect(), connect()
    first, second = make_client(early), make_client(early)
    reader = Reader()
    reader.catch_up(reading)

    with early.transaction(force_rollback=True):
        move(early, first, "eom_close")
        move(late, second, "eom_close")
    came = reader.catch_up(reading)

    assert came == [history_rows(reading, second)[-1]["id"]]


def test_a_transaction_that_only_reads_holds_up_nobody(connect: Connect) -> None:
    idle, db = connect(), connect()
    with idle.transaction():
        idle.execute("select count(*) from clients")
        client = make_client(db)

        assert ids(call(db, "changes")) == [history_rows(db, client)[0]["id"]]


def test_with_many_writers_at_once_a_reader_is_told_each_change_once(connect: Connect) -> None:
    setup, reading = connect(), connect()
    clients = [make_client(setup) for _ in range(24)]
    chance = random.Random(7)
    plans = [(clients[n::6], [chance.random() for _ in range(60)]) for n in range(6)]
    connections = [connect() for _ in plans]

    def write(db: psycopg.Connection, own: list[int], chances: list[float]) -> None:
        for number, each in enumerate(chances):
            try:
                with db.transaction():
                    as_actor(db, ADMIN)
                    if each > 0.5:
                        db.execute("select pg_current_xact_id()")
                        time.sleep(each / 100)
                    db.execute(
                        "update clients set stage = case stage when 'weekly' then 'cleanup' else 'weekly' end"
                        " where id = %s",
                        (own[number % len(own)],),
                    )
                    time.sleep(each / 200)
                    if each < 0.2:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass

    threads = [threading.Thread(target=write, args=(db, *plan)) for db, plan in zip(connections, plans, strict=True)]
    for thread in threads:
        thread.start()
    reader = Reader(page_size=5)
    while any(thread.is_alive() for thread in threads):
        reader.catch_up(reading)
    reader.catch_up(reading)

    assert len(reader.seen) > 250
    assert len(reader.seen) == len(set(reader.seen))
    assert set(reader.seen) == set(all_ids(reading))


def test_rows_of_one_transaction_come_together(connect: Connect) -> None:
    one, other = connect(), connect()
    a, b, c = (make_client(one) for _ in range(3))
    reader = Reader()
    reader.catch_up(one)

    with one.transaction():
        move(one, a, "eom_close")
        move(other, b, "eom_close")
        move(one, c, "eom_close")
    came = reader.catch_up(one)

    assert came == [history_rows(one, client)[-1]["id"] for client in (a, c, b)]


# Filters


def test_what_an_agent_did_is_one_call(autodb: psycopg.Connection) -> None:
    grant(autodb, TALLY, "can_set_stage", {"from": ["weekly"]})
    mine, other = make_client(autodb), make_client(autodb)
    move(autodb, mine, "eom_close", actor=TALLY)
    move(autodb, other, "eom_close")

    answer = call(autodb, "changes", actor_id=TALLY, since="yesterday")

    assert ids(answer) == [history_rows(autodb, mine)[-1]["id"]]


def test_changes_of_one_client_and_moves_into_one_stage(autodb: psycopg.Connection) -> None:
    first, second = make_client(autodb), make_client(autodb)
    move(autodb, first, "eom_close")
    move(autodb, second, "eom_close")
    move(autodb, second, "eom_review")

    of_second = [row["id"] for row in history_rows(autodb, second)]
    assert ids(call(autodb, "changes", client_id=second)) == of_second
    assert ids(call(autodb, "changes", client_id=second, stage="eom_close")) == [of_second[1]]
    closing = [history_rows(autodb, client)[1]["id"] for client in (first, second)]
    assert ids(call(autodb, "changes", stage="eom_close")) == closing


def test_empty_filters_are_none(autodb: psycopg.Connection) -> None:
    make_client(autodb)

    assert ids(call(autodb, "changes", after="", actor_id="", stage="")) == all_ids(autodb)


def test_since_leaves_out_what_began_before_and_nothing_else(connect: Connect) -> None:
    db, slow = connect(), connect()
    for _ in range(20):
        make_client(db)
    with slow.transaction():
        slow.execute("select now()")  # begins before, writes after
        row = db.execute("select clock_timestamp()").fetchone()
        assert row is not None
        wanted = [make_client(db) for _ in range(20)]
        before = make_client(slow)
    wanted += [make_client(db) for _ in range(20)]

    answer = call(db, "changes", since=row[0], page_size=1000)

    assert {change["client_id"] for change in answer["changes"]} == set(wanted)
    assert before not in wanted
    started = db.execute("select xid::text::bigint from rules.feed_start(%s)", row).fetchone()
    first = db.execute(
        "select min(xid::text::bigint) from stage_history where client_id = any(%s)", (wanted,)
    ).fetchone()
    assert started is not None
    assert first is not None
    assert first[0] - 3 <= started[0] < first[0]


def test_since_before_everything_is_everything(autodb: psycopg.Connection) -> None:
    make_client(autodb)

    assert ids(call(autodb, "changes", since="2000-01-01")) == all_ids(autodb)
    assert ids(call(autodb, "changes", since="2100-01-01")) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "1",
        "1.2",
        "1.2.3.4",
        "-1.0.0",
        "1.2.99999999999999999999",
        "1.999999999999999999.1",
        "2.1.1",
        "999999999.1.1",
        "1.1.1'",
        "１.１.１",
        " 1.1.1",
    ],
)
def test_what_is_no_cursor_of_this_feed_is_refused(db: psycopg.Connection, cursor: str) -> None:
    with refused(db, "cursor_not_valid", 422):
        call(db, "changes", after=cursor)


def test_the_feed_of_an_unknown_stage_is_refused(db: psycopg.Connection) -> None:
    with refused(db, "unknown_stage", 422):
        call(db, "changes", stage="holiday")


# Another server


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Cluster, Cluster]]:
    """Where the firm works, with many transactions behind it, and a young server to restore to."""
    with Cluster(18) as here, Cluster(18) as there:
        with psycopg.connect(here.dsn, autocommit=True) as db:
            db.execute("do $$ begin for n in 1 .. 20000 loop perform pg_current_xact_id(); commit; end loop; end $$")
        yield here, there


def restore(here: Cluster, there: Cluster) -> None:
    def run(cluster: Cluster, program: str, *arguments: str, stdin: bytes = b"") -> bytes:
        command = [str(cluster.binaries / program), "--dbname", cluster.dsn, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout

    roles = run(here, "pg_dumpall", "--roles-only").replace(b"CREATE ROLE postgres;", b"")
    run(there, "psql", "--quiet", stdin=roles)
    dump = run(here, "pg_dump", "--format", "custom")
    run(there, "pg_restore", "--exit-on-error", stdin=dump)


def test_a_cursor_goes_on_after_a_restore_into_another_server(
    servers: tuple[Cluster, Cluster],
) -> None:
    here, there = servers
    deploy.migrate(here.dsn)
    reader = Reader()
    with psycopg.connect(here.dsn, autocommit=True) as db:
        known = make_client(db)
        reader.catch_up(db)
        make_client(db)  # in the dump, and not read before
    restore(here, there)

    with psycopg.connect(there.dsn, autocommit=True) as db:
        early = make_client(db)  # written before migrate ran
        with refused(db, "feed_not_in_order", 503):
            call(db, "changes", after=reader.cursor)
        said: list[str] = []
        deploy.migrate(there.dsn, report=said.append)
        assert any("epoch" in line for line in said)
        for _ in range(3):
            move(db, early, "cleanup")
            move(db, early, "weekly")
        move(db, known, "cleanup")
        reader.catch_up(db)
        assert reader.seen == all_ids(db)
        assert Reader(page_size=2).catch_up(db) == all_ids(db)

        deploy.migrate(there.dsn)
        row = db.execute("select count(*), max(epoch) from feed_epochs").fetchone()
        assert row == (2, 2)
        marks = db.execute("select count(distinct (epoch, xid)) = count(*) from stage_history").fetchone()
        assert marks == (True,)


# Long polling


def woken(listening: psycopg.Connection, seconds: float = 0.3) -> int:
    return len(list(listening.notifies(timeout=seconds)))


def test_who_listens_is_woken_when_a_change_is_committed(connect: Connect) -> None:
    listening, db = connect(), connect()
    client = make_client(db)
    listening.execute("listen atlas_changes")

    with db.transaction():
        move(db, client, "eom_close")
        move(db, client, "eom_review")
        while_open = woken(listening)

    assert (while_open, woken(listening)) == (0, 1)


def test_plain_sql_wakes_too_and_what_is_rolled_back_does_not(connect: Connect) -> None:
    listening, db = connect(), connect()
    client = make_client(db)
    listening.execute("listen atlas_changes")
    statement = "update clients set stage = 'cleanup' where id = %s"

    with db.transaction(force_rollback=True):
        as_actor(db, ADMIN)
        db.execute(statement, (client,))
    rolled_back = woken(listening)
    with db.transaction():
        as_actor(db, ADMIN)
        db.execute(statement, (client,))

    assert (rolled_back, woken(listening)) == (0, 1)


def test_a_writer_waits_for_no_other_s_notice(connect: Connect) -> None:
    one, other = connect(), connect()
    first, second = make_client(one), make_client(one)

    with one.transaction():
        move(one, first, "eom_close")
        other.execute("set statement_timeout = '2s'")
        move(other, second, "eom_close")
