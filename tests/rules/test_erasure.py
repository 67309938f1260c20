"""An erasure reaches every place that keeps words about a client, and no answer comes back with them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.support.calls import (
    ADMIN,
    as_actor,
    call,
    client_row,
    history_rows,
    make_client,
    move,
    refused,
)

MARK = "planted"

# What an erasure leaves, by table and column.
KEPT = {
    ("clients", "name"): "Atlas's own column",
    ("clients", "slug"): "Atlas's own column",
    ("agent_permissions", "notes"): "about an actor",
    ("actor_tokens", "description"): "about an actor",
    ("erasures", "reason"): "why the words were erased",
}
# The record of administration repeats three of these tables.
RECORDED = ("agent_permissions", "actor_tokens", "erasures")

# Arguments with these names hold words wherever they are taken for a change of a client.
WORDS = ("reason", "triggered_by", "on_behalf_of", "external_id", "payload", "notes")

# The arguments of the items of batches, as far as they are text or JSON.
ITEM_WORDS = {
    "set_stages": ("reason", "triggered_by", "on_behalf_of", "external_id", "payload"),
    "set_flags": ("reason", "triggered_by", "on_behalf_of", "payload"),
    "update_clients": ("notes", "reason", "triggered_by", "on_behalf_of", "payload"),
}


def functions(db: psycopg.Connection) -> dict[str, dict[str, tuple[str, bool]]]:
    """The functions of api: the type of each argument, and whether it is required."""
    rows = db.execute(
        "select p.proname::text, jsonb_agg(jsonb_build_array(a.name, format_type(a.type, null),"
        " a.place <= p.pronargs - p.pronargdefaults) order by a.place)"
        " from pg_proc p"
        " cross join unnest(p.proargnames, p.proargtypes::oid[]) with ordinality as a (name, type, place)"
        " where p.pronamespace = 'api'::regnamespace and a.name <> '' and a.type is not null group by 1 order by 1"
    ).fetchall()
    return {name: {a: (kind, needed) for a, kind, needed in given} for name, given in rows}


class Planter:
    """Calls each function of api once for each of its arguments, with the mark in that argument."""

    def __init__(self, db: psycopg.Connection) -> None:
        self.db = db
        self.known = functions(db)
        self.number = 0
        self.done: set[tuple[str, str]] = set()

    def everything(self) -> None:
        for function, arguments in self.known.items():
            for argument, (kind, _) in arguments.items():
                if kind in ("text", "text[]", "jsonb", "json"):
                    self.plant(function, argument, kind)

    def plant(self, function: str, argument: str, kind: str) -> None:
        for words in self.planted(function, argument, kind):
            client, given = self.valid(function)
            given[argument] = words
            if function in ITEM_WORDS:
                # the second one changes nothing, or is refused
                given[argument] = [{**words, "client_id": client} for _ in range(2)]
            self.call(function, argument, given)

    def planted(self, function: str, argument: str, kind: str) -> Iterator[Any]:
        self.number += 1
        mark = f"{MARK} {function} {argument} {self.number}"
        if function in ITEM_WORDS:
            for name in ITEM_WORDS[function]:
                item = {
                    "reason": "r",
                    name: {mark: mark} if name == "payload" else f"{mark} {name}",
                }
                if function == "set_stages":
                    item |= {"to_stage": "eom_close", "expected_version": 0}
                else:
                    item |= {"flag": "advisory_due", "set": True}
                yield item
                yield item | {"channel": mark}
        elif kind in ("json", "jsonb"):
            yield {mark: [mark]}
        else:
            yield [mark] if kind == "text[]" else mark

    def valid(self, function: str) -> tuple[int, dict[str, Any]]:
        """A client, and arguments about it that the function accepts."""
        self.number += 1
        client = make_client(self.db, slug=f"own-{self.number}")
        row = call(self.db, "set_flag", client_id=client, flag="client_blocking")["history"]["id"]
        values: dict[str, Any] = {
            "client_id": client,
            "client_ids": [client],
            "client": f"own-{self.number}",
            "to_stage": "eom_close",
            "expected_version": 1,
            "flag": "advisory_due",
            "reason": "because",
            "history_id": row,
            "name": "New",
            "slug": f"new-{self.number}",
            "external_id": f"key-{self.number}",
            "actor_id": "user:bo",
            "permission": "can_set_flag",
            "never_expires": True,
            "permission_id": 1,
            "token_id": "aaaaaaaaaaaa",
            "token_hash": "a" * 64,
            "month": "2026-05",
        }
        if function == "delete_client":
            values["client_id"] = make_client(
                self.db, name=f"{MARK} name", slug=f"{MARK}-{self.number}", reason=f"{MARK} made"
            )
        if function == "rollback_run":
            self.db.execute("select jobs.run('flag_seasonal', '2026-01-05 12:00+00')")
            values["run_id"] = self.db.execute("select max(id) from job_runs").fetchone()[0]  # type: ignore[index]
        return client, {
            name: values.get(name)
            for name, (_, needed) in self.known[function].items()
            if needed or name in ("external_id", "never_expires")
        }

    def call(self, function: str, argument: str, given: dict[str, Any]) -> None:
        kinds = self.known[function]
        statement = sql.SQL("select api.{}({})").format(
            sql.Identifier(function),
            sql.SQL(", ").join(
                sql.SQL("{} => {}::{}").format(sql.Identifier(name), sql.Placeholder(name), sql.SQL(kinds[name][0]))
                for name in given
            ),
        )
        values = {name: Jsonb(value) if kinds[name][0] in ("json", "jsonb") else value for name, value in given.items()}
        self.number += 1
        with refusals(), header(self.db, f"header {self.number}"):
            as_actor(self.db, ADMIN)
            self.db.execute(statement, values)
            self.done.add((function, argument))


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """A rule may refuse the call inside; then nothing of it is kept."""
    try:
        yield
    except psycopg.Error as error:
        if not (error.sqlstate or "").startswith("PT"):
            raise


@contextlib.contextmanager
def header(db: psycopg.Connection, key: str) -> Iterator[None]:
    """The calls inside have this Idempotency-Key."""
    headers = "select set_config('request.headers', %s, true)"
    with db.transaction():
        db.execute(headers, [json.dumps({"idempotency-key": key})])
        yield
        db.execute(headers, [""])


def found(db: psycopg.Connection, word: str = MARK) -> set[tuple[str, str, str]]:
    """Every text and JSON of the database that has the word: its table, its column and its value."""
    columns = db.execute(
        "select c.oid::regclass::text, a.attname::text from pg_class c join pg_attribute a on a.attrelid = c.oid"
        " where c.relkind in ('r', 'p', 'm') and a.attnum > 0 and not a.attisdropped"
        " and c.relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema', 'pg_toast')"
        " order by 1, 2"
    ).fetchall()
    places = set()
    for table, column in columns:
        statement = sql.SQL("select {0}::text from {1} where {0}::text like {2}").format(
            sql.Identifier(column), sql.SQL(table), sql.Literal(f"%{word}%")
        )
        places |= {(table.removeprefix("public."), column, row[0]) for row in db.execute(statement)}
    return places


def left(db: psycopg.Connection, word: str = MARK) -> set[tuple[str, str, str]]:
    """What `found` finds besides what an erasure keeps."""
    kept = {
        row[0]
        for row in db.execute(
            "select unnest(array[before::text, after::text]) from administration_history where about = any (%s)",
            [list(RECORDED)],
        )
    }
    return {
        (table, column, value)
        for table, column, value in found(db, word)
        if (table, column) not in KEPT and not (table == "administration_history" and value in kept)
    }


def erase_everybody(db: psycopg.Connection) -> None:
    ids = db.execute("select id from clients union select client_id from deleted_clients").fetchall()
    for (client,) in ids:
        call(db, "erase_words", client_id=client, reason="asked to")


def test_what_is_planted_through_any_argument_of_any_function_is_gone(
    db: psycopg.Connection,
) -> None:
    planter = Planter(db)
    planter.everything()
    # a host's message, in what a job could not do, and a slug that it lists
    stuck = make_client(db, slug=f"{MARK}-slug", notes=f"{MARK} notes")
    move(db, stuck, "eom_close", reason=MARK)
    host_refuses(db, "raise_exception")
    db.execute("select jobs.run('stage_autoroll_eom_open', '2026-06-30 14:00+00')")
    host_refuses(db, "internal_error")
    db.execute("select jobs.run('flag_seasonal', '2026-02-05 12:00+00')")
    db.execute("drop trigger host on clients")
    before = found(db)

    changing = {
        (function, name)
        for function, arguments in planter.known.items()
        for name in arguments
        if name in WORDS and ({"client_id", "slug", "run_id"} & arguments.keys()) and function != "erase_words"
    }
    assert changing <= planter.done
    assert {(each, "items") for each in ITEM_WORDS} <= planter.done
    places = {(table, column) for table, column, _ in before}
    assert places >= {
        ("stage_history", "reason"),
        ("stage_history", "external_id"),
        ("stage_history", "payload"),
        ("idempotency_keys", "external_id"),
        ("idempotency_keys", "response"),
        ("deleted_clients", "history"),
        ("deleted_clients", "name"),
        ("deleted_clients", "slug"),
        ("deleted_clients", "reason"),
        ("clients", "stage_notes"),
        ("job_runs", "counts"),
        ("job_runs", "error"),
    }

    erase_everybody(db)

    assert left(db) == set()
    assert {(table, column) for table, column, _ in found(db)} > {("clients", "slug")}
    assert breaks(db) == []


def breaks(db: psycopg.Connection) -> list[dict[str, Any]]:
    """What `verify` finds, from its first page to its last."""
    page = call(db, "verify", page_size=1000)
    found = page["breaks"]
    while page["next_after"] is not None:
        page = call(db, "verify", page_size=1000, after=page["next_after"])
        found += page["breaks"]
    return found


def host_refuses(db: psycopg.Connection, condition: str) -> None:
    db.execute(
        "create or replace function host_says_no() returns trigger language plpgsql as $$ begin"
        f" if new.version > old.version then raise {condition} using message = '{MARK} ' || new.slug; end if;"
        " return new; end $$;"
        "create or replace trigger host before update on clients for each row execute function host_says_no()"
    )


class TestKeys:
    """A key whose answer was erased is refused, and its request is not made again."""

    def in_batch(self, db: psycopg.Connection, function: str, key: str, items: object) -> Any:
        with header(db, key):
            return call(db, function, items=items)

    def keyed(self, db: psycopg.Connection, kind: str) -> tuple[int, Callable[[], Any]]:
        """A client, and a repeatable call about it."""
        client = make_client(db, notes="Mrs. Grün")
        if kind == "move":
            given = {
                "client_id": client,
                "to_stage": "eom_close",
                "reason": "Grün",
                "expected_version": 0,
            }
            return client, lambda: call(db, "set_stage", external_id="k", **given)
        if kind == "no change":
            call(db, "set_flag", client_id=client, flag="advisory_due")
            return client, lambda: call(
                db,
                "set_flag",
                client_id=client,
                flag="advisory_due",
                reason="Grün",
                external_id="k",
            )
        if kind == "update without change":
            return client, lambda: call(db, "update_client", client_id=client, notes="Mrs. Grün", external_id="k")
        if kind == "create":
            create = lambda: call(  # noqa: E731
                db, "create_client", name="N", slug="new", reason="Grün", external_id="k"
            )
            return int(create()["client"]["id"]), create
        other = make_client(db)
        if kind == "batch of moves":
            items = [
                {
                    "client_id": each,
                    "to_stage": "eom_close",
                    "reason": "Grün",
                    "expected_version": 0,
                }
                for each in (other, client)
            ]
            return client, lambda: self.in_batch(db, "set_stages", "k", items)
        if kind == "refused in a batch":
            items = [
                {
                    "client_id": client,
                    "to_stage": "eom_close",
                    "reason": "r",
                    "expected_version": 0,
                    "channel": "Grün",
                },
                {"client_id": other, "to_stage": "eom_close", "reason": "r", "expected_version": 0},
            ]
            return client, lambda: self.in_batch(db, "set_stages", "k", items)
        flags = [{"client_id": each, "flag": "advisory_due", "set": True, "reason": "Grün"} for each in (client, other)]
        return client, lambda: self.in_batch(db, "set_flags", "k", flags)

    KINDS = (
        "move",
        "no change",
        "update without change",
        "create",
        "batch of moves",
        "refused in a batch",
        "batch of flags",
    )

    @pytest.mark.parametrize("kind", KINDS)
    def test_an_erased_answer_is_refused_and_nothing_is_done_twice(self, db: psycopg.Connection, kind: str) -> None:
        client, send = self.keyed(db, kind)
        send()
        assert send()["replayed"] is True
        assert "Grün" in str(found(db, "Grün"))
        call(db, "erase_words", client_id=client, reason="asked to")
        rows = db.execute("select count(*) from stage_history").fetchone()

        for _ in range(2):
            with refused(db, "answer_erased", 409, external_id="k"):
                send()
        with refused(db, "answer_erased", 409):
            call(db, "create_client", name="Other", slug="other", external_id="k")

        assert db.execute("select count(*) from stage_history").fetchone() == rows
        assert "Grün" not in str({each for each in left(db, "Grün") if each[0] == "idempotency_keys"})

    @pytest.mark.parametrize("kind", ["move", "create"])
    def test_a_key_whose_answer_was_pruned_is_not_used_again_after_an_erasure(
        self, db: psycopg.Connection, kind: str
    ) -> None:
        client, send = self.keyed(db, kind)
        send()
        db.execute("delete from idempotency_keys")
        call(db, "erase_words", client_id=client, reason="asked to")

        with refused(db, "answer_erased", 409):
            send()

    def test_another_actor_s_key_of_the_same_name_is_free(self, db: psycopg.Connection) -> None:
        client, send = self.keyed(db, "move")
        send()
        call(db, "erase_words", client_id=client, reason="asked to")
        grant = {"actor_id": "user:ada", "permission": "can_set_stage"}
        call(db, "grant_permission", **grant)

        made = call(db, "create_client", actor="user:ada", name="A", slug="a", external_id="k")

        assert made["replayed"] is False

    def test_answers_about_other_clients_are_kept(self, db: psycopg.Connection) -> None:
        client, other = make_client(db), make_client(db)
        first = move(db, other, "eom_close", external_id="other")
        call(db, "erase_words", client_id=client, reason="asked to")

        again = move(db, other, "eom_close", external_id="other", expected_version=0)

        assert again == first | {"replayed": True}

    def test_an_item_of_a_batch_whose_answer_was_erased_is_not_made_again(self, db: psycopg.Connection) -> None:
        client = make_client(db)
        move(db, client, "eom_close", external_id="k", expected_version=0)
        call(db, "erase_words", client_id=client, reason="asked to")
        item = {
            "client_id": client,
            "to_stage": "eom_review",
            "reason": "r",
            "external_id": "k",
            "expected_version": 1,
        }

        for _ in range(2):
            (outcome,) = call(db, "set_stages", items=[item])["items"]

            assert (outcome["status"], outcome["details"]["rule"]) == (409, "answer_erased")
        assert client_row(db, client)["stage"] == "eom_close"

    def test_a_batch_whose_key_an_item_repeats_can_be_sent_again(self, db: psycopg.Connection) -> None:
        clients = make_client(db), make_client(db)
        items = [
            {
                "client_id": each,
                "to_stage": "eom_close",
                "reason": "r",
                "expected_version": 0,
                "external_id": key,
            }
            for each, key in zip(clients, ("batch", "own"), strict=True)
        ]
        first = self.in_batch(db, "set_stages", "batch", items)

        again = self.in_batch(db, "set_stages", "batch", items)

        assert first["items"][0]["details"]["rule"] == "idempotency_key_reused"
        assert again == first | {"replayed": True}

    def test_a_retry_that_waits_for_the_erasure_is_refused(self, connect: Callable[[], psycopg.Connection]) -> None:
        eraser, writer = connect(), connect()
        client = make_client(eraser)

        def send() -> Any:
            return move(writer, client, "eom_close", external_id="k", expected_version=0)

        send()
        caught: list[psycopg.Error] = []

        def retry() -> None:
            with pytest.raises(psycopg.Error) as error:
                call(writer, "set_flag", client_id=client, flag="advisory_due", external_id="k")
            caught.append(error.value)

        waiting = threading.Thread(target=retry)
        with eraser.transaction():
            call(eraser, "erase_words", client_id=client, reason="asked to")
            waiting.start()
            waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and pid = %s"
            while eraser.execute(waits, [writer.info.backend_pid]).fetchone() == (0,):
                assert waiting.is_alive()
        waiting.join()

        assert "answer_erased" in str(caught[0].diag.message_detail)
        assert client_row(writer, client)["flags"] == []


class TestDeletedClients:
    def deleted(self, db: psycopg.Connection) -> int:
        client = make_client(db, name="Grün", slug="gruen", reason="Grün called", notes="Grün", external_id="Grün's")
        call(db, "delete_client", client_id=client, reason="Grün was entered twice")
        return client

    def test_their_words_are_erased_and_the_records_still_verify(self, db: psycopg.Connection) -> None:
        client = self.deleted(db)
        as_it_was = db.execute("select history from deleted_clients").fetchone()

        answer = call(db, "erase_words", client_id=client, reason="asked to")

        assert (answer["changed"], answer["erasure"]["rows"]) == (True, 1)
        assert (left(db, "Grün"), left(db, "gruen")) == (set(), set())
        (history,) = db.execute("select history from deleted_clients").fetchone() or ({},)
        assert as_it_was is not None
        same = ("row_hash", "id", "occurred_at", "actor_id", "to_stage", "version")
        assert {name: history[name] for name in same} == {name: as_it_was[0][name] for name in same}
        assert breaks(db) == []
        assert call(db, "verify")["erasures"][0]["client_id"] == client

    def test_again_is_no_change(self, db: psycopg.Connection) -> None:
        client = self.deleted(db)
        first = call(db, "erase_words", client_id=client, reason="asked to")

        again = call(db, "erase_words", client_id=client, reason="asked to")

        assert (again["changed"], again["erasure"]) == (False, first["erasure"])

    def test_a_client_that_is_deleted_after_an_erasure_keeps_nothing(self, db: psycopg.Connection) -> None:
        client = make_client(db, name="Grün", slug="gruen", reason="Grün called")
        call(db, "erase_words", client_id=client, reason="asked to")
        call(db, "delete_client", client_id=client, reason="Grün was entered twice")
        assert {column for _, column, _ in left(db, "Grün")} == {"name", "reason"}

        call(db, "erase_words", client_id=client, reason="asked again")

        assert (left(db, "Grün"), left(db, "gruen")) == (set(), set())
        assert breaks(db) == []

    def test_words_that_vanish_without_an_erasure_are_found(self, db: psycopg.Connection) -> None:
        client = self.deleted(db)
        db.execute(
            "update deleted_clients set"
            " history = to_jsonb(rules.without_words(jsonb_populate_record(null::stage_history, history)))"
        )

        found = breaks(db)

        assert [(each["client_id"], each["problem"]) for each in found] == [(client, "erasure_not_recorded")]

    @pytest.mark.parametrize("column", ["name", "slug", "reason"])
    def test_an_edit_of_their_words_is_found(self, db: psycopg.Connection, column: str) -> None:
        self.deleted(db)
        db.execute("set constraints all immediate")
        db.execute("alter table deleted_clients disable trigger user")
        db.execute(f"update deleted_clients set {column} = 'another'".encode())

        (found,) = breaks(db)

        assert (found["about"], found["problem"]) == ("deleted_clients", "row_changed")

    def test_the_reason_of_the_session_is_not_recorded_with_a_deletion(self, db: psycopg.Connection) -> None:
        client = make_client(db)
        with db.transaction():
            as_actor(db, ADMIN, "Grün asked")
            db.execute("select api.delete_client(%s, 'a mistake')", [client])

        assert found(db, "Grün") == set()

    def test_a_client_that_never_was_is_not_found(self, db: psycopg.Connection) -> None:
        with refused(db, "client_not_found", 404):
            call(db, "erase_words", client_id=4711, reason="asked to")


class TestRuns:
    """The ledger of jobs keeps slugs of clients that it lists, and what a host said about them."""

    def test_other_clients_stay_in_the_ledger_as_they_were(self, db: psycopg.Connection) -> None:
        forgotten, other = make_client(db, slug="gruen"), make_client(db, slug="other")
        listed = [{"id": forgotten, "slug": "gruen"}, {"id": other, "slug": "other"}]
        errors = [
            {"client_id": forgotten, "error": "host_trigger_failed: Grün has no folder"},
            {"client_id": other, "error": "host_trigger_failed: no folder"},
        ]
        counts = {
            "moved": 3,
            "still_closing": {"number": 2, "clients": listed},
            "errors": errors,
            "failed": 2,
        }
        db.execute(
            "insert into job_runs (job, due_at, as_of, finished_at, outcome, counts, error)"
            " values ('stage_autoroll_eom_open', now(), now(), now(), 'failed', %s, 'ours')",
            [Jsonb(counts)],
        )

        assert call(db, "erase_words", client_id=forgotten, reason="asked to")["changed"]

        listed[0]["slug"] = None  # type: ignore[assignment]
        errors[0]["error"] = "host_trigger_failed"
        assert db.execute("select counts, error from job_runs").fetchone() == (counts, "ours")
        assert not call(db, "erase_words", client_id=forgotten, reason="asked to")["changed"]

    def test_a_failure_from_before_the_client_was_added_is_kept(self, db: psycopg.Connection) -> None:
        client = make_client(db)
        db.execute(
            "insert into job_runs (job, due_at, as_of, finished_at, outcome, error) values"
            " ('flag_seasonal', now(), now(), now() - interval '1 day', 'failed', 'before'),"
            " ('stage_stuck_detector', now(), now(), now() + interval '1 day', 'failed', 'after')"
        )

        call(db, "erase_words", client_id=client, reason="asked to")

        assert db.execute("select error from job_runs order by error").fetchall() == [
            ("before",),
            ("erased",),
        ]

    def test_a_run_in_progress_is_waited_for_a_moment_and_then_named(
        self, connect: Callable[[], psycopg.Connection]
    ) -> None:
        eraser, job = connect(), connect()
        client = make_client(eraser)
        eraser.execute(
            "insert into job_runs (job, due_at, as_of, finished_at, outcome, error)"
            " values ('flag_seasonal', now(), now(), now(), 'failed', 'host text')"
        )
        eraser.execute("set lock_timeout = '100ms'")
        with job.transaction():
            job.execute("select from job_runs for update")
            with refused(eraser, "client_locked", 503, client_id=client):
                call(eraser, "erase_words", client_id=client, reason="asked to")

        assert history_rows(eraser, client)[0]["words_hash"] is None


def test_who_may_not_erase_waits_for_no_lock(connect: Callable[[], psycopg.Connection]) -> None:
    holder, asker = connect(), connect()
    client = make_client(holder)
    asker.execute("set lock_timeout = '100ms'")
    with holder.transaction():
        holder.execute("select from clients where id = %s for update", [client])
        for function in ("erase_words", "delete_client"):
            with refused(asker, "permission_missing", 403):
                call(asker, function, actor="user:ada", client_id=client, reason="r")
