"""Drift since a deploy: doctor reports it before a caller meets it, and plain `migrate` repairs it."""

from __future__ import annotations

import psycopg
import pytest

from atlas_stage.ops import doctor
from atlas_stage.ops.deploy import DeployError, migrate
from tests.support.calls import make_client, move
from tests.support.cases import rare_except
from tests.support.catalogs import schema_lines

# What is done to a deployed database, and what doctor says of it.
MENDED = {
    "triggers off and on": (
        "alter table stage_history disable trigger user; alter table stage_history enable trigger user",
        "trigger stage_history_append_only on public.stage_history: state is on, and was deployed as always on",
    ),
    "a trigger off": (
        "alter table clients disable trigger clients_stamp_change",
        "trigger clients_stamp_change on public.clients: state is off",
    ),
    "a trigger gone": (
        "drop trigger clients_stamp_change on clients",
        "trigger clients_stamp_change on public.clients is missing",
    ),
    "a function of somebody else's": (
        "alter function api.set_flag owner to postgres",
        "function api.set_flag(bigint,text,text,text,text,text,text,jsonb): owner is postgres",
    ),
    "a function that PUBLIC may execute": (
        "grant execute on function rules.sha256_hex(text) to public",
        "function rules.sha256_hex(text): rights is PUBLIC: execute, and was deployed as nobody else",
    ),
    "a function with another path": (
        "alter function api.set_flag set search_path = ''",
        "function api.set_flag(bigint,text,text,text,text,text,text,jsonb) is not what was deployed",
    ),
    "a function gone": ("drop function api.whoami()", "function api.whoami() is missing"),
    "a right gone": (
        "revoke select on stage_flags from atlas_owner",
        "table public.stage_flags: rights of atlas_owner is TRIGGER, and was deployed as SELECT, TRIGGER",
    ),
    "a right more": (
        "grant delete on actor_tokens to atlas_owner",
        "table public.actor_tokens: rights of atlas_owner is DELETE, INSERT, SELECT, TRIGGER, UPDATE",
    ),
    "a right of a role that had none": (
        "grant select (actor_id) on actor_tokens to atlas_cron",
        "column public.actor_tokens.actor_id: rights of atlas_cron are new: SELECT",
    ),
    "a sequence's right gone": (
        "revoke usage on sequence stage_history_id_seq from atlas_owner",
        "sequence public.stage_history_id_seq: rights of atlas_owner",
    ),
    "default rights gone": (
        "alter default privileges for role atlas_owner grant execute on functions to public",
        "default rights atlas_owner: functions are missing",
    ),
    "a schema of somebody else's": (
        "alter schema rules owner to postgres",
        "schema rules: owner is postgres, and was deployed as atlas_owner",
    ),
    "the findings' own schema of somebody else's": (
        "alter schema ops owner to postgres",
        "permission denied for schema ops",
    ),
    "a policy gone": (
        "drop policy atlas_stage on stage_history",
        "policy atlas_stage on public.stage_history is missing",
    ),
    "a constraint gone": (
        "alter table clients drop constraint clients_stage_check",
        "constraint clients_stage_check on public.clients is missing",
    ),
    "the constraint of a close gone": (
        "alter table clients drop constraint clients_in_close_check",
        "constraint clients_in_close_check on public.clients is missing",
    ),
    "the constraint of a close's history gone": (
        "alter table stage_history drop constraint stage_history_in_close_check",
        "constraint stage_history_in_close_check on public.stage_history is missing",
    ),
    "a foreign key that is not enforced": (
        "alter table stage_seasons disable trigger all",
        "not enforced: its triggers are off",
    ),
    "a constraint that is not valid": (
        "alter table stage_history drop constraint stage_history_channel_check, add constraint"
        " stage_history_channel_check check (channel in ('api', 'slack', 'nlp_relay', 'cron',"
        " 'event_webhook', 'psql')) not valid",
        "NOT VALID",
    ),
    "an index gone": (
        "drop index actor_tokens_id_uniq",
        "index public.actor_tokens_id_uniq is missing",
    ),
    "a sequence behind its table": (
        "select setval('stage_history_id_seq', 1)",
        "sequence public.stage_history_id_seq would give 2 next, and public.stage_history has",
    ),
}


