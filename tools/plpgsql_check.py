"""Run plpgsql_check over every function of rules, api, jobs and ops, on a throwaway PostgreSQL 15.

Needs Debian's postgresql-15 and postgresql-15-plpgsql-check. Without them it prints so and succeeds, unless
PLPGSQL_CHECK=required. Exit codes: 0 no findings, 1 findings, 2 not checked.
"""

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

CHECK = Path(__file__).with_suffix(".sql")
COUNT = """
select count(*) from pg_proc p join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
where p.pronamespace::regnamespace::text in ('rules', 'api', 'jobs', 'ops')
"""

# Warnings that are right in general and wrong here: how the message and its detail begin, for which functions, why.
ACCEPTED = (
    ("unused parameter", "", "jobs.", "all job definitions have one signature"),
    ("never read variable", "", "", "an assignment is cheaper than PERFORM"),
    ("target type is different", 'cast "text" value', "", "it takes a literal, '{}', for text"),
    ("target type is different", 'cast "bigint" value to "json"', "rules.call_function", "an id"),
    ("control reached end", "", "rules.", "a function that ends in rules.refuse never returns"),
)


def findings(connection: psycopg.Connection) -> Iterator[str]:
    """One line per finding; prints how many functions were checked."""
    ((checked,),) = connection.execute(COUNT)
    if not checked:
        yield "there is no function to check"
    for row in connection.execute(CHECK.read_bytes()):
        function, line, statement, level, state, message, detail, hint = row
        if not any(
            message.startswith(words) and detail.startswith(which) and function.startswith(name)
            for words, which, name, _ in ACCEPTED
        ):
            more = "; ".join(filter(None, (detail, hint)))
            yield f"{function} line {line} {statement}: {level} {state} {message} {more}".rstrip()
    print(f"plpgsql_check: {checked} functions checked")


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
