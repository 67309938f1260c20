"""The jobs tell the truth: what failed is failed until it is done, what is counted was changed, and no caller can say
otherwise.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.jobs import calendar
from tests.jobs.test_running import MONTH_END, ROLL, Connect, ledger, perform, run
from tests.support import clock
from tests.support.calls import call, client_row, make_client, move, refused

HOURLY = "stage_stuck_detector"

HOST_SAYS_NO = """
create function public.host_says_no() returns trigger language plpgsql as $$
begin
  if new.id = any (current_setting('host.dislikes')::bigint[]) and new.stage = 'eom_close' then
    raise exception 'the host dislikes %', new.slug;
  end if;
  return new;
end
$$;
"""
BEFORE = "create trigger host before update on clients for each row execute function host_says_no()"
AT_COMMIT = (
    "create constraint trigger host after update on clients deferrable initially deferred"
    " for each row execute function host_says_no()"
)
RETURNS_NOTHING = """
create function public.host_drops() returns trigger language plpgsql as $$
begin
  return case when new.id = any (current_setting('host.dislikes')::bigint[]) then null else new end;
end
$$;
create trigger host before update on clients for each row execute function host_drops()
"""


def dislike(db: psycopg.Connection, *clients: int) -> None:
    """From now on, in every session, the host's trigger is against these clients."""
    database = db.info.dbname
    listed = ",".join(map(str, clients))
    db.execute(f"alter database {database} set host.dislikes = '{{{listed}}}'")
    db.execute("select set_config('host.dislikes', %s, false)", (f"{{{listed}}}",))


class TestFailedIsFailed:
    @pytest.mark.parametrize("trigger", [BEFORE, AT_COMMIT, RETURNS_NOTHING], ids=["before", "at commit", "null"])
    def test_a_client_whose_change_fails_leaves_the_run_failed_and_the_others_done(
        self, connect: Connect, trigger: str
    ) -> None:
        db = connect()
        good, bad, other = (make_client(db) for _ in range(3))
        db.execute(HOST_SAYS_NO)
        db.execute(trigger)
        dislike(db, bad)

        failed = perform(db, ROLL, MONTH_END)
        assert failed["outcome"] == "failed"
        assert failed["error"].startswith("1 client could not be changed")
        assert (failed["counts"]["moved"], failed["counts"]["failed"]) == (2, 1)
        assert [each["client_id"] for each in failed["counts"]["errors"]] == [bad]
        stages = [client_row(db, client)["stage"] for client in (good, bad, other)]
        assert stages == ["eom_close", "weekly", "eom_close"]

    def test_a_failed_run_is_tried_again_at_the_next_start_and_then_it_is_done(self, connect: Connect) -> None:
        db = connect()
        clients = [make_client(db) for _ in range(3)]
        db.execute(HOST_SAYS_NO)
        db.execute(BEFORE)
        dislike(db, *clients)
        nobody = perform(db, ROLL, MONTH_END)
        assert (nobody["outcome"], nobody["counts"]["failed"]) == ("failed", 3)
        assert "moved" not in nobody["counts"]

        db.execute("drop trigger host on clients")
        done = perform(db, ROLL, MONTH_END + timedelta(hours=1))
        assert (done["outcome"], done["attempts"]) == ("done", 2)
        assert (done["counts"]["moved"], done["error"]) == (3, None)
        assert "failed" not in done["counts"]

    def test_the_error_says_what_the_hosts_trigger_said(self, connect: Connect) -> None:
        db = connect()
        client = make_client(db, slug="grey-heron")
        db.execute(HOST_SAYS_NO)
        db.execute(BEFORE)
        dislike(db, client)
        (error,) = perform(db, ROLL, MONTH_END)["counts"]["errors"]
        assert "the host dislikes grey-heron" in error["error"]

    def test_health_and_doctor_name_the_run_that_failed_until_it_is_done(self, db: psycopg.Connection) -> None:
        later = (
            "insert into job_runs (job, due_at, as_of, finished_at, outcome, error, counts)"
            " values ('flag_seasonal', now() - interval '1 hour', now(), now(), 'failed', 'odd', '{\"failed\": 2}')"
        )
        assert [each for each in call(db, "health")["findings"] if each["finding"] == "job_failed"] == []
        db.execute(later)
        (found,) = [each for each in call(db, "health")["findings"] if each["finding"] == "job_failed"]
        assert (found["job"], found["error"], found["severity"]) == (
            "flag_seasonal",
            "odd",
            "error",
        )
        db.execute("update job_runs set outcome = 'done', error = null")
        assert [each for each in call(db, "health")["findings"] if each["finding"] == "job_failed"] == []


