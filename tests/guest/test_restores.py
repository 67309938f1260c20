"""Every way a dump comes back: it works after `migrate`, and doctor says before what is missing."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from atlas_stage.ops import doctor
from atlas_stage.ops.deploy import migrate
from tests.support.calls import call, history_rows, make_client, move
from tests.support.cases import rare_except
from tests.support.catalogs import schema_lines
from tests.support.cluster import Cluster
from tests.support.databases import Databases
from tests.support.stack import stack


@pytest.fixture(scope="module")
def here() -> Iterator[Cluster]:
    """The firm's server; its tools make the dumps."""
    with Cluster(18) as running:
        yield running


@pytest.fixture(scope="module")
def there() -> Iterator[Cluster]:
    """Another server, without our roles."""
    with Cluster(18) as running:
        yield running


@pytest.fixture(scope="module")
def dump(here: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump of a firm's database, in pg_dump's custom format."""
    made = tmp_path_factory.mktemp("dump") / "atlas.dump"
    databases = Databases(here.dsn)
    with databases.clone() as dsn:
        with psycopg.connect(dsn, autocommit=True) as db:
            for _ in range(5):
                move(db, make_client(db), "eom_close")
            call(db, "issue_token", actor_id="agent:tally", never_expires=True)
        run(here, "pg_dump", "--format", "custom", "--dbname", dsn, "--file", str(made))
    databases.close()
    return made


@pytest.fixture
def target(request: pytest.FixtureRequest, where: str) -> Iterator[tuple[Cluster, str]]:
    """An empty database, on the same server or on one that has no role of ours."""
    cluster: Cluster = request.getfixturevalue(where)
    with Databases(cluster.dsn).empty() as dsn:
        yield cluster, dsn
    if where == "there":
        with psycopg.connect(cluster.dsn, autocommit=True) as db:
            for (role,) in db.execute("select rolname from pg_roles where rolname like 'atlas\\_%'").fetchall():
                db.execute(f"drop owned by {role}")
                db.execute(f"drop role {role}")


def run(cluster: Cluster, program: str, *arguments: str, fails: bool = False) -> str:
    done = subprocess.run([str(cluster.binaries / program), *arguments], capture_output=True, text=True, check=False)
    assert fails or done.returncode == 0, done.stderr
    return done.stdout


def said_by_doctor(dsn: str) -> list[str]:
    with psycopg.connect(dsn, autocommit=True) as db:
        return [each for finding in doctor.examine(db) for each in finding.found]


def works_as_ever(dsn: str) -> None:
    """Doctor finds nothing, a move over HTTP is recorded as one, and no login can change history."""
    assert said_by_doctor(dsn) == []
    report = migrate(dsn)
    assert (report.applied, report.marked, report.logic_changed) == ([], [], False)
    with psycopg.connect(dsn, autocommit=True) as db:
        client = make_client(db)
        with stack(dsn) as running, running.stage() as stage:
            stage.set_stage(client, to_stage="eom_close", reason="the month ends", expected_version=0)
        last = history_rows(db, client)[-1]
        assert (last["channel"], last["reason"]) == ("api", "the month ends")
        db.execute("set session_replication_role = replica")
        with pytest.raises(psycopg.Error, match="append-only"):
            db.execute("delete from stage_history")


@pytest.fixture(scope="module")
def fresh_schema(here: Cluster) -> list[str]:
    databases = Databases(here.dsn)
    with databases.clone() as dsn:
        lines = schema_lines(dsn)
    databases.close()
    return without_brackets(lines)


def without_brackets(lines: list[str]) -> list[str]:
    """A chain of `or` comes back from a dump with fewer brackets; another server begins another epoch of the feed."""
    return sorted(
        re.sub(r"(\.epoch .*default )\d+", r"\1…", line.translate({ord("("): None, ord(")"): None})) for line in lines
    )


LEFT_OUT = ["TRIGGER", "FUNCTION", "FK CONSTRAINT", "POLICY", "DEFAULT ACL"]
WAYS = {
    "without owners and rights": ["--no-owner", "--no-acl"],
    "without rights": ["--no-acl"],
    "plainly": [],
}


@pytest.mark.parametrize(
    ("where", "way"),
    [
        ("here", "plainly"),
        ("there", "plainly"),
        pytest.param("here", "without rights", marks=pytest.mark.slow),
        pytest.param("there", "without rights", marks=pytest.mark.slow),
        pytest.param("here", "without owners and rights", marks=pytest.mark.slow),
        pytest.param("there", "without owners and rights", marks=pytest.mark.slow),
    ],
)
def test_a_restore_works_after_migrate(
    target: tuple[Cluster, str],
    dump: Path,
    fresh_schema: list[str],
    where: str,
    way: str,
) -> None:
    cluster, dsn = target
    elsewhere = where == "there"  # where pg_restore reports each missing role, and continues
    run(cluster, "pg_restore", *WAYS[way], "--dbname", dsn, str(dump), fails=elsewhere)

    said = said_by_doctor(dsn)
    report = migrate(dsn)

    assert bool(said) == report.logic_changed
    assert bool(said) == (elsewhere or way != "plainly")
    assert without_brackets(schema_lines(dsn)) == fresh_schema
    works_as_ever(dsn)


@pytest.mark.parametrize("leaves_out", rare_except(["TRIGGER"], LEFT_OUT))
def test_a_restore_that_leaves_something_out_works_after_migrate(
    here: Cluster, dump: Path, fresh_schema: list[str], tmp_path: Path, leaves_out: str
) -> None:
    listed = run(here, "pg_restore", "--list", str(dump)).splitlines()
    kept = [line for line in listed if f" {leaves_out} " not in line]
    assert len(kept) < len(listed)
    (tmp_path / "list").write_text("\n".join(kept))
    with Databases(here.dsn).empty() as dsn:
        run(
            here,
            "pg_restore",
            "--use-list",
            str(tmp_path / "list"),
            "--dbname",
            dsn,
            str(dump),
            fails=True,
        )

        assert said_by_doctor(dsn) != []
        assert migrate(dsn).logic_changed
        assert without_brackets(schema_lines(dsn)) == fresh_schema
        works_as_ever(dsn)


EMPTY = """
alter table stage_history disable trigger all;
alter table administration_history disable trigger all;
alter table erasures disable trigger all;
do $$
begin
  execute (
    select 'truncate ' || string_agg(oid::regclass::text, ', ')
    from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
  );
end
$$;
"""


def test_the_data_alone_goes_into_a_deployed_schema(here: Cluster, dump: Path, fresh_schema: list[str]) -> None:
    databases = Databases(here.dsn)
    with databases.clone() as dsn:
        run(here, "psql", "--set", "ON_ERROR_STOP=1", "--command", EMPTY, dsn)
        run(
            here,
            "pg_restore",
            "--data-only",
            "--disable-triggers",
            "--single-transaction",
            "--dbname",
            dsn,
            str(dump),
        )

        # What the restore switched off and on again does not guard replica sessions any more.
        assert "deployed as always on" in "\n".join(said_by_doctor(dsn))
        assert migrate(dsn).logic_changed
        with psycopg.connect(dsn) as db:
            assert db.execute("select count(*) from clients").fetchone() == (5,)
        assert without_brackets(schema_lines(dsn)) == fresh_schema
        works_as_ever(dsn)
    databases.close()


def test_some_of_the_data_leaves_sequences_behind_and_migrate_moves_them(here: Cluster, dump: Path) -> None:
    databases = Databases(here.dsn)
    with databases.clone() as dsn:
        run(here, "psql", "--set", "ON_ERROR_STOP=1", "--command", EMPTY, dsn)
        listed = run(here, "pg_restore", "--list", str(dump)).splitlines()
        run_list = dump.parent / "tables"
        run_list.write_text("\n".join(line for line in listed if "SEQUENCE SET" not in line))
        run(
            here,
            "pg_restore",
            "--data-only",
            "--disable-triggers",
            "--use-list",
            str(run_list),
            "--dbname",
            dsn,
            str(dump),
        )

        assert "the next new row fails" in "\n".join(said_by_doctor(dsn))
        migrate(dsn)
        works_as_ever(dsn)
    databases.close()
