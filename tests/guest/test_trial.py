"""The trial: every way into clients is tried and rolled back, so a fault is known before a caller meets it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from atlas_stage.ops import doctor, scheduled
from atlas_stage.ops.deploy import migrate
from tests.support.calls import all_breaks, call, client_row, history_rows, make_client, move
from tests.support.cases import rare_except
from tests.support.old_atlas import make_old_atlas

AUDIT = """
create table client_audit (id bigserial primary key, client_id bigint, at timestamptz default now());
create function audit_client() returns trigger language plpgsql {options} as $$
begin
  insert into {table} (client_id) values (new.id);
  return null;
end
$$;
create trigger audit after insert or update on clients for each row execute function audit_client();
"""
# Ordinary things that a host has on its own table, and the line that the trial prints; empty: everything works.
OBJECTS = {
    "an audit trigger with the rights of who changes": (
        AUDIT.format(options="", table="client_audit"),
        "alter function public.audit_client() security definer set search_path = pg_catalog, public, pg_temp;",
    ),
    "an audit trigger with its author's rights": (
        AUDIT.format(options="security definer", table="client_audit"),
        "",
    ),
    "an audit trigger that qualifies its table": (
        AUDIT.format(options="", table="public.client_audit")
        + "grant insert on client_audit to atlas_writer; grant usage on sequence client_audit_id_seq to atlas_writer;",
        "",
    ),
    "an audit trigger into another schema": (
        "create schema audit; create table audit.changes (client_id bigint);"
        " create function log_change() returns trigger language plpgsql set search_path = pg_catalog as $$"
        " begin insert into changes values (new.id); return new; end $$;"
        " create trigger log_change before update on clients for each row execute function log_change()",
        "alter function public.log_change() security definer set search_path = pg_catalog, public, audit, pg_temp;",
    ),
    "an audit trigger per statement": (
        "create table client_log (n bigint); create function log_all() returns trigger language plpgsql as $$"
        " begin insert into client_log select count(*) from new_rows; return null; end $$;"
        " create trigger log_all after update on clients referencing new table as new_rows"
        " for each statement execute function log_all()",
        "alter function public.log_all() security definer set search_path = pg_catalog, public, pg_temp;",
    ),
    "a deferred constraint trigger": (
        "create table client_log (id bigint); create function log_late() returns trigger language plpgsql as $$"
        " begin insert into client_log values (new.id); return null; end $$;"
        " create constraint trigger log_late after update on clients deferrable initially deferred"
        " for each row execute function log_late()",
        "alter function public.log_late() security definer set search_path = pg_catalog, public, pg_temp;",
    ),
    "a trigger that normalizes with an unqualified function": (
        "create function tidy(text) returns text language sql as 'select btrim($1)';"
        " create function tidy_notes() returns trigger language plpgsql as $$"
        " begin new.notes := tidy(new.notes); return new; end $$;"
        " create trigger tidy before insert or update on clients for each row execute function tidy_notes()",
        "",
    ),
    "a trigger that raises": (
        "create function no() returns trigger language plpgsql as $$ begin raise 'not on a Friday'; end $$;"
        " create trigger no before update on clients for each row execute function no()",
        "alter table public.clients disable trigger no;",
    ),
    "a trigger that keeps the update back": (
        "create function no() returns trigger language plpgsql as $$ begin return null; end $$;"
        " create trigger no before update on clients for each row execute function no()",
        "alter table public.clients disable trigger no;",
    ),
    "a computed column with an unqualified function": (
        "create function initial(text) returns text language plpgsql immutable as $$"
        " begin return left($1, 1); end $$;"
        " create function initials(text) returns text language plpgsql immutable as $$"
        " begin return upper(initial($1)); end $$;"
        " alter table clients add column initials text generated always as (initials(name)) stored",
        "",
    ),
    "a column with a default from a function that reads a table": (
        "create table regions (code text); insert into regions values ('us');"
        " create function region() returns text language sql volatile as 'select min(code) from regions';"
        " alter table clients add column region text default region()",
        "alter function public.region() security definer set search_path = pg_catalog, public, pg_temp;",
    ),
    "a serial column": (
        "alter table clients add column number bigserial",
        "grant usage on sequence public.clients_number_seq to atlas_writer;",
    ),
    "a column that must be filled in": (
        "alter table clients add column region text not null default 'us';"
        " alter table clients alter column region drop default",
        "alter table public.clients alter column region drop not null;",
    ),
    "a unique column with a default": (
        "alter table clients add column code text; update clients set code = id;"
        " alter table clients alter code set default '1', alter code set not null,"
        " add constraint code_key unique (code)",
        "alter table public.clients alter column code drop default, alter column code drop not null;",
    ),
    "a column of a domain that must be filled in": (
        "create domain region as text not null default 'us';"
        " alter table clients add column region region; alter domain region drop default;"
        " alter table clients alter column region drop default",
        "alter domain public.region drop not null;",
    ),
    "a column of an enum": (
        "create type mood as enum ('ok', 'sad'); alter table clients add column mood mood default 'ok'",
        "",
    ),
    "a check with a function that reads a table": (
        "create table owners (id text); insert into owners values ('user:jimmie');"
        " create function is_owner(text) returns boolean language plpgsql stable as $$"
        " begin return $1 is null or exists (select from owners where id = $1); end $$;"
        " alter table clients add constraint owner_check check (is_owner(stage_owner))",
        "alter function public.is_owner(text) security definer set search_path = pg_catalog, public, pg_temp;",
    ),
    "a check that a new client fails": (
        "alter table clients add column region text, add constraint region_check check (region is not null) not valid",
        "alter table public.clients drop constraint region_check;",
    ),
    "a check of slugs": (
        "alter table clients add constraint slug_check check (slug ~ '^c-[0-9]+$') not valid",
        "",
    ),
    "foreign keys both ways": (
        "create table regions (id int primary key); insert into regions values (1);"
        " alter table clients add column region_id int default 1 references regions;"
        " create table invoices (client_id bigint references clients (id) on delete cascade);"
        " alter table clients add column invoice bigint unique;"
        " alter table invoices add constraint back foreign key (client_id) references clients (invoice)"
        " deferrable initially deferred",
        "",
    ),
    "a foreign key that a new client fails": (
        "create table regions (id int primary key);"
        " alter table clients add column region_id int default 1,"
        " add constraint region_fkey foreign key (region_id) references regions not valid",
        "alter table public.clients drop constraint region_fkey;",
    ),
    "a rule that copies": (
        "create table client_log (id bigint);"
        " create rule log as on update to clients do also insert into client_log values (new.id)",
        "drop rule log on public.clients;",
    ),
    "a rule that keeps rows": (
        "create rule keep as on delete to clients do instead nothing",
        "drop rule keep on public.clients;",
    ),
    "policies": (
        "alter table clients enable row level security; alter table clients force row level security;"
        " create policy theirs on clients to public using (slug <> 'secret')",
        "",
    ),
    "a restrictive policy": (
        "alter table clients enable row level security;"
        " create policy theirs on clients as restrictive to public using (current_user = 'app')",
        "alter policy theirs on public.clients using (current_user in ('atlas_owner', 'atlas_writer') or",
    ),
    "partitions of a neighbor, filled by a trigger": (
        "create table visits (client_id bigint, at date) partition by range (at);"
        " create table visits_now partition of visits default;"
        " create function visit() returns trigger language plpgsql security definer as $$"
        " begin insert into public.visits values (new.id, current_date); return null; end $$;"
        " create trigger visit after insert or update on clients for each row execute function visit()",
        "",
    ),
    "a view with an INSTEAD OF trigger": (
        "create view client_names as select id, name from clients;"
        " create function rename_client() returns trigger language plpgsql as $$"
        " begin update clients set name = new.name where id = new.id; return new; end $$;"
        " create trigger rename instead of update on client_names for each row execute function rename_client()",
        "",
    ),
    "an id that the database alone gives": (
        "alter table clients alter column id drop default; alter table clients alter column id"
        " add generated always as identity (start with 1000)",
        "",
    ),
}


def run(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute("set search_path = public")
        db.execute(statements.encode())


def said_by_doctor(dsn: str) -> list[str]:
    with psycopg.connect(dsn, autocommit=True) as db:
        return [
            f"{word} → {each.advice}" for each in doctor.examine(db) for word in each.found if each.severity != "notice"
        ]


def use_every_way(dsn: str) -> None:
    """What callers do: over the API, by a job, and by plain SQL."""
    with psycopg.connect(dsn) as db:
        client = call(db, "create_client", name="New", slug="brand-new", stage="weekly")["client"]["id"]
        call(db, "delete_client", client_id=client, reason="r")
        client = call(db, "create_client", name="New", slug="brand-new", stage="weekly")["client"]["id"]
        moved = move(db, client, "eom_close")
        call(db, "rollback", client_id=client, history_id=moved["history"]["id"], reason="r")
        call(db, "set_flag", client_id=client, flag="advisory_due")
        call(db, "update_client", client_id=client, notes="n")
        db.execute("update clients set stage_notes = 'plain' where id = %s", (client,))
        (ran,) = db.execute("select jobs.run('stage_stuck_detector')").fetchone() or ({},)
        assert ran["outcome"] == "done", ran
        db.execute("set constraints all immediate")
        assert client_row(db, client)["version"] == history_rows(db, client)[-1]["version"] >= 5
        assert all_breaks(db) == []


# One of each kind: what works and what is printed, for a trigger, a column, a constraint, a rule and a policy.
FAST = (
    "an audit trigger with the rights of who changes",
    "a column of an enum",
    "a check with a function that reads a table",
    "a rule that keeps rows",
    "a restrictive policy",
)


@pytest.mark.parametrize("name", rare_except(FAST, OBJECTS))
def test_an_ordinary_object_of_the_host_s_works_or_the_line_that_mends_it_is_printed(empty_dsn: str, name: str) -> None:
    statements, line = OBJECTS[name]
    make_old_atlas(empty_dsn)
    if "stage_owner" in statements or "atlas_writer" in statements:
        migrate(empty_dsn)
    run(empty_dsn, statements)

    failed = migrate(empty_dsn).failed

    if not line:
        assert failed == []
    else:
        assert failed, "the trial found nothing"
        assert line in failed[1], failed
        assert any(line in each for each in said_by_doctor(empty_dsn))
        for _ in range(3):  # a grant can uncover the next missing right
            if not failed:
                break
            run(empty_dsn, failed[1].removeprefix("to fix it: "))
            failed = migrate(empty_dsn).failed
        assert failed == []
    assert said_by_doctor(empty_dsn) == []
    if name != "a check of slugs":
        use_every_way(empty_dsn)


def trial(db: psycopg.Connection) -> tuple[str, str, str] | None:
    row = db.execute("select t.severity, t.what, t.todo from ops.trial() t").fetchone()
    return row if row and row[0] else None


def test_a_trial_uses_up_no_ids_and_leaves_nothing(fresh_dsn: str) -> None:
    used = (
        "select array_agg(row(s.schemaname, s.sequencename, s.last_value) order by s)::text from pg_sequences s",
        "select count(*) from clients",
        "select count(*) from stage_history",
        "select count(*) from administration_history",
    )
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        make_client(db)
        before = [db.execute(each).fetchone() for each in used]

        assert trial(db) is None

        assert [db.execute(each).fetchone() for each in used] == before
        assert db.execute("select failure is null from stage_trials").fetchone() == (True,)


def test_a_trial_wakes_no_reader(fresh_dsn: str) -> None:
    with (
        psycopg.connect(fresh_dsn, autocommit=True) as reader,
        psycopg.connect(fresh_dsn, autocommit=True) as db,
    ):
        reader.execute("listen atlas_changes")
        assert trial(db) is None
        assert list(reader.notifies(timeout=0.2, stop_after=1)) == []
        make_client(db)
        assert len(list(reader.notifies(timeout=5, stop_after=1))) == 1


def test_a_trial_that_is_turned_off_tries_nothing(fresh_dsn: str) -> None:
    run(fresh_dsn, OBJECTS["a trigger that raises"][0])
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        assert trial(db) is not None
        db.execute("update stage_settings set trial = false")

        assert trial(db) is None
        assert call(db, "health")["findings"] == []


def test_a_failed_trial_is_in_health_until_one_succeeds(fresh_dsn: str) -> None:
    run(fresh_dsn, OBJECTS["a trigger that raises"][0])
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        assert trial(db) is not None
        assert [each["finding"] for each in call(db, "health")["findings"]] == ["trial_failed"]

        db.execute("alter table clients disable trigger no")

        assert trial(db) is None
        assert call(db, "health")["findings"] == []


def test_a_trial_waits_for_no_lock(fresh_dsn: str) -> None:
    with (
        psycopg.connect(fresh_dsn) as host,
        psycopg.connect(fresh_dsn, autocommit=True) as db,
    ):
        before = db.execute("select tried_at from stage_trials").fetchone()
        host.execute("lock table clients in exclusive mode")
        (severity, what, _) = trial(db) or ("", "", "")
        assert (severity, "was interrupted" in what) == ("notice", True)
        assert db.execute("select tried_at from stage_trials").fetchone() == before


def test_the_host_s_login_is_tried_with_its_rights_and_its_path(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute(
            "create role atlas_test_app login; create schema app authorization atlas_test_app;"
            " alter role atlas_test_app set search_path = app, public;"
            " grant select, insert, update on clients to atlas_test_app;"
            " insert into actor_logins values ('atlas_test_app', 'user:app');"
            " create table app.log (id bigint); revoke all on app.log from public;"
            " create function app.note() returns trigger language plpgsql as $$"
            " begin if session_user = 'atlas_test_app' then insert into log values (new.id); end if;"
            " return new; end $$;"
            " create trigger note after update on clients for each row execute function app.note()"
        )
        try:
            (_, what, line) = trial(db) or ("", "", "")
            assert "plain SQL as atlas_test_app can't change a name: trigger note stops it" in what
            db.execute(line.encode())
            assert trial(db) is None
        finally:
            db.execute("drop trigger note on clients; drop schema app cascade")
            db.execute("drop owned by atlas_test_app; drop role atlas_test_app")


def test_the_scheduled_jobs_try_once_a_day(fresh_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_DATABASE_URL", fresh_dsn)
    run(fresh_dsn, OBJECTS["a trigger that raises"][0])
    log = tmp_path / "cron-flag_seasonal.log"

    scheduled.main("flag_seasonal", tmp_path)
    assert "the trial failed" not in log.read_text()  # the deploy was today

    run(fresh_dsn, "update stage_trials set tried_at = now() - interval '1 day'")
    scheduled.main("flag_seasonal", tmp_path)
    scheduled.main("flag_seasonal", tmp_path)
    assert log.read_text().count("the trial failed") == 1


def test_the_scheduler_s_login_can_try(fresh_dsn: str) -> None:
    run(fresh_dsn, OBJECTS["a trigger that raises"][0])
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute("set session authorization atlas_cron")
        (severity, what, _) = trial(db) or ("", "", "")
    assert severity == "error"
    assert "trigger no stops it: not on a Friday" in what
