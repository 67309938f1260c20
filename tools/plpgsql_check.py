"""Run plpgsql_check over every function of rules, api, jobs and ops, on a throwaway PostgreSQL 15.

Needs Debian's postgresql-15 and postgresql-15-plpgsql-check; says so and succeeds where they are
not installed, unless PLPGSQL_CHECK=required. Exit 0: no finding; 1: findings; 2: could not check.
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

# A trigger function is checked for each table and event that it is used for, with its transition tables.
FUNCTIONS = """
select
  p.oid::regprocedure::text             as function,
  coalesce(t.tgrelid, 0)::oid           as relation,
  -- one function can serve events with and without an old table
  max(t.tgoldtable::text) over (partition by p.oid) as oldtable,
  max(t.tgnewtable::text) over (partition by p.oid) as newtable
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang and l.lanname = 'plpgsql'
left join pg_trigger t on t.tgfoid = p.oid and not t.tgisinternal
where n.nspname in ('rules', 'api', 'jobs', 'ops')
order by 1, 2
"""

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
    """One line a finding; then how many functions were looked at."""
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
            if message.startswith("unused parameter") and function.startswith("jobs."):
                continue  # the definitions of the jobs have one signature, whatever each needs of it
            if message.startswith("never read variable"):
                continue  # a function called for its effect costs less in an assignment than in PERFORM
            more = "; ".join(str(part) for part in (detail, hint) if part)
            yield f"{function} line {line} {statement}: {level} {state} {message} {more}".rstrip()
    print(f"plpgsql_check: {len({row[0] for row in functions})} functions looked at")


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
