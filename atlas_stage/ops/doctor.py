"""What is wrong with an installation, in words.

Here stands what only the package can know: whether the database has what the package brings. All else the database
finds by itself: `ops.findings`, one file a check in `sql/ops/findings/`.
"""

import psycopg

from atlas_stage.models import Record
from atlas_stage.ops import resources
from atlas_stage.ops.deploy import logic
from atlas_stage.ops.deploy.migrations import read_books
from atlas_stage.transports.psycopg import translate

_MIGRATE = "run: atlas-stage migrate"
_IS_DEPLOYED = """
    select to_regclass('public.stage_deploys') is not null
       and to_regclass('public.stage_history') is not null
       and to_regnamespace('api') is not null
"""


class Finding(Record):
    """The outcome of a check: everything wrong in words, and what to do about it. Nothing found: all is well. A
    `notice` is nothing wrong, and worth knowing.
    """

    name: str
    found: tuple[str, ...]
    advice: str = ""
    severity: str = "error"


def examine(connection: psycopg.Connection) -> list[Finding]:
    """Run all checks on a connection in autocommit mode.

    A check that the login role has no right to make is a finding too. Raises Unavailable.
    """
    try:
        # Names are compared as the catalog writes them without this.
        connection.execute("set quote_all_identifiers = off")
        if connection.execute(_IS_DEPLOYED).fetchone() != (True,):
            said = f"the stage system is not deployed in database {connection.info.dbname}"
            return [Finding("deployed", (said,), _MIGRATE)]
        return [
            Finding("deployed", ()),
            *_findings_of_the_package(connection),
            *_findings_of_the_database(connection),
        ]
    except psycopg.Error as error:
        raise translate(error) from error


def _findings_of_the_package(connection: psycopg.Connection) -> list[Finding]:
    """What the database has not as this package would deploy it."""
    root = resources.root()
    try:
        books = read_books(connection, root / "migrations")
        same = logic.is_deployed(connection, root / "sql")
    except psycopg.errors.InsufficientPrivilege as error:
        said = f"could not be checked: {translate(error).message}"
        return [Finding("as packaged", (said,), "run doctor as a superuser")]
    changed = [f"migration {name} is not the one that was applied here" for name in books.changed]
    changed += [f"migration {name} is not in this package" for name in books.unknown]
    advice = "use the version of atlas-stage that deployed this database, or restore the file"
    logic_said = () if same else ("the stored logic is not that of this package",)
    pending = tuple(f"migration {name} is not applied" for name in books.pending)
    return [
        Finding("migrations applied", pending, _MIGRATE),
        Finding("migrations unchanged", tuple(changed), advice),
        Finding("stored logic as packaged", logic_said, _MIGRATE),
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
        return [Finding(name, (said,), _MIGRATE)]
    together: dict[tuple[str, str, str], list[str]] = {}
    for finding, severity, what, todo in rows:
        together.setdefault((finding.replace("_", " "), todo, severity), []).append(what)
    findings = [Finding(each[0], tuple(found), *each[1:]) for each, found in together.items()]
    return findings or [Finding(name, ())]
