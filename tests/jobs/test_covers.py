"""Vacation cover: clients are handed over until a day, and the job gives back what is still the cover's."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import (
    ADMIN,
    all_breaks,
    call,
    client_row,
    grant,
    history_rows,
    make_client,
    refused,
)

ANA, BEN, CARA, DORA = "user:ana", "user:ben", "user:cara", "user:dora"
JOB = "covers_end"


def day(number: int) -> date:
    """A day of May 2026."""
    return date(2026, 5, number)


def cover(db: psycopg.Connection, giver: str, taker: str, until: date | None, on: int = 4) -> dict[str, Any]:
    with clock.at(db, f"{day(on)} 09:00"):
        answer: dict[str, Any] = call(
            db,
            "hand_over",
            from_actor_id=giver,
            to_actor_id=taker,
            reason="on vacation",
            **({"until": str(until)} if until else {}),
        )
    return answer


def start(db: psycopg.Connection, on: int, hour: str = "00:30") -> dict[str, Any]:
    with clock.at(db, f"{day(on)} {hour}"):
        row = db.execute("select jobs.run(%s)", (JOB,)).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def covers(db: psycopg.Connection, on: int = 5) -> list[dict[str, Any]]:
    with clock.at(db, f"{day(on)} 10:00"):
        found: list[dict[str, Any]] = call(db, "covers", actor="user:viewer")["covers"]
    return found


def owner(db: psycopg.Connection, client: int) -> Any:
    return client_row(db, client)["stage_owner"]


def test_everything_comes_back_on_the_day_in_the_firms_time_zone(db: psycopg.Connection) -> None:
    owned = make_client(db, owner=ANA)
    shared = make_client(db, owner=DORA, collaborators=[ANA, BEN], reviewers=[ANA, DORA])
    before = [client_row(db, each) for each in (owned, shared)]
    made = cover(db, ANA, BEN, day(18))

    assert [(c["cover_id"], c["from_actor_id"], c["to_actor_id"], c["clients"]) for c in covers(db)] == [
        (made["cover_id"], ANA, BEN, 2)
    ]
    assert start(db, 17, "23:59")["counts"].get("given_back") is None
    assert owner(db, owned) == BEN
    done = start(db, 18)

    assert (done["outcome"], done["counts"]["given_back"]) == ("done", 2)
    after = [client_row(db, each) for each in (owned, shared)]
    assert after == [each | {"version": each["version"] + 2} for each in before]
    row = history_rows(db, owned)[-1]
    assert (row["actor_id"], row["channel"]) == (f"system:cron:{JOB}", "cron")
    assert row["reason"] == "user:ben covered for user:ana until 2026-05-18"
    assert start(db, 18, "05:00")["counts"].get("given_back") == 2  # of both starts
    assert client_row(db, owned) == after[0]
    assert start(db, 19)["counts"].get("given_back") is None
    assert covers(db, 19) == []
    assert all_breaks(db) == []


def test_days_without_a_scheduler_lose_nothing(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(8))
    start(db, 5)
    assert start(db, 25, "14:00")["counts"]["given_back"] == 1
    assert owner(db, client) == ANA


def test_a_field_that_someone_changed_meanwhile_is_kept_and_named(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA, collaborators=[ANA])
    cover(db, ANA, BEN, day(18))
    call(db, "update_client", client_id=client, owner=DORA)
    call(db, "update_client", client_id=client, owner=BEN)
    call(db, "update_client", client_id=client, notes="other details don't matter")

    assert covers(db)[0]["kept"][0]["fields"] == ["stage_owner"]
    done = start(db, 18)

    assert done["counts"]["given_back"] == 1
    assert [each["id"] for each in done["counts"]["kept"]["clients"]] == [client]
    assert (owner(db, client), client_row(db, client)["stage_collaborators"]) == (BEN, [ANA])
    assert "kept" not in start(db, 19)["counts"]


@pytest.mark.parametrize(("inner", "outer"), [(10, 18), (18, 10), (18, 18)])
def test_a_chain_of_covers_ends_at_the_first_actor(db: psycopg.Connection, inner: int, outer: int) -> None:
    client = make_client(db, owner=ANA, reviewers=[ANA, DORA])
    bens = make_client(db, owner=BEN)
    cover(db, ANA, BEN, day(outer))
    cover(db, BEN, CARA, day(inner), on=5)
    assert owner(db, client) == CARA
    start(db, 10)
    assert owner(db, client) == {10: BEN, 18: ANA}[inner] if inner != outer else CARA
    start(db, 18)

    assert (owner(db, client), owner(db, bens)) == (ANA, BEN)
    assert client_row(db, client)["eligible_reviewers"] == [ANA, DORA]
    assert all_breaks(db) == []


def test_another_hand_over_in_the_same_list_is_kept(db: psycopg.Connection) -> None:
    client = make_client(db, collaborators=[ANA, DORA])
    cover(db, ANA, BEN, day(18))
    cover(db, DORA, CARA, None, on=5)
    start(db, 18)
    assert client_row(db, client)["stage_collaborators"] == [ANA, CARA]


def test_when_the_cover_leaves_the_clients_still_come_back(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    call(db, "leave", actor_id=BEN, reason="left", to_actor_id=CARA)
    assert (owner(db, client), covers(db)[0]["to_actor_id"]) == (CARA, CARA)
    start(db, 18)
    assert owner(db, client) == ANA


def test_a_hand_over_of_other_clients_takes_no_cover_along(db: psycopg.Connection) -> None:
    covered, other = make_client(db, owner=ANA), make_client(db, owner=BEN)
    made = cover(db, ANA, BEN, day(18))
    grant(db, CARA, "can_set_stage", {"clients": [other]})
    handed = call(db, "hand_over", actor=CARA, from_actor_id=BEN, to_actor_id=CARA, reason="r")
    assert (handed["done"], [each["client_id"] for each in handed["left"]]) == (1, [covered])
    assert covers(db)[0]["to_actor_id"] == BEN
    with refused(db, "permission_missing", 403):
        call(db, "set_cover", actor=CARA, cover_id=made["cover_id"])


def test_a_cover_that_was_handed_on_comes_back_with_the_undo(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    handed = cover(db, BEN, CARA, None)
    assert covers(db)[0]["to_actor_id"] == CARA
    call(db, "rollback_batch", batch=handed["batch"], reason="a mistake")
    assert (owner(db, client), covers(db)[0]["to_actor_id"]) == (BEN, BEN)


@pytest.mark.parametrize(("to", "expected"), [(DORA, DORA), (None, BEN)])
def test_nothing_comes_back_to_an_actor_that_left(db: psycopg.Connection, to: str | None, expected: str) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    call(db, "leave", actor_id=ANA, reason="left", to_actor_id=to)
    assert covers(db) == []
    start(db, 18)
    assert owner(db, client) == expected


def test_an_undone_hand_over_has_nothing_to_give_back(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    made = cover(db, ANA, BEN, day(18))
    call(db, "rollback_batch", batch=made["batch"], reason="a mistake")
    assert covers(db) == []
    call(db, "update_client", client_id=client, owner=BEN)
    assert start(db, 18)["counts"].get("given_back") is None
    assert owner(db, client) == BEN


def test_two_covers_of_one_actor_each_give_back_their_own(db: psycopg.Connection) -> None:
    first = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(10))
    second = make_client(db, owner=ANA)
    cover(db, ANA, CARA, day(18), on=5)
    assert cover(db, ANA, DORA, day(18), on=5) == {
        "batch": None, "done": 0, "left": [], "cover_id": None,
    }  # fmt: skip
    start(db, 10)
    assert (owner(db, first), owner(db, second)) == (ANA, CARA)
    start(db, 18)
    assert owner(db, second) == ANA


def test_a_run_that_is_rolled_back_gives_back_again(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    run = start(db, 18)
    call(db, "rollback_run", run_id=run["run_id"], reason="too early")
    assert owner(db, client) == BEN
    start(db, 19)
    assert owner(db, client) == ANA


class TestEndingEarly:
    @pytest.fixture
    def made(self, db: psycopg.Connection) -> dict[str, Any]:
        make_client(db, owner=ANA, reviewers=[ANA])
        return cover(db, ANA, BEN, day(18))

    def test_each_of_them_can_and_an_admin(self, db: psycopg.Connection, made: dict[str, Any]) -> None:
        grant(db, CARA, "can_set_stage")
        with refused(db, "permission_missing", 403):
            call(db, "set_cover", actor=CARA, cover_id=made["cover_id"])
        with clock.at(db, f"{day(5)} 10:00"):
            may_end = [who for who in (ANA, BEN, CARA, ADMIN) if call(db, "covers", actor=who)["covers"][0]["may_end"]]
        assert may_end == [ANA, BEN, ADMIN]
        answer = call(db, "set_cover", actor=BEN, cover_id=made["cover_id"], reason="back early")
        assert (answer["given_back"], answer["left"]) == (1, [])
        assert covers(db) == []
        with refused(db, "cover_not_found", 404):
            call(db, "set_cover", actor=ADMIN, cover_id=made["cover_id"])

    def test_clients_of_nobody_else_move(self, db: psycopg.Connection, made: dict[str, Any]) -> None:
        other = make_client(db, owner=BEN)
        call(db, "set_cover", cover_id=made["cover_id"])
        assert owner(db, other) == BEN
        assert start(db, 18)["counts"].get("given_back") is None

    def test_the_day_can_change(self, db: psycopg.Connection, made: dict[str, Any]) -> None:
        with clock.at(db, f"{day(10)} 09:00"):
            call(db, "set_cover", cover_id=made["cover_id"], until=str(day(20)))
        assert covers(db)[0]["until"] == "2026-05-20"
        assert start(db, 18)["counts"].get("given_back") is None
        assert start(db, 20)["counts"]["given_back"] == 1


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_the_day_is_later_than_today_and_within_a_year(db: psycopg.Connection, days: int) -> None:
    make_client(db, owner=ANA)
    with refused(db, "day_not_valid", 422) as refusal:
        cover(db, ANA, BEN, day(4) + timedelta(days=days))
    assert "Choose a day from" in refusal.details["text"]


def test_no_caller_can_pass_a_change_off_as_a_hand_over(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    call(
        db,
        "update_client",
        client_id=client,
        owner=DORA,
        payload={"hand_over": {"from": BEN, "to": DORA}, "gives_back": 1},
    )
    start(db, 18)
    assert owner(db, client) == DORA


def test_a_dry_run_lists_what_comes_back(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    with clock.at(db, f"{day(18)} 09:00"):
        row = db.execute("select jobs.run(%s, dry_run => true)", (JOB,)).fetchone()
    assert row is not None
    assert (row[0]["would_change"], row[0]["would_skip"]) == (1, 0)
    assert [(each["client_id"], each["change"]) for each in row[0]["rows"]] == [(client, "given back")]
    assert owner(db, client) == BEN


def test_a_client_that_the_host_holds_back_fails_and_comes_back_later(
    db: psycopg.Connection,
) -> None:
    held, free = make_client(db, owner=ANA), make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    db.execute(
        f"""
        create function public.host_says_no() returns trigger language plpgsql as
        $$ begin if new.id = {held} then raise exception 'not now'; end if; return new; end $$;
        create trigger host before update on clients for each row execute function host_says_no()
        """
    )
    failed = start(db, 18)
    assert (failed["outcome"], failed["counts"]["failed"]) == ("failed", 1)
    assert (owner(db, held), owner(db, free)) == (BEN, ANA)
    db.execute("drop trigger host on clients")
    assert start(db, 20)["counts"]["given_back"] == 1
    assert owner(db, held) == ANA


def test_erased_words_keep_nothing_back(db: psycopg.Connection) -> None:
    client = make_client(db, owner=ANA)
    cover(db, ANA, BEN, day(18))
    call(db, "erase_words", client_id=client, reason="asked to")
    start(db, 18)
    assert owner(db, client) == ANA
    assert all_breaks(db) == []
