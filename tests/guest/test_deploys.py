"""A new version of ours under what the host has made of ours, and under live connections."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import psycopg
import pytest

from atlas_stage.ops import deploy
from atlas_stage.ops.deploy import DeployError, migrate
from tests.support.calls import call, make_client
from tests.support.databases import Databases
from tests.support.old_atlas import make_old_atlas
from tests.support.stack import stack

HOST_S = """
create view public.host_due as select * from jobs.due();
create view public.host_type as select rules.actor_type('user:x') as kind;
create table public.host_notes (author text check (rules.actor_type(author) is not null));
create index host_notes_idx on public.host_notes (rules.actor_type(author));
alter table public.host_notes enable row level security;
create policy host_policy on public.host_notes using (rules.actor_type(author) = 'human');
"""
BI = "atlas_test_bi"


def value(db: psycopg.Connection, query: str) -> object:
    row = db.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_what_the_host_built_on_ours_is_there_after_a_deploy(fresh_dsn: str, root: Path) -> None:
    file = root / "sql" / "rules" / "open" / "actor_type.sql"
    file.write_text(file.read_text() + "\n-- the next version\n")
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute(HOST_S)
        db.execute(f"create role {BI}")
        try:
            db.execute(f"grant usage on schema api, jobs to {BI}")
            db.execute(f"grant execute on function api.clients, jobs.due to {BI}")

            assert migrate(fresh_dsn, root=root).logic_changed

            assert value(db, "select kind from host_type") == "human"
            db.execute("select * from host_due")
            for said in (
                "exists (select from pg_policy where polname = 'host_policy')",
                "to_regclass('host_notes_idx') is not null",
                "exists (select from pg_constraint where conname = 'host_notes_author_check')",
                f"has_function_privilege('{BI}', 'jobs.due(timestamptz)', 'execute')",
                f"has_schema_privilege('{BI}', 'api', 'usage')",
            ):
                assert value(db, f"select {said}") is True, said
        finally:
            db.execute(f"drop owned by {BI}; drop role {BI}")


def test_a_function_that_goes_under_a_view_of_the_host_s_is_refused_by_name(fresh_dsn: str, root: Path) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute("create view public.host_due as select * from jobs.due()")
        (root / "sql" / "jobs" / "ledger" / "due.sql").unlink()
        grants = root / "sql" / "grants.sql"
        grants.write_text(grants.read_text().replace("  jobs.due(timestamptz),\n", ""))

        with pytest.raises(DeployError, match="host_due"):
            migrate(fresh_dsn, root=root)

        db.execute("select * from host_due")


def test_a_changed_signature_keeps_the_rights_that_the_host_gave(fresh_dsn: str, root: Path) -> None:
    file = root / "sql" / "api" / "whoami.sql"
    text = file.read_text().replace("api.whoami()", "api.whoami(verbose boolean default false)", 1)
    file.write_text(text.replace("api.whoami() is", "api.whoami(boolean) is"))
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute(f"create role {BI}; grant execute on function api.whoami() to {BI}")
        try:
            migrate(fresh_dsn, root=root)

            assert value(db, "select count(*) from pg_proc where proname = 'whoami'") == 1
            assert value(db, f"select has_function_privilege('{BI}', 'api.whoami(boolean)', 'execute')")
        finally:
            db.execute(f"drop owned by {BI}; drop role {BI}")


def test_a_function_that_goes_while_a_role_of_the_host_s_may_execute_it_is_refused_by_name(
    fresh_dsn: str, root: Path
) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        db.execute(f"create role {BI}; grant execute on function rules.attention to {BI}")
        try:
            (root / "sql" / "rules" / "answer" / "attention.sql").unlink()

            with pytest.raises(DeployError, match=rf"rules.attention is not part .* {BI} can execute it"):
                migrate(fresh_dsn, root=root)
        finally:
            db.execute(f"drop owned by {BI}; drop role {BI}")


def test_psycopg_s_prepared_statements_live_through_a_deploy(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True, prepare_threshold=0) as db:
        client = make_client(db)

        def all_of_it() -> None:
            with db.transaction():
                db.execute("select rules.act_as('user:jimmie')")
                db.execute("select api.client(client_id => %s)", (client,))
                db.execute("select api.clients(page_size => 3)")
                db.execute(
                    "select api.set_flag(client_id => %s, flag => 'advisory_due', reason => 'r')",
                    (client,),
                )
                db.execute("update clients set stage_notes = 'n' where id = %s", (client,))
                db.execute("select * from jobs.due()")

        for _ in range(7):
            all_of_it()
        migrate(fresh_dsn, force=True)
        for _ in range(3):
            all_of_it()


def test_http_callers_see_nothing_of_a_deploy(fresh_dsn: str) -> None:
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        client = make_client(db)
    done = threading.Event()
    answers: list[int] = []
    with stack(fresh_dsn) as running:
        headers = {"Authorization": f"Bearer {running.token()}"}

        def ask(path: str) -> None:
            with httpx.Client(base_url=running.url, headers=headers, timeout=30) as caller:
                while not done.is_set():
                    answers.append(caller.get(path).status_code)
                    time.sleep(0.02)  # the deploy needs the processor too

        paths = (f"/api/clients/{client}", "/api/clients?page_size=3", "/rpc/tokens")
        threads = [threading.Thread(target=ask, args=(path,)) for path in paths]
        for thread in threads:
            thread.start()
        for _ in range(3):
            migrate(fresh_dsn, force=True)
        done.set()
        for thread in threads:
            thread.join()

    assert len(answers) > 20
    assert set(answers) <= {200, 503}
    assert answers.count(200) > len(answers) / 2


def test_a_writer_that_was_judged_but_holds_no_client_keeps_no_deploy_waiting(fresh_dsn: str, root: Path) -> None:
    file = root / "sql" / "rules" / "open" / "actor_type.sql"
    file.write_text(file.read_text() + "\n-- the next version\n")
    with psycopg.connect(fresh_dsn, autocommit=True) as db:
        client = make_client(db)
        with db.transaction():
            call(db, "check_stage", client_id=client, to_stage="cleanup")
            # would wait for each other: the writer for the client, the deploy for what the writer has read
            assert migrate(fresh_dsn, root=root, lock_timeout=2).logic_changed


def test_an_event_trigger_of_the_host_s_that_stops_a_deploy_is_named_with_its_line(
    empty_dsn: str,
) -> None:
    make_old_atlas(empty_dsn)
    with psycopg.connect(empty_dsn, autocommit=True) as db:
        db.execute(
            "create table ddl_log (tag text); create function log_ddl() returns event_trigger language plpgsql as"
            " $$ begin insert into ddl_log values (tg_tag); end $$;"
            " create event trigger log_ddl on ddl_command_end execute function log_ddl()"
        )
        with pytest.raises(DeployError, match="event trigger log_ddl of the host stops") as caught:
            migrate(empty_dsn)
        # the host works on
        db.execute("insert into clients (name, slug) values ('Late', 'late')")
        db.execute("delete from clients where slug = 'late'")

        db.execute(str(caught.value).partition("to fix it: ")[2].encode())

        assert migrate(empty_dsn).failed == []


@pytest.mark.parametrize("encoding", ["WIN1252", "SQL_ASCII", "LATIN1"])
def test_a_database_in_another_encoding_is_refused_before_anything_is_made(
    server_dsn: str, databases: Databases, encoding: str
) -> None:
    name = f"atlas_test_{encoding.lower()}"
    dsn = databases.dsn_of(name)
    with psycopg.connect(server_dsn, autocommit=True) as db:
        db.execute(f"create database {name} template template0 encoding '{encoding}' locale 'C'".encode())
        try:
            with pytest.raises(DeployError, match=f"is {encoding}, and only UTF8 works"):
                migrate(dsn)
            with psycopg.connect(dsn) as made:
                assert value(made, "select count(*) from pg_tables where schemaname = 'public'") == 0
        finally:
            db.execute(f"drop database {name} with (force)".encode())


@pytest.mark.parametrize("tag", ["CREATE TABLE", "CREATE FUNCTION", "CREATE VIEW", "CREATE TRIGGER"])
def test_an_event_trigger_that_would_stop_a_first_deploy_is_named_before_anything_is_made(
    empty_dsn: str, tag: str
) -> None:
    make_old_atlas(empty_dsn)
    with psycopg.connect(empty_dsn, autocommit=True) as db:
        db.execute(
            "create table ddl_log (tag text); create function log_ddl() returns event_trigger language plpgsql as"
            f" $$ begin if tg_tag = '{tag}' then insert into log_of_ddl values (tg_tag); end if; end $$;"
            " create event trigger log_ddl on ddl_command_end execute function log_ddl()"
        )
        before = value(db, "select count(*) from pg_class")
        assert "event trigger log_ddl" in deploy.plan(empty_dsn).words[0]

        with pytest.raises(DeployError, match="event trigger log_ddl of the host stops"):
            migrate(empty_dsn)

        assert value(db, "select count(*) from pg_class") == before
        assert value(db, "select to_regnamespace('atlas_stage_tried') is null")
