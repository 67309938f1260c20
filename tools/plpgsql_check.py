"""Run plpgsql_check over every function of rules, api, jobs and ops, on a throwaway PostgreSQL 15.

Needs Debian's postgresql-15 and postgresql-15-plpgsql-check. Without them it prints so and succeeds, unless
PLPGSQL_CHECK=required. Exit codes: 0 no findings, 1 findings, 2 not checked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from atlas_stage.ops.deploy import migrate  # noqa: E402
from tests.support.cluster import DEBIAN_BIN, Cluster  # noqa: E402

EXTENSION = Path("/usr/share/postgresql/15/extension/plpgsql_check.control")

# A trigger function is checked once per table, with the transition tables of all its triggers there.
FUNCTIONS = """
select
  p.oid::regprocedure::text             as function,
  coalesce(t.tgrelid, 0)::oid           as relation,
  max(t.tgoldtable::text)               as oldtable,
  max(t.tgnewtable::text)               as newtable
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
left join pg_trigger t on t.tgfoid = p.oid and not t.tgisinternal
where n.nspname in ('rules', 'api', 'jobs', 'ops')
group by p.oid, t.tgrelid
order by 1, 2
"""

# Warnings that are right in general and wrong here: how the message and its detail begin, for which functions, why.
ACCEPTED = (
    ("unused parameter", "", "jobs.", "all job definitions have one signature"),
    ("never read variable", "", "", "an assignment is cheaper than PERFORM"),
    (
        "target type is different",
        'cast "text" value',
        "",
        "it takes a literal such as '{}' for text",
    ),
    (
        "target type is different",
        'cast "bigint" value to "json"',
        "rules.call_function",
        "an id is JSON",
    ),
    ("control reached end", "", "rules.", "a function that ends in rules.refuse never returns"),
)

CHECK = """
select c.level, c.sqlstate, c.lineno, c.message, c.detail, c.hint, c.statement
from plpgsql_check_function_tb(
  funcoid              => %(function)s::regprocedure,
  relid                => %(relation)s::oid,
  oldtable             => %(oldtable)s::name,
  newtable             => %(newtable)s::name,
  fatal_errors         => false,
  other_warnings       => true,
  extra_warnings       => true,
  performance_warnings => false,
  security_warnings    => true
) as c
"""


def findings(connection: psycopg.Connection) -> Iterator[str]:
    """One line per finding; prints how many functions were checked."""
    functions = connection.execute(FUNCTIONS).fetchall()
    if not functions:
        yield "there is no function to check"
    for function, relation, oldtable, newtable in functions:
        arguments = {
            "function": function,
            "relation": relation,
            "oldtable": oldtable,
            "newtable": newtable,
        }
        for level, state, line, message, detail, hint, statement in connection.execute(
            CHECK, arguments
        ):
            if any(
                message.startswith(words)
                and str(detail or "").startswith(which)
                and function.startswith(name)
                for words, which, name, _ in ACCEPTED
            ):
                continue
            more = "; ".join(str(part) for part in (detail, hint) if part)
            yield f"{function} line {line} {statement}: {level} {state} {message} {more}".rstrip()
    print(f"plpgsql_check: {len({row[0] for row in functions})} functions checked")


def main() -> int:
    if not (DEBIAN_BIN.is_dir() and EXTENSION.exists()):
        print("plpgsql_check: skipped, Debian's postgresql-15-plpgsql-check is not installed")
        return 2 if os.environ.get("PLPGSQL_CHECK") == "required" else 0
    with Cluster(15) as cluster:
        migrate(cluster.dsn)
        with psycopg.connect(cluster.dsn) as connection:
            connection.execute("create extension plpgsql_check")
            found = list(findings(connection))
    for line in found:
        print(line)
    print(f"plpgsql_check: {len(found) or 'no'} finding{'' if len(found) == 1 else 's'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
