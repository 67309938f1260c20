"""What admins set through functions, and the jobs that they look at and run."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.support import clock
from tests.support.calls import ADMIN, all_breaks, call, client_row, make_client, move, refused

ANA = "user:ana"


def settings(db: psycopg.Connection, **arguments: Any) -> Any:
    return call(db, "settings", actor=ANA, **arguments)


def newest_record(db: psycopg.Connection) -> dict[str, Any]:
    (record,) = call(db, "administration", about="stage_settings", page_size=1)["records"]
    return dict(record)


class TestSettings:
    @pytest.mark.parametrize(
        ("setting", "value", "stored"),
        [
            ("time_zone", "America/New_York", "America/New_York"),
            ("undo_minutes", "0", 0),
            ("eom_open_at", "07:30", "07:30:00"),
            ("separate_reviewer", "true", True),
            ("lock_wait", "5 seconds", "00:00:05"),
        ],
    )
    def test_a_setting_is_changed_and_recorded(
        self, db: psycopg.Connection, setting: str, value: str, stored: object
    ) -> None:
        call(db, "set_setting", setting=setting, value=value)
        assert settings(db)["settings"][setting] == stored
        record = newest_record(db)
        assert (record["actor_id"], record["changed"]) == (ADMIN, [setting])
        assert all_breaks(db) == []

    @pytest.mark.parametrize(
        ("setting", "value", "expected"),
        [
            ("sales_tax_due_day", "31", "at least 1 and at most 28"),
            ("advisory_clear_day", "-3", "at least 1 and at most 28"),
            ("sales_tax_due_day", "soon", None),
            ("sales_tax_due_day", None, None),
            ("time_zone", "Mars/Base", "a name of pg_timezone_names, such as America/Chicago"),
            ("keep_runs", "1 day", "at least 60 days"),
            ("only_row", "true", "one of "),
            ("nonsense; drop table", "1", "one of "),
        ],
    )
    def test_what_is_no_setting_is_refused_with_what_is(
        self, db: psycopg.Connection, setting: str, value: str | None, expected: str | None
    ) -> None:
        with refused(db, "setting_not_valid", 422) as refusal:
            call(db, "set_setting", setting=setting, value=value)
        assert (expected or "") in refusal.details.get("expected", "")

    def test_the_limit_of_a_stage(self, db: psycopg.Connection) -> None:
        call(db, "set_stage_limit", stage="eom_close", max_days=5)
        limits = {each["stage"]: each["max_days"] for each in settings(db)["stages"]}
        assert limits["eom_close"] == 5
        call(db, "set_stage_limit", stage="eom_close")
        assert "eom_close" in {each["stage"] for each in settings(db)["stages"] if each["max_days"] is None}
        with refused(db, "setting_not_valid", 422, expected="more than 0"):
            call(db, "set_stage_limit", stage="eom_close", max_days=0)
        with refused(db, "unknown_stage", 422):
            call(db, "set_stage_limit", stage="holiday", max_days=1)

    def test_a_move_is_allowed_changed_and_removed(self, db: psycopg.Connection) -> None:
        client = make_client(db, "cleanup")
        way = {"from_stage": "cleanup", "to_stage": "eom_close"}
        with refused(db, "transition_not_allowed", 422):
            move(db, client, "eom_close")
        call(db, "set_transition", permission="can_set_stage", note="clean enough", **way)
        found = [each for each in settings(db)["transitions"] if each.items() >= way.items()]
        assert found == [
            way
            | {
                "permission": "can_set_stage",
                "needs": "move and change clients",
                "note": "clean enough",
            }
        ]
        call(db, "set_transition", permission="can_offboard", **way)
        (record,) = call(db, "administration", about="stage_transitions", page_size=1)["records"]
        assert (record["actor_id"], record["changed"]) == (ADMIN, ["permission"])
        move(db, client, "eom_close")
        call(db, "set_transition", **way)
        assert not [each for each in settings(db)["transitions"] if each.items() >= way.items()]
        assert all_breaks(db) == []

    @pytest.mark.parametrize(
        ("from_stage", "to_stage", "permission", "why"),
        [
            ("eom_close", "eom_review", None, "the only way forward"),
            ("weekly", "eom_close", None, "the only way into a close"),
            ("eom_review", "weekly", None, "ends only with its sign-off"),
            ("eom_close", "weekly", "can_set_stage", "ends only with its sign-off"),
            ("weekly", "eom_review", "can_set_stage", "can't begin with its review"),
            ("eom_review", "weekly", "can_set_stage", "to sign off reviews"),
            ("weekly", "offboarding", "can_set_stage", "to offboard clients"),
            ("offboarding", "weekly", "can_set_stage", "an admin can override"),
            ("paused_client", "weekly", None, "goes back to where it was"),
            ("weekly", "weekly", "can_set_stage", "can't lead to itself"),
        ],
    )
    def test_a_move_that_a_rule_of_the_stages_needs_is_kept(
        self,
        db: psycopg.Connection,
        from_stage: str,
        to_stage: str,
        permission: str | None,
        why: str,
    ) -> None:
        before = settings(db)["transitions"]
        with refused(db, "transition_kept", 422) as refusal:
            call(
                db,
                "set_transition",
                from_stage=from_stage,
                to_stage=to_stage,
                permission=permission,
            )
        assert why in refusal.details["text"]
        assert settings(db)["transitions"] == before

    def test_a_move_needs_a_known_stage_and_permission(self, db: psycopg.Connection) -> None:
        with refused(db, "unknown_stage", 422):
            call(db, "set_transition", from_stage="cleanup", to_stage="gone")
        with refused(db, "unknown_permission", 422):
            call(
                db,
                "set_transition",
                from_stage="cleanup",
                to_stage="weekly",
                permission="can_admin",
            )

    def test_a_holiday_moves_the_month_s_end(self, db: psycopg.Connection) -> None:
        def end() -> str:
            return str(settings(db, year=2026)["closes"][6]["last_business_day"])

        assert end() == "2026-07-31"
        call(db, "set_holiday", day="2026-07-31", name="Moving day")
        assert {"day": "2026-07-31", "name": "Moving day"} in settings(db, year=2026)["holidays"]
        assert end() == "2026-07-30"
        call(db, "set_holiday", day="2026-07-31")
        assert end() == "2026-07-31"

    @pytest.mark.parametrize("day", ["", "tomorrow", "2026-02-30", "1999-12-31", "9999-01-01", None])
    def test_what_is_no_day_is_refused(self, db: psycopg.Connection, day: str | None) -> None:
        with refused(db, "setting_not_valid", 422):
            call(db, "set_holiday", day=day, name="n")

    def test_changing_takes_an_admin(self, db: psycopg.Connection) -> None:
        for function, arguments in {
            "set_setting": {"setting": "undo_minutes", "value": "1"},
            "set_stage_limit": {"stage": "weekly", "max_days": 1},
            "set_holiday": {"day": "2026-11-27", "name": "n"},
            "set_transition": {"from_stage": "cleanup", "to_stage": "eom_close"},
            "run_job": {"job": "flag_seasonal"},
        }.items():
            with refused(db, "permission_missing", 403):
                call(db, function, actor=ANA, **arguments)


class TestJobs:
    def test_each_job_is_listed_with_its_state_and_the_runs(self, db: psycopg.Connection) -> None:
        call(db, "run_job", job="stage_stuck_detector")
        answer = call(db, "jobs", actor=ANA)
        (stuck,) = [each for each in answer["jobs"] if each["job"] == "stage_stuck_detector"]
        assert (stuck["state"], stuck["schedule"]) == ("done", "hourly")
        assert answer["runs"][0]["job"] == "stage_stuck_detector"
        assert answer["runs"][0]["outcome"] == "done"

    def test_a_dry_run_names_who_would_change_and_a_run_changes_them(self, db: psycopg.Connection) -> None:
        client = make_client(db, "eom_close")
        with clock.at(db, db.execute("select now() + interval '20 days'").fetchone()[0]):  # type: ignore[index]
            tried = call(db, "run_job", job="stage_stuck_detector", dry_run=True)
            assert [each["client_id"] for each in tried["rows"]] == [client]
            assert client_row(db, client)["flags"] == []
            done = call(db, "run_job", job="stage_stuck_detector")
        assert (done["outcome"], done["counts"]["flagged"]) == ("done", 1)
        assert client_row(db, client)["flags"] == ["stuck"]

    def test_an_unknown_job_is_refused_with_the_known_ones(self, db: psycopg.Connection) -> None:
        with refused(db, "unknown_job", 422) as refusal:
            call(db, "run_job", job="make_coffee")
        assert "flag_seasonal" in refusal.details["known"]
