"""The COMMENT of each function lists every error that a caller can run into.

It runs last, and looks at what the tests before it provoked: with a few tests that is little, with all of them a lot.
"""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.support.calls import Provoked, call, provoked, refused

COMMENTS = """
select p.proname::text, coalesce(obj_description(p.oid, 'pg_proc'), '')
from pg_proc p
where p.pronamespace = 'api'::regnamespace
"""


def statuses(db: psycopg.Connection) -> dict[str, int]:
    return dict(db.execute("select rule, status from rules.violation_catalog()").fetchall())


def errors_of(comment: str) -> str:
    return comment.partition("Errors:")[2]


def documented(db: psycopg.Connection) -> dict[str, set[str]]:
    """The rules that each function's COMMENT lists, also by `those of` another function."""
    known = statuses(db)
    errors = {name: errors_of(comment) for name, comment in db.execute(COMMENTS)}

    def rules(name: str) -> set[str]:
        found = {word for word in re.findall(r"[a-z_]+", errors[name]) if word in known}
        others = re.findall(r"those of (\w+)", errors[name])
        return found.union(*(rules(other) for other in others if other in errors))

    return {name: rules(name) for name in errors}


def undocumented(db: psycopg.Connection, seen: set[Provoked]) -> list[str]:
    listed = documented(db)
    return sorted(
        f"{function}: {rule}"
        for function, rule in seen
        if function in listed and rule not in listed[function]
    )


def test_every_error_that_a_test_provoked_is_in_the_comment(db: psycopg.Connection) -> None:
    missing = undocumented(db, provoked)

    assert not missing, "\n".join(missing)


def test_every_error_of_a_comment_is_in_the_catalog_and_has_its_status(
    db: psycopg.Connection,
) -> None:
    known = statuses(db)
    wrong = []
    for name, comment in db.execute(COMMENTS).fetchall():
        text = errors_of(comment)
        for word in re.finditer(r"[a-z]+(?:_[a-z]+)+", text):
            if word[0] not in known:
                continue
            status = re.search(r"\((\d{3})\b", text[word.end() :])
            if status is None or int(status[1]) != known[word[0]]:
                wrong.append(f"{name}: {word[0]}")

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("comment", "missing"),
    [
        ("Errors: client_not_found (404).", []),
        ("Errors: those of client.", []),
        ("Errors: page_size_not_valid (422).", ["careless: client_not_found"]),
        ("client_not_found (404) is not listed before the word.", ["careless: client_not_found"]),
    ],
)
def test_an_error_that_a_comment_leaves_out_is_found(
    db: psycopg.Connection, comment: str, missing: list[str]
) -> None:
    db.execute(
        "create function api.careless() returns jsonb language plpgsql as"
        " $$ begin perform rules.refuse('client_not_found'); end $$"
    )
    db.execute(f"comment on function api.careless() is '{comment}'")

    with refused(db, "client_not_found", 404):
        call(db, "careless")

    mine = {each for each in provoked if each[0] == "careless"}
    provoked.difference_update(mine)
    assert undocumented(db, mine) == missing
