"""Which slug a client can be created with, and which client a text identifies."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from tests.support.calls import call, make_client, refused
from tests.support.words import NO_NUMBERS, NUMBERS


@pytest.mark.parametrize("slug", NUMBERS)
def test_a_slug_that_reads_as_a_number_is_refused(db: psycopg.Connection, slug: str) -> None:
    with refused(db, "slug_not_valid", 422, slug=slug.lower()) as refusal:
        call(db, "create_client", name="N", slug=slug)

    assert "client-24" in (refusal.hint or "")


@pytest.mark.parametrize("slug", NO_NUMBERS)
def test_a_slug_that_only_looks_like_a_number_is_created_and_found(db: psycopg.Connection, slug: str) -> None:
    client = make_client(db, slug=slug)

    assert call(db, "client_id", client=slug) == client


@given(slug=st.text("0123456789_xXoObBfFeE+-. ", min_size=1, max_size=9))
@example(slug="0x")
@example(slug="0X0.")
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_this_server_reads_as_a_number_is_refused(db: psycopg.Connection, slug: str) -> None:
    numeric = False
    for kind in ("bigint", "numeric", "double precision"):
        try:
            with db.transaction():
                db.execute(f"select %s::text::{kind}".encode(), [slug])
            numeric = True
        except psycopg.DataError:
            pass
    with db.transaction(force_rollback=True):
        try:
            db.execute("select rules.checked_slug(%s)", [slug])
        except psycopg.Error:
            return

    assert not numeric


@pytest.mark.parametrize("text", [slug for slug in NUMBERS if not slug.isdigit()])
def test_only_ascii_digits_are_an_id(db: psycopg.Connection, text: str) -> None:
    make_client(db)
    with refused(db, "client_not_found", 404, client_id=text):
        call(db, "client_id", client=text)
    row = db.execute("insert into clients (name, slug) values (%s, %s) returning id", [text, text])

    assert (call(db, "client_id", client=text),) == row.fetchone()


def test_digits_are_an_id_even_where_a_host_has_them_as_a_slug(db: psycopg.Connection) -> None:
    client = make_client(db)
    db.execute("insert into clients (name, slug) values ('Host', %s)", [str(client)])

    assert call(db, "client_id", client=str(client)) == client
    assert call(db, "client_id", client=f"000{client}") == client


@pytest.mark.parametrize("text", ["", "9" * 19, "9" * 1000])
def test_what_is_no_client_is_not_found(db: psycopg.Connection, text: str) -> None:
    with refused(db, "client_not_found", 404):
        call(db, "client_id", client=text)


def test_a_host_can_change_a_slug_to_a_number(db: psycopg.Connection) -> None:
    client = make_client(db)

    db.execute("update clients set slug = '24_7' where id = %s", [client])

    assert call(db, "client_id", client="24_7") == client
    assert call(db, "update_client", client_id=client, notes="n")["client"]["slug"] == "24_7"
