"""The errors that the COMMENT of each function of `api` lists."""

from __future__ import annotations

import re

import psycopg

from tests.support.calls import Provoked

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
        f"{function}: {rule}" for function, rule in seen if function in listed and rule not in listed[function]
    )