class TestStillClosing:
    @pytest.fixture
    def behind(self, db: psycopg.Connection) -> int:
        """A client that is still in the close of April when May's opens."""
        client = make_client(db, slug="still-in-april")
        run(db, ROLL, calendar.rolls_on(2026, 4))
        return client

    def test_who_is_still_closing_at_the_next_month_end_is_named(self, db: psycopg.Connection, behind: int) -> None:
        make_client(db)
        done = run(db, ROLL, MONTH_END)
        assert done["counts"]["still_closing"] == {
            "number": 1,
            "clients": [{"id": behind, "slug": "still-in-april"}],
        }
        assert (done["outcome"], done["counts"]["moved"]) == ("done", 1)

    @pytest.mark.parametrize("stage", ["eom_review", "paused_client"])
    def test_in_review_or_paused_on_the_way_is_still_closing(
        self, db: psycopg.Connection, behind: int, stage: str
    ) -> None:
        move(db, behind, stage)
        assert run(db, ROLL, MONTH_END)["counts"]["still_closing"]["number"] == 1

    def test_who_is_closed_or_was_opened_now_is_not(self, db: psycopg.Connection, behind: int) -> None:
        make_client(db)
        move(db, behind, "eom_review")
        move(db, behind, "weekly")
        done = run(db, ROLL, MONTH_END)
        assert "still_closing" not in done["counts"]
        again = run(db, ROLL, MONTH_END + timedelta(hours=1))
        assert "still_closing" not in again["counts"]

    def test_a_finding_names_them_until_they_are_through(self, db: psycopg.Connection, behind: int) -> None:
        def found() -> list[Any]:
            return [each["clients"] for each in call(db, "health")["findings"] if each["finding"] == "still_closing"]

        assert found() == []
        run(db, ROLL, MONTH_END)
        assert found() == [[{"id": behind, "slug": "still-in-april"}]]
        move(db, behind, "eom_review")
        assert len(found()) == 1
        move(db, behind, "weekly")
        assert found() == []


@pytest.fixture
def scheduler(connect: Connect) -> psycopg.Connection:
    """A session of the scheduler's login."""
    session = connect()
    session.execute("set session authorization atlas_cron")
    return session


class TestTheSchedulersLogin:
    @pytest.mark.parametrize("hours", [-24 * 30, -1, 1, 24 * 30])
    def test_runs_no_other_moment_than_now(self, scheduler: psycopg.Connection, hours: int) -> None:
        as_of = datetime.now(calendar.FIRM) + timedelta(hours=hours)
        for statement in (
            "call jobs.run_in_slices(%s, %s)",
            "select jobs.run(%s, %s)",
            "select jobs.start_run(%s, %s)",
        ):
            with refused(scheduler, "as_of_for_operators", 403):
                scheduler.execute(statement, (ROLL, as_of))

    def test_may_look_at_any_moment_without_doing_it(self, connect: Connect, scheduler: psycopg.Connection) -> None:
        client = make_client(connect())
        row = scheduler.execute("select jobs.run(%s, %s, true)", (ROLL, MONTH_END)).fetchone()
        assert row is not None
        assert row[0]["would_change"] == 1
        assert client_row(connect(), client)["stage"] == "weekly"

    def test_does_not_do_again_what_was_done(self, scheduler: psycopg.Connection) -> None:
        assert run(scheduler, HOURLY)["outcome"] == "done"
        assert run(scheduler, HOURLY)["outcome"] == "nothing_due"
        assert perform(scheduler, HOURLY, only_if_due=False)["outcome"] == "nothing_due"

    def test_cannot_call_a_run_done_that_is_not(self, connect: Connect, scheduler: psycopg.Connection) -> None:
        """Whatever it says of the clients: the run is done only when nothing is left to do."""
        owner = connect()
        owner.execute("update stage_settings set sales_tax_due_day = 1, sales_tax_lead_days = 0")
        make_client(owner, schedule="monthly"), make_client(owner, schedule="monthly")
        row = scheduler.execute("select jobs.start_run('flag_sales_tax_due')").fetchone()
        assert row is not None
        scheduler.execute("select jobs.end_run(%s, '{}')", (row[0]["run_id"],))
        (told,) = ledger(owner)
        assert told[2:4] == ("failed", {"unchanged": 0, "failed": 2})

    def test_has_no_say_in_the_run_of_another_session(self, connect: Connect, scheduler: psycopg.Connection) -> None:
        row = connect().execute("select jobs.start_run(%s, %s)", (ROLL, MONTH_END)).fetchone()
        assert row is not None
        run_id = row[0]["run_id"]
        for statement in (
            "select jobs.clients_to_change(%s)",
            "select jobs.end_run(%s, '{}')",
            "select jobs.change_slice(%s, '{1}')",
        ):
            with refused(scheduler, "run_not_held", 409):
                scheduler.execute(statement, (run_id,))
        assert ledger(connect())[0][2] == "running"

    def test_moments_out_of_all_calendars_are_refused(self, scheduler: psycopg.Connection) -> None:
        for moment in ("infinity", "-infinity", "4713-01-01 BC", "294000-01-01"):
            with refused(scheduler, "moment_not_valid", 422):
                scheduler.execute("select * from jobs.plan(%s, %s)", (ROLL, moment))


