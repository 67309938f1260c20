"""The COMMENT of each function lists every error that a caller can run into.

At the end of a run, the fixture `databases` compares the errors that the tests ran into with the COMMENTs.
"""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.support.calls import call, provoked, refused
from tests.support.comments import COMMENTS, errors_of, statuses, undocumented


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
def test_an_error_that_a_comment_leaves_out_is_found(db: psycopg.Connection, comment: str, missing: list[str]) -> None:
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
