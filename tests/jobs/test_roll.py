"""The month-end roll: no client that owes a close is forgotten, and none is opened that should not be."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.jobs import calendar
from tests.jobs.test_running import MONTH_END, ROLL, run
from tests.support import clock
from tests.support.calls import call, client_row, history_rows, make_client, move

MAY = "2026-05"
LATER = "2026-06-03 09:30"


def moment(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=calendar.FIRM)


def roll(db: psycopg.Connection, when: str = "2026-05-29 06:10") -> Any:
    """The roll as its scheduler starts it at that time."""
    with clock.at(db, when):
        row = db.execute("call jobs.run_in_slices(%s, commits => false)", (ROLL,)).fetchone()
    assert row is not None
    return row[0]


def stage(db: psycopg.Connection, client: int) -> Any:
    return client_row(db, client)["stage"]


def state(db: psycopg.Connection, client: int, month: str = MAY) -> Any:
    listed = call(db, "closes", month=month)["closes"]
    return next(each["state"] for each in listed if each["client_id"] == client)


@pytest.fixture
def client(db: psycopg.Connection) -> int:
    with clock.at(db, "2026-01-05 09:00"):
        return make_client(db)


def roll_back(db: psycopg.Connection, client: int) -> None:
    row = history_rows(db, client)[-1]["id"]
    call(db, "rollback", client_id=client, history_id=row, reason="a mistake")


def test_a_client_that_comes_back_to_weekly_is_opened_at_the_next_hour(db: psycopg.Connection, client: int) -> None:
    move(db, client, "paused_client")
    first = roll(db)
    with clock.at(db, "2026-06-12 08:00"):
        move(db, client, "weekly")
    after = roll(db, "2026-06-12 09:05")

    assert first["counts"]["paused"]["clients"] == [{"id": client, "slug": client_row(db, client)["slug"]}]
    assert (after["run_id"], after["counts"]["moved"]) == (first["run_id"], 1)
    assert stage(db, client) == "eom_close"


def test_a_client_that_was_paused_and_resumed_while_the_roll_was_late_is_opened(
    db: psycopg.Connection, client: int
) -> None:
    with clock.at(db, "2026-05-29 09:00"):
        move(db, client, "paused_client")
    with clock.at(db, "2026-06-01 09:00"):
        move(db, client, "weekly")
    roll(db, "2026-06-01 10:00")

    assert (stage(db, client), client_row(db, client)["close_period"]) == ("eom_close", MAY)


def test_within_the_hour_it_has_nothing_to_do(db: psycopg.Connection, client: int) -> None:
    roll(db, "2026-05-29 06:10")
    assert roll(db, "2026-05-29 06:59")["outcome"] == "nothing_due"
    assert roll(db, "2026-05-29 07:00")["outcome"] == "done"


def test_it_goes_on_until_the_next_month_is_rolled(db: psycopg.Connection, client: int) -> None:
    move(db, client, "cleanup")
    first = roll(db)
    with clock.at(db, "2026-06-30 05:00"):
        move(db, client, "weekly")
    last = roll(db, "2026-06-30 05:30")
    assert (first["run_id"], client_row(db, client)["close_period"]) == (last["run_id"], MAY)
    june = roll(db, "2026-06-30 06:00")
    assert june["counts"]["still_closing"]["number"] == 1


def test_a_close_that_is_signed_off_is_not_opened_again(db: psycopg.Connection, client: int) -> None:
    with clock.at(db, "2026-05-27 10:00"):
        for to in ("eom_close", "eom_review", "weekly"):
            move(db, client, to, close_period=MAY if to == "eom_close" else None)
    done = roll(db)

    assert (stage(db, client), state(db, client)) == ("weekly", "closed")
    assert "moved" not in done["counts"]


def test_october_s_correction_does_not_keep_november_from_its_close(db: psycopg.Connection, client: int) -> None:
    roll(db, "2026-10-30 06:05")
    with clock.at(db, "2026-11-05 10:00"):
        move(db, client, "eom_review")
        move(db, client, "weekly")
    with clock.at(db, "2026-11-28 10:00"):
        move(db, client, "eom_close", reason="October has to be corrected")
    still = roll(db, "2026-11-30 06:05")
    with clock.at(db, "2026-12-01 10:00"):
        move(db, client, "eom_review")
        move(db, client, "weekly")
    roll(db, "2026-12-01 11:05")

    assert still["counts"]["still_closing"]["number"] == 1
    assert [state(db, client, month) for month in ("2026-10", "2026-11")] == ["closed", "open"]


@pytest.mark.parametrize("who", ["the job", "a person"])
def test_an_opening_that_a_person_rolled_back_is_named_and_left_alone(
    db: psycopg.Connection, client: int, who: str
) -> None:
    if who == "the job":
        roll(db)
    else:
        with clock.at(db, "2026-05-29 05:00"):
            move(db, client, "eom_close", close_period=MAY)
    roll_back(db, client)
    done = roll(db, LATER) if who == "the job" else roll(db)

    assert stage(db, client) == "weekly"
    assert done["counts"]["rolled_back"]["clients"][0]["id"] == client
    assert close_owed(db)[client] == "rolled_back"


def close_owed(db: psycopg.Connection) -> dict[int, str]:
    found = [each for each in call(db, "health")["findings"] if each["finding"] == "close_owed"]
    return {each["id"]: each["why"] for finding in found for each in finding["clients"]}


def test_a_run_that_was_rolled_back_as_a_whole_frees_its_month(db: psycopg.Connection, client: int) -> None:
    early = run(db, ROLL, MONTH_END)
    call(db, "rollback_run", run_id=early["run_id"], reason="it ran a day early")
    taken_back = db.execute("select outcome, error from job_runs").fetchone()
    on_the_day = roll(db)

    assert taken_back == ("rolled_back", "rolled back by user:jimmie")
    assert (on_the_day["outcome"], on_the_day["counts"]["moved"]) == ("done", 1)
    assert stage(db, client) == "eom_close"


def test_a_job_of_flags_that_was_rolled_back_sets_them_again(db: psycopg.Connection, client: int) -> None:
    call(db, "update_client", client_id=client, schedule="monthly", reason="agreed")
    early = run(db, "flag_sales_tax_due", moment("2026-05-10 00:00"))
    call(db, "rollback_run", run_id=early["run_id"], reason="too early")
    assert client_row(db, client)["flags"] == []
    run(db, "flag_sales_tax_due", moment("2026-05-11 00:00"))

    assert client_row(db, client)["flags"] == ["sales_tax_due"]


def test_a_month_without_a_business_day_is_rolled_on_the_weekday_before_it(db: psycopg.Connection, client: int) -> None:
    db.execute(
        "insert into business_holidays select d::date, 'closed' from"
        " generate_series('2026-06-01', '2026-06-30', interval '1 day') d on conflict do nothing"
    )
    done = roll(db)  # May 29 is May's last business day and the last weekday before June
    rows = history_rows(db, client)
    with clock.at(db, "2026-05-29 08:00"):
        move(db, client, "eom_review")
        move(db, client, "weekly")
    roll(db, "2026-05-29 09:00")

    assert done["counts"]["still_closing"]["number"] == 1
    assert [state(db, client, month) for month in (MAY, "2026-06")] == ["closed", "open"]
    assert rows[-1]["close_period"] == MAY
    assert "no business day" in history_rows(db, client)[-1]["reason"]


def test_a_client_that_left_its_close_is_named(db: psycopg.Connection, client: int) -> None:
    roll(db)
    with clock.at(db, "2026-06-01 09:00"):
        move(db, client, "cleanup", override=True)
    done = roll(db, LATER)

    assert done["counts"]["left"]["number"] == 1
    assert state(db, client) == "open"


def test_a_dry_run_names_every_client_in_its_class(db: psycopg.Connection) -> None:
    with clock.at(db, "2026-01-05 09:00"):
        made = {
            "ready": make_client(db),
            "in_cleanup": make_client(db, "cleanup"),
            "in_onboarding": make_client(db, "onboarding"),
            "paused": make_client(db, "paused_internal"),
            "still_closing": make_client(db, "eom_close"),
            "rolled_back": make_client(db),
            "left": make_client(db),
            "closed": make_client(db),
            "inactive": make_client(db, active=False),
            "none": make_client(db, cadence="none"),
        }
    for name in ("rolled_back", "left", "closed"):
        move(db, made[name], "eom_close", close_period=MAY)
    roll_back(db, made["rolled_back"])
    move(db, made["left"], "cleanup", override=True)
    move(db, made["closed"], "eom_review")
    move(db, made["closed"], "weekly")
    row = db.execute("select jobs.run(%s, %s, true)", (ROLL, MONTH_END)).fetchone()
    assert row is not None
    plan = row[0]

    named = {
        each["id"]: word for word, found in plan.items() if isinstance(found, dict) for each in found["clients"]
    } | {each["client_id"]: "ready" for each in plan["rows"]}
    assert named == {client: name for name, client in made.items() if name not in ("closed", "inactive", "none")}
    # and the report agrees: whoever is named is in it, and not closed
    listed = {each["client_id"]: each["state"] for each in call(db, "closes", month=MAY)["closes"]}
    assert set(named) == {client for client, found in listed.items() if found != "closed"}
    run(db, ROLL, MONTH_END)
    owed = close_owed(db) | dict.fromkeys(
        [
            each["id"]
            for finding in call(db, "health")["findings"]
            if finding["finding"] == "still_closing"
            for each in finding["clients"]
        ],
        "still_closing",
    )
    assert owed == {client: name for client, name in named.items() if name != "ready"}
    counted = call(db, "closes_by_month", months=1, month=MAY)["months"][0]
    states = call(db, "closes", month=MAY)["closes"]
    for name in ("not_opened", "open", "in_review", "paused", "closed"):
        assert counted[name] == sum(each["state"] == name for each in states), name


def test_an_hour_of_nothing_to_do_leaves_its_row_as_it_was(db: psycopg.Connection, client: int) -> None:
    first = roll(db)
    again = roll(db, "2026-05-29 07:10")

    assert (again["counts"]["moved"], again["attempts"]) == (1, first["attempts"])
    row = db.execute("select * from jobs.overdue('2026-06-20 12:00-05')").fetchall()
    assert ROLL not in {each[0] for each in row}


@pytest.mark.slow
def test_a_slice_costs_in_proportion_to_its_clients(db: psycopg.Connection) -> None:
    db.execute(
        "insert into clients (name, slug) select 'Client ' || n, 'client-' || n from generate_series(1, 20000) n"
    )
    db.execute("set constraints all immediate")
    ids = [row[0] for row in db.execute("select id from clients order by id")]
    december = datetime(2026, 12, 31, 18, tzinfo=UTC)

    def cost(number: int) -> float:
        taken = []
        for _ in range(3):
            begun = time.perf_counter()
            steps = "select sum(cardinality(client_ids)) from jobs.steps(%s, rules.roll_at('2026-12-01'), %s, %s)"
            row = db.execute(steps, (ROLL, december, ids[:number])).fetchone()
            taken.append(time.perf_counter() - begun)
            assert row == (number,)
        return min(taken) / number

    assert cost(20000) < 2 * cost(2000)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("set_setting", {"setting": "eom_open_at", "value": "05:00"}),
        ("set_setting", {"setting": "time_zone", "value": "America/New_York"}),
        ("set_holiday", {"day": "2026-05-29", "name": "Closed"}),
    ],
)
def test_it_goes_on_after_its_moment_was_moved(
    db: psycopg.Connection, client: int, function: str, arguments: dict[str, str]
) -> None:
    move(db, client, "cleanup")
    roll(db)
    roll(db, "2026-06-08 09:00")
    with clock.at(db, "2026-06-08 09:30"):
        call(db, function, **arguments)
        move(db, client, "weekly")

    assert roll(db, "2026-06-08 10:05")["outcome"] == "done"
    assert stage(db, client) == "eom_close"


def start(db: psycopg.Connection, job: str, when: str) -> Any:
    """A job as its scheduler starts it at that time."""
    with clock.at(db, when):
        row = db.execute("call jobs.run_in_slices(%s, commits => false)", (job,)).fetchone()
    assert row is not None
    return row[0]


class TestOfFlags:
    @pytest.fixture
    def filer(self, db: psycopg.Connection) -> int:
        with clock.at(db, "2026-09-01 09:00"):
            return make_client(db, schedule="monthly")

    def flags(self, db: psycopg.Connection, client: int) -> Any:
        return client_row(db, client)["flags"]

    def test_a_filing_whose_run_was_rolled_back_is_announced_again(self, db: psycopg.Connection, filer: int) -> None:
        done = start(db, "flag_sales_tax_due", "2026-10-10 00:05")
        with clock.at(db, "2026-10-10 09:00"):
            call(db, "rollback_run", run_id=done["run_id"], reason="a mistake")
        assert self.flags(db, filer) == []

        start(db, "flag_sales_tax_due", "2026-10-11 00:05")

        assert self.flags(db, filer) == ["sales_tax_due"]

    def test_advisory_talks_whose_run_was_rolled_back_end_again(self, db: psycopg.Connection, filer: int) -> None:
        with clock.at(db, "2026-10-01 09:00"):
            call(db, "set_flag", client_id=filer, flag="advisory_due")
        done = start(db, "flag_autoclear_advisory_due", "2026-10-16 00:05")
        with clock.at(db, "2026-10-16 09:00"):
            call(db, "rollback_run", run_id=done["run_id"], reason="a mistake")
        assert self.flags(db, filer) == ["advisory_due"]

        start(db, "flag_autoclear_advisory_due", "2026-10-16 10:05")

        assert self.flags(db, filer) == []

    def test_a_late_filing_does_not_take_the_next_one_s_place(self, db: psycopg.Connection, filer: int) -> None:
        start(db, "flag_sales_tax_due", "2026-09-10 00:05")
        start(db, "flag_sales_tax_due", "2026-10-10 00:05")
        with clock.at(db, "2026-10-12 09:00"):
            call(db, "clear_flag", client_id=filer, flag="sales_tax_due", reason="September is filed")

        start(db, "flag_sales_tax_due", "2026-10-13 00:05")

        assert self.flags(db, filer) == ["sales_tax_due"]

    def test_a_filing_that_a_person_announced_and_made_is_not_announced_again(
        self, db: psycopg.Connection, filer: int
    ) -> None:
        with clock.at(db, "2026-10-10 00:01"):
            call(db, "set_flag", client_id=filer, flag="sales_tax_due", reason="early")
            call(db, "clear_flag", client_id=filer, flag="sales_tax_due", reason="filed")

        start(db, "flag_sales_tax_due", "2026-10-11 00:05")

        assert self.flags(db, filer) == []
