"""What is wrong with an installation, in words.

Here stands what only the package can know: whether the database has what the package brings. All else the database
finds by itself: `ops.findings`, one file a check in `sql/ops/findings/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from atlas_stage.models import Record
from atlas_stage.ops import resources
from atlas_stage.ops.deploy import logic
from atlas_stage.ops.deploy.migrations import content_hash
from atlas_stage.transport import translate


@dataclass(frozen=True)
class Check:
    """A question to the database: `query` finds what is wrong, `words` says it with the columns of a row."""

    name: str
    query: LiteralString
    words: str
    advice: str = ""


@dataclass(frozen=True)
class Finding(Record):
    """The outcome of a check: everything wrong in words, and what to do about it. Nothing found: all is well. A
    `notice` is nothing wrong, and worth knowing.
    """

    name: str
    found: tuple[str, ...]
    advice: str = ""
    severity: str = "error"


# Without this the other checks have nothing to look at.
DEPLOYED = Check(
    "deployed",
    """
    select current_database() as database
    where to_regclass('public.stage_deploys') is null
       or to_regclass('public.stage_history') is null
       or to_regnamespace('api') is null
    """,
    "the stage system is not deployed in database {database}",
    "run: atlas-stage migrate",
)

CHECKS = (
    Check(
        "migrations applied",
        """
        select package.name
        from jsonb_object_keys(%(migrations)s) as package (name)
        where not exists (select from public.atlas_migrations m where m.id = package.name)
        order by 1
        """,
        "migration {name} is not applied",
        "run: atlas-stage migrate",
    ),
    Check(
        "migrations unchanged",
        """
        select d.name, package.sha256 is null as unknown
        from public.stage_deploys d
        left join jsonb_each_text(%(migrations)s) as package (name, sha256) on package.name = d.name
        where d.part = 'migration'
          and package.sha256 is distinct from d.sha256
        order by 1
        """,
        "migration {name} is not the one that was applied here (not in this package: {unknown})",
        "use the version of atlas-stage that deployed this database, or restore the file",
    ),
    Check(
        "stored logic as packaged",
        """
        select coalesce(max(d.deployed_at)::text, 'never') as deployed_at
        from public.stage_deploys d
        where d.part = 'stored_logic'
        having coalesce(max(d.sha256), '') <> %(logic)s
        """,
        "the stored logic is not that of this package (deployed: {deployed_at})",
        "run: atlas-stage migrate",
    ),
)


def examine(connection: psycopg.Connection) -> list[Finding]:
    """Run all checks on a connection in autocommit mode.

    A check that the login role has no right to make is a finding too. Raises Unavailable.
    """
    expected = _expected()
    deployed = _findings(connection, DEPLOYED, expected)
    if deployed.found:
        return [deployed]
    return [
        deployed,
        *(_findings(connection, check, expected) for check in CHECKS),
        *_findings_of_the_database(connection),
    ]


def _findings_of_the_database(connection: psycopg.Connection) -> list[Finding]:
    """What the database finds wrong with itself, together where the same is to be done."""
    name = "the database's own checks"
    try:
        rows = connection.execute(
            "select f.finding, f.severity, f.what, f.todo from ops.findings(deep => true) f"
        ).fetchall()
    except psycopg.errors.InsufficientPrivilege as error:
        said = f"could not be checked: {translate(error).message}"
        return [Finding(name, (said,), "run doctor as a superuser or an operator")]
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
        said = f"could not be asked: {translate(error).message}"
        return [Finding(name, (said,), "run: atlas-stage migrate")]
    except psycopg.Error as error:
        raise translate(error) from error
    together: dict[tuple[str, str, str], list[str]] = {}
    for finding, severity, what, todo in rows:
        together.setdefault((finding.replace("_", " "), todo, severity), []).append(what)
    findings = [Finding(each[0], tuple(found), *each[1:]) for each, found in together.items()]
    return findings or [Finding(name, ())]


def _expected() -> dict[str, Any]:
    """What this package would deploy."""
    root = resources.root()
    files = [
        file for file in (root / "migrations").glob("*.sql") if ".rollback" not in file.suffixes
    ]
    return {
        "migrations": Jsonb({file.stem: content_hash(file) for file in files}),
        "logic": logic.tree_hash(root / "sql"),
    }


def _findings(connection: psycopg.Connection, check: Check, expected: Mapping[str, Any]) -> Finding:
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(check.query, expected).fetchall()
    except psycopg.errors.InsufficientPrivilege as error:
        said = f"could not be checked: {translate(error).message}"
        return Finding(check.name, (said,), "run doctor as a superuser")
    except psycopg.Error as error:
        raise translate(error) from error
    return Finding(check.name, tuple(check.words.format(**row) for row in rows), check.advice)
