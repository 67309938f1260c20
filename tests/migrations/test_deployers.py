"""A deployer that is no superuser: what it needs, what it keeps, and what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.errors import StageError
from atlas_stage.ops.deploy import DeployError, migrate, rollback
from tests.migrations.test_applying import OURS
from tests.support.cluster import DEBIAN_BIN, Cluster
from tests.support.old_atlas import make_old_atlas


@pytest.fixture(
    params=[*(pytest.param(each, marks=pytest.mark.slow) for each in (15, 16)), 18],
    scope="module",
)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A separate server, where our roles don't exist yet."""
    if request.param == 15 and not DEBIAN_BIN.is_dir():
        pytest.skip(f"{DEBIAN_BIN} is not there")
    with Cluster(request.param) as running:
        yield running


@contextmanager
def deployer_of(cluster: Cluster, database: str, login: str = "deployer") -> Iterator[str]:
    """A database that belongs to a login with CREATEROLE; the login's DSN. Gone afterwards, with all roles of ours."""
    with psycopg.connect(cluster.dsn, autocommit=True) as db:
        db.execute(f"create role {login} login createrole")
        db.execute(f"create database {database} owner {login}")
        try:
            yield cluster.dsn.replace("postgres@/postgres", f"{login}@/{database}").replace('"', "")
        finally:
            db.execute(f"drop database {database} with (force)")
            _drop_roles(db, login)


def _drop_roles(db: psycopg.Connection, login: str) -> None:
    ours = db.execute("select rolname from pg_roles where rolname like 'atlas\\_%'").fetchall()
    for (role,) in [*ours, (login,)]:
        db.execute(f"drop owned by {role}")
    for (role,) in [*ours, (login,)]:
        try:
            db.execute(f"drop role {role}")
        except psycopg.errors.DependentObjectsStillExist:  # another database's of this test
            continue


def superuser_of(cluster: Cluster, database: str) -> str:
    return cluster.dsn.replace("/postgres?", f"/{database}?")


def value(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as db:
        row = db.execute(query).fetchone()
    assert row is not None
    return row[0]


CAN_BECOME_OWNER = """
  select pg_has_role('deployer', 'atlas_owner', 'usage') or pg_has_role('deployer', 'atlas_writer', 'usage')
    or case when current_setting('server_version_num')::int >= 160000
       then pg_has_role('deployer', 'atlas_owner', 'set') or pg_has_role('deployer', 'atlas_writer', 'set') end is true
"""


def test_after_a_deploy_the_deployer_is_no_owner_any_more(cluster: Cluster) -> None:
    with deployer_of(cluster, "atlas") as dsn:
        make_old_atlas(dsn)

        assert migrate(dsn).applied == OURS
        assert value(dsn, CAN_BECOME_OWNER) is False
        assert migrate(dsn, force=True).logic_changed
        assert value(dsn, CAN_BECOME_OWNER) is False


def test_a_deploy_that_fails_leaves_no_membership(
    cluster: Cluster,
    root: Path,
) -> None:
    with deployer_of(cluster, "atlas") as dsn:
        (root / "sql" / "api" / "zzz.sql").write_text("select no_such_column;\n")
        with pytest.raises(DeployError, match="no_such_column"):
            migrate(dsn, root=root)

        assert value(dsn, CAN_BECOME_OWNER) is False


def test_a_membership_that_an_earlier_version_left_is_taken_back(cluster: Cluster) -> None:
    with deployer_of(cluster, "atlas") as dsn:
        migrate(dsn)
        with psycopg.connect(dsn, autocommit=True) as db:
            db.execute("grant atlas_owner to deployer")
        assert value(dsn, CAN_BECOME_OWNER) is True

        migrate(dsn)

        assert value(dsn, CAN_BECOME_OWNER) is False


def test_the_deployer_acts_as_nobody_until_it_is_made_an_operator(cluster: Cluster) -> None:
    with deployer_of(cluster, "atlas") as dsn:
        migrate(dsn)
        with (
            Stage(PsycopgTransport(dsn, "user:jimmie")) as stage,
            pytest.raises(StageError) as caught,
        ):
            stage.issue_token("user:jimmie", never_expires=True)
        assert "grant atlas_operator to" in str(caught.value.hint)

        with psycopg.connect(dsn, autocommit=True) as db:
            db.execute("grant atlas_operator to deployer")

        with Stage(PsycopgTransport(dsn, "user:jimmie")) as stage:
            assert stage.issue_token("user:jimmie", never_expires=True).token.startswith("atl_")


def test_a_rollback_needs_no_superuser(cluster: Cluster) -> None:
    with deployer_of(cluster, "atlas") as dsn:
        make_old_atlas(dsn)
        migrate(dsn)

        assert rollback(dsn, to="001_roles") == OURS[:1:-1]


def test_a_second_database_names_what_a_superuser_has_to_grant_and_then_works(
    cluster: Cluster,
) -> None:
    with deployer_of(cluster, "first", "deployer") as first:
        migrate(first)
        with deployer_of(cluster, "second", '"other-deployer"') as second:
            make_old_atlas(second)
            if cluster.binaries == DEBIAN_BIN:  # there CREATEROLE may grant every role
                assert migrate(second).applied == OURS
                return

            with pytest.raises(DeployError, match="a superuser has to run once") as caught:
                migrate(second)

            said = str(caught.value)
            grant = said[said.index("grant atlas") :]
            assert value(second, "select to_regclass('public.yoyo_lock') is null")
            with psycopg.connect(cluster.dsn, autocommit=True) as superuser:
                superuser.execute(grant)
            assert migrate(second).applied == OURS
            assert value(second, CAN_BECOME_OWNER.replace("'deployer'", "'other-deployer'")) is False


def test_what_it_is_told_after_a_superuser_s_failed_deploy_is_enough(
    cluster: Cluster,
    root: Path,
) -> None:
    with deployer_of(cluster, "atlas") as dsn:
        make_old_atlas(dsn)
        superuser = superuser_of(cluster, "atlas")
        file = root / "migrations" / f"{OURS[3]}.sql"
        file.write_text(file.read_text() + "\nselect no_such_column;\n")
        with pytest.raises(DeployError, match="no_such_column"):
            migrate(superuser, root=root)

        told = []
        while len(told) < 8:
            try:
                applied = migrate(dsn).applied
            except DeployError as error:
                told.append(str(error))
                with psycopg.connect(superuser, autocommit=True) as db:
                    db.execute(told[-1].rpartition(": ")[2])
            else:
                break

        assert applied == OURS[2:], told
        assert any("deployer can't alter tables that belong to postgres" in each for each in told)


def test_an_operator_is_who_can_use_it(cluster: Cluster) -> None:
    with deployer_of(cluster, "atlas") as dsn:
        migrate(dsn)
        asked = "select rules.is_operator('deployer')"

        assert value(superuser_of(cluster, "atlas"), asked) is False
        assert value(superuser_of(cluster, "atlas"), "select rules.is_operator('postgres')") is True
        with psycopg.connect(dsn, autocommit=True) as db:
            db.execute("grant atlas_operator to deployer")
        assert value(superuser_of(cluster, "atlas"), asked) is True
