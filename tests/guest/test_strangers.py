"""Doctor lists the logins that can become our roles, and foreign objects on our tables."""

from __future__ import annotations

import psycopg
import pytest

from tests.support.calls import make_client, move

LOGIN = "atlas_test_stranger"

HARMS = [
    (
        f"create role {LOGIN} login in role atlas_owner",
        (
            "can_become_owner",
            "error",
            f"login {LOGIN} can become atlas_owner, whose rights are the stored logic's alone",
        ),
    ),
    (
        f"create role {LOGIN} login; grant atlas_writer to {LOGIN} with admin option",
        (
            "can_become_owner",
            "error",
            f"login {LOGIN} can become atlas_writer, whose rights are the stored logic's alone",
        ),
    ),
    (
        f"create role {LOGIN} login in role atlas_operator",
        ("operator", "notice", f"login {LOGIN} can act as any actor"),
    ),
    (
        "create rule theirs as on update to stage_flags do also notify theirs",
        ("foreign_object", "notice", "rule theirs on stage_flags is not ours"),
    ),
    (
        "create policy theirs on actor_tokens using (false)",
        ("foreign_object", "notice", "policy theirs on actor_tokens is not ours"),
    ),
    (
        "create trigger theirs before update on stage_flags for each row"
        " execute function suppress_redundant_updates_trigger()",
        ("foreign_object", "notice", "trigger theirs on stage_flags is not ours"),
    ),
    (
        f"create role {LOGIN}; grant trigger on clients to {LOGIN}",
        (
            "foreign_object",
            "notice",
            f"the right of {LOGIN} to make triggers on clients is not ours",
        ),
    ),
]


def found(db: psycopg.Connection) -> list[tuple[str, str, str]]:
    return db.execute("select finding, severity, what from ops.findings(true)").fetchall()


@pytest.mark.parametrize(("harm", "finding"), HARMS)
def test_a_stranger_is_named(db: psycopg.Connection, harm: str, finding: tuple[str, str, str]) -> None:
    assert found(db) == []

    db.execute(harm)

    assert finding in found(db)


def test_a_login_that_can_only_grant_itself_the_owner_is_a_notice(db: psycopg.Connection) -> None:
    if db.info.server_version < 160000:
        db.execute(f"create role {LOGIN} login createrole")
    else:
        db.execute(f"create role {LOGIN} login;grant atlas_owner to {LOGIN} with admin true, inherit false, set false")

    said = [each for each in found(db) if each[0] == "can_become_owner"]

    assert said
    assert {severity for _, severity, _ in said} == {"notice"}
    assert f"login {LOGIN} can grant itself atlas_owner" in said[0][2]


def test_the_two_lines_that_doctor_says_mend_a_trigger_of_the_host_s(
    db: psycopg.Connection,
) -> None:
    client = make_client(db)
    db.execute("set constraints all immediate; set constraints all deferred")
    db.execute(
        "create table host_log (slug text);"
        "create function host_log() returns trigger language plpgsql as"
        " $$ begin insert into host_log values (new.slug); return null; end $$;"
        "create trigger host_log after update on clients for each row execute function host_log()"
    )
    with pytest.raises(psycopg.Error, match="a trigger of the host failed"), db.transaction():
        move(db, client, "eom_close")
    row = db.execute("select t.todo from ops.trial() t").fetchone()
    assert row is not None

    db.execute(row[0])

    assert move(db, client, "eom_close")["changed"]
    assert db.execute("select count(*) from host_log").fetchone() == (1,)
    db.execute("set constraints all immediate; select ops.trial()")
    assert found(db) == []
