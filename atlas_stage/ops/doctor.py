"""Problems of an installation, as sentences.

Only what the package alone can know is checked here: whether the database has what the package contains. The database
finds everything else: `ops.findings`, one file per check in `sql/ops/findings/`.
"""

import psycopg

from atlas_stage.models import Record
from atlas_stage.ops import resources
from atlas_stage.ops.deploy import logic
from atlas_stage.ops.deploy.connection import exists
from atlas_stage.ops.deploy.migrations import ADVICE, read_books
from atlas_stage.transports.psycopg import translate

_MIGRATE = "run: atlas-stage migrate"


class Finding(Record):
    """The outcome of a check: what is wrong and what to do; nothing found means all is well. `severity` is error or
    notice.
    """

    name: str
    found: tuple[str, ...]
    advice: str = ""
    severity: str = "error"


def examine(connection: psycopg.Connection) -> list[Finding]:
    """Run all checks, on a connection in autocommit mode. Raises Unavailable.

    A check that the login has no right to run is a finding too.
    """
    try:
        # The checks compare names as the catalog writes them without this setting.
        connection.execute("set quote_all_identifiers = off")
        tables = exists(connection, "public.stage_deploys", "public.stage_history")
        api = connection.execute("select to_regnamespace('api') is not null").fetchone()
        if tables and api == (True,):
            packaged = _findings_of_the_package(connection)
            return [Finding("deployed", ()), *packaged, *_findings_of_the_database(connection)]
        said = f"the stage system isn't deployed in database {connection.info.dbname}"
        return [Finding("deployed", (said,), _MIGRATE)]
    except psycopg.Error as error:
        raise translate(error) from error


def _findings_of_the_package(connection: psycopg.Connection) -> list[Finding]:
    root = resources.root()
    try:
        books = read_books(connection, root / "migrations")
        same = logic.is_deployed(connection, root / "sql")
    except psycopg.errors.InsufficientPrivilege as error:
        said = f"can't be checked: {translate(error).message}"
        return [Finding("as packaged", (said,), "run doctor as a superuser")]
    logic_said = () if same else ("the stored logic differs from this package's",)
    pending = tuple(f"migration {name} is not applied" for name in books.pending)
    return [
        Finding("migrations applied", pending, _MIGRATE),
        Finding("migrations unchanged", tuple(books.drift()), ADVICE),
        Finding("stored logic as packaged", logic_said, _MIGRATE),
    ]


def _findings_of_the_database(connection: psycopg.Connection) -> list[Finding]:
    """What the database finds, grouped by what to do."""
    own = "the database's own checks"
    trial: list[Finding] = []
    try:
        connection.execute("select from ops.trial()")  # trial_failed reports its outcome
    except psycopg.errors.ReadOnlySqlTransaction:
        pass  # a standby has what its leader found
    except psycopg.Error as error:
        trial = [Finding("trial", (f"can't be run: {translate(error).message}",), _MIGRATE)]
    query = (
        "select replace(f.finding, '_', ' '), array_agg(f.what order by f.ordinality), f.todo, f.severity"
        " from ops.findings(deep => true) with ordinality as f group by 1, 3, 4 order by min(f.ordinality)"
    )
    try:
        rows = connection.execute(query).fetchall()
    except psycopg.errors.InsufficientPrivilege as error:
        said = f"can't be checked: {translate(error).message}"
        return [Finding(own, (said,), "run doctor as a superuser or an operator")]
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName) as error:
        return [Finding(own, (f"can't be run: {translate(error).message}",), _MIGRATE)]
    findings = [Finding(name, tuple(found), *others) for name, found, *others in rows]
    return [*trial, *findings] or [Finding(own, ())]