def said_by_doctor(dsn: str) -> list[str]:
    with psycopg.connect(dsn, autocommit=True) as db:
        return [each for finding in doctor.examine(db) for each in finding.found]


@pytest.fixture
def deployed(fresh_dsn: str) -> str:
    with psycopg.connect(fresh_dsn) as db:
        move(db, make_client(db), "eom_close")
    return fresh_dsn


# One for each kind of object.
FAST = (
    "the constraint of a close gone",
    "the constraint of a close's history gone",
    "a trigger off",
    "a function with another path",
    "the findings' own schema of somebody else's",
    "a constraint gone",
    "a sequence behind its table",
)


@pytest.mark.parametrize("harm", rare_except(FAST, MENDED))
def test_is_named_by_doctor_and_mended_by_migrate(deployed: str, harm: str) -> None:
    before = schema_lines(deployed)
    statement, words = MENDED[harm]
    with psycopg.connect(deployed, autocommit=True) as db:
        db.execute(statement)

    assert words in "\n".join(said_by_doctor(deployed))
    assert migrate(deployed).logic_changed
    assert said_by_doctor(deployed) == []
    assert schema_lines(deployed) == before
    assert not migrate(deployed).logic_changed


REFUSED = {
    "a column gone": (
        "alter table clients drop column stage_notes cascade",
        "column public.clients.stage_notes is missing",
    ),
    "a column of another type": (
        "alter table stage_flags alter column description type varchar(80)",
        "column public.stage_flags.description: definition is character varying(80) not null,"
        " and was deployed as text not null",
    ),
}


@pytest.mark.parametrize("harm", REFUSED)
def test_what_nothing_can_mend_is_refused_by_its_name(deployed: str, harm: str) -> None:
    statement, words = REFUSED[harm]
    with psycopg.connect(deployed, autocommit=True) as db:
        db.execute(statement)

    assert words in "\n".join(said_by_doctor(deployed))
    with pytest.raises(DeployError) as caught:
        migrate(deployed)
    assert words in str(caught.value)
    assert "migrate --force" in str(caught.value)


def test_a_constraint_that_the_rows_break_is_refused_by_its_name(deployed: str) -> None:
    with psycopg.connect(deployed, autocommit=True) as db:
        db.execute("alter table clients drop constraint clients_service_tier_check")
        db.execute("set session_replication_role = replica")
        db.execute("update clients set service_tier = 'gold'")

    with pytest.raises(DeployError, match=r"clients_service_tier_check .*can't be restored"):
        migrate(deployed)


def test_what_the_host_does_to_its_own_is_nobody_s_business(deployed: str) -> None:
    with psycopg.connect(deployed, autocommit=True) as db:
        db.execute("alter table clients add column phone text, add constraint phone_check check (phone <> '')")
        migrate(deployed, force=True)
        db.execute("alter table clients drop column gdrive_folder, drop column phone")
        db.execute("alter table clients alter column name type varchar(300)")
        db.execute("create function api.theirs() returns int language sql return 1")
        db.execute("create index theirs on stage_history (occurred_at)")

    assert said_by_doctor(deployed) == []
    assert not migrate(deployed).logic_changed


def test_a_statement_in_the_record_does_no_more_than_its_table_s_owner_may(deployed: str) -> None:
    # The owner of the record can write into it what a superuser then executes.
    with psycopg.connect(deployed, autocommit=True) as db:
        db.execute("create role atlas_test_host")
        try:
            db.execute("alter table stage_flags owner to atlas_test_host")
            db.execute(
                "update stage_installation set mend = 'create role atlas_test_evil superuser'"
                " where kind = 'constraint' and name like 'stage_flags_set_by_check%'"
            )
            db.execute("alter table stage_flags drop constraint stage_flags_set_by_check")

            with pytest.raises(DeployError, match=r"permission denied to create role|must be superuser"):
                migrate(deployed)

            db.execute(
                "update stage_installation set relation = null"
                " where kind = 'constraint' and name like 'stage_flags_set_by_check%'"
            )
            with pytest.raises(DeployError, match="not a statement of ours"):
                migrate(deployed)
        finally:
            db.execute("reassign owned by atlas_test_host to postgres; drop role atlas_test_host")