class TestLocks:
    def test_a_login_without_any_right_cannot_stop_a_job(self, connect: Connect) -> None:
        """Any login can take any advisory lock, so none of them matters."""
        stranger, worker = connect(), connect()
        stranger.execute("select pg_advisory_lock(hashtextextended('atlas-stage job ' || job, 0)) from jobs.catalog()")
        assert perform(worker, HOURLY)["outcome"] == "done"

    def test_a_run_in_a_transaction_that_is_rolled_back_strands_nothing(self, connect: Connect) -> None:
        """As a pool hands the session on: the next one there is, or elsewhere, finds the job free."""
        pooled, other = connect(), connect()
        pooled.execute("begin")
        with pytest.raises(psycopg.errors.InvalidTransactionTermination):
            pooled.execute("call jobs.run_in_slices(%s, %s)", (HOURLY, None))
        pooled.execute("rollback")
        assert perform(other, HOURLY)["outcome"] == "done"
        assert perform(pooled, HOURLY, only_if_due=False)["outcome"] == "done"

    def test_a_session_that_lives_on_without_its_work_is_taken_over(self, connect: Connect) -> None:
        """A pool keeps the server's process when a client goes away in the middle of its work."""
        pooled, other = connect(), connect()
        client = make_client(other)
        pooled.execute("select jobs.start_run(%s, %s)", (ROLL, MONTH_END))
        assert perform(other, ROLL, MONTH_END)["outcome"] == "busy"
        other.execute("update job_runs set seen_at = seen_at - interval '11 seconds'")
        done = perform(other, ROLL, MONTH_END)
        assert (done["outcome"], done["attempts"]) == ("done", 2)
        with refused(pooled, "run_not_held", 409):
            pooled.execute("select jobs.change_slice(%s, %s)", (done["run_id"], [client]))

    def test_the_work_itself_keeps_others_off_however_long_it_takes(self, connect: Connect) -> None:
        worker, other = connect(), connect()
        row = worker.execute("select jobs.start_run(%s, %s)", (ROLL, MONTH_END)).fetchone()
        assert row is not None
        other.execute("update job_runs set seen_at = seen_at - interval '1 hour'")
        worker.execute("begin")
        worker.execute("select jobs.change_slice(%s, '{}')", (row[0]["run_id"],))
        assert perform(other, ROLL, MONTH_END)["outcome"] == "busy"
        state = other.execute("select state from jobs.due(%s) where job = %s", (MONTH_END, ROLL))
        assert state.fetchone() == ("running",)
        worker.execute("rollback")
        assert perform(other, ROLL, MONTH_END)["outcome"] == "done"


class TestStarts:
    def test_a_job_that_nobody_started_for_two_hours_is_found(self, db: psycopg.Connection) -> None:
        def found() -> set[str]:
            return {each["job"] for each in call(db, "health")["findings"] if each["finding"] == "job_not_started"}

        with clock.at(db, "2026-05-12 12:00"):  # a day on which nothing is due
            assert found() == set()
            db.execute("update job_locks set installed_at = now() - interval '3 hours'")
            assert ROLL in found()
            row = db.execute("select jobs.start_run(%s)", (ROLL,)).fetchone()
            assert row is not None
            assert row[0]["outcome"] == "nothing_due"  # a start all the same
            assert ROLL not in found()
            assert HOURLY in found()
            db.execute("update job_locks set started_at = now() - interval '121 minutes'")
            assert ROLL in found()

    def test_a_firm_that_is_closed_at_the_end_of_the_year_rolls_before_it(self, db: psycopg.Connection) -> None:
        db.execute(
            "insert into business_holidays (day, name) select d, 'closed'"
            " from generate_series(date '2026-12-19', '2026-12-31', '1 day') d"
            " on conflict do nothing"
        )
        client = make_client(db)
        eighteenth = calendar.at(datetime(2026, 12, 18).date(), 6)
        assert run(db, ROLL, eighteenth)["outcome"] == "done"
        assert client_row(db, client)["stage"] == "eom_close"
