"""A deploy sets the passwords of its logins without showing them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from atlas_stage.ops.deploy import DeployError
from atlas_stage.ops.deploy.passwords import VARIABLES, set_passwords


@pytest.fixture
def logins(dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """The logins, without passwords before and afterwards."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    with psycopg.connect(dsn, autocommit=True) as db:
        clear(db)  # roles are common to the databases of a server: another file may have set a password
        yield db
        clear(db)


def clear(db: psycopg.Connection) -> None:
    for role in VARIABLES.values():
        db.execute(f"alter role {role} password null".encode())


def hashes(db: psycopg.Connection) -> dict[str, str | None]:
    rows = db.execute(
        "select rolname::text, rolpassword from pg_authid where rolname = any (%s)",
        (list(VARIABLES.values()),),
    )
    return dict(rows.fetchall())


def test_keeps_a_hash_of_what_the_environment_says(
    dsn: str, logins: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setenv("ATLAS_CRON_PASSWORD", "it's \\ secret %s 'é")

    set_passwords(dsn, said.append)

    kept = hashes(logins)
    assert kept["atlas_authenticator"] is None
    assert str(kept["atlas_cron"]).startswith("SCRAM-SHA-256$")
    assert said == ["set the password of atlas_cron"]


def test_leaves_passwords_alone_where_the_environment_says_nothing(
    dsn: str, logins: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATLAS_CRON_PASSWORD", "x")
    set_passwords(dsn, lambda _: None)
    before = hashes(logins)

    monkeypatch.setenv("ATLAS_CRON_PASSWORD", "")
    set_passwords(dsn, lambda _: None)

    assert hashes(logins) == before


def test_a_password_that_the_server_refuses_is_one_sentence(
    dsn: str, logins: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = f"plain_{logins.info.backend_pid}"
    logins.execute(f"create role {role} login")
    joint = "&" if "?" in dsn else "?"
    monkeypatch.setenv("ATLAS_CRON_PASSWORD", "sesame")

    try:
        with pytest.raises(DeployError) as caught:
            set_passwords(f"{dsn}{joint}options=-crole%3D{role}", lambda _: None)
    finally:
        logins.execute(f"drop role {role}")

    said = str(caught.value)
    assert said.startswith("The server refused the password of atlas_cron (in ATLAS_CRON_PASSWORD)")
    assert "sesame" not in said
    assert "\n" not in said
