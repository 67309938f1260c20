"""Behind PgBouncer a deploy is refused in words and leaves nothing in its pool; a `Stage` works."""

from __future__ import annotations

import psycopg
import pytest

from atlas_stage import Stage
from atlas_stage.ops.deploy import DeployError, migrate
from tests.support.pooler import PROGRAM, pooled

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")


def test_a_deploy_through_a_pooler_is_refused_and_says_what_to_name_instead(fresh_dsn: str) -> None:
    with (
        pooled(fresh_dsn) as through,
        pytest.raises(DeployError, match="PostgreSQL server itself"),
    ):
        migrate(through, force=True)


def test_a_deploy_through_a_pooler_strands_no_lock_and_no_setting(fresh_dsn: str) -> None:
    with pooled(fresh_dsn, size=1) as through:
        with pytest.raises(DeployError):
            migrate(through, force=True)

        # The deploy left nothing in the pool's one session, and a deploy to the server itself finds its lock free.
        with psycopg.connect(through, autocommit=True, prepare_threshold=None) as db:
            held = db.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone()
            limits = db.execute(
                "select current_setting('lock_timeout'), current_setting('statement_timeout'),"
                " current_setting('application_name') like 'atlas-stage migrate%'"
            ).fetchone()
        assert held == (0,)
        assert limits == ("0", "0", False)
        assert migrate(fresh_dsn, force=True).logic_changed


def test_two_stages_share_one_session_and_each_stays_who_it_is(fresh_dsn: str) -> None:
    with (
        pooled(fresh_dsn, size=1) as through,
        Stage.connect(through, "user:jimmie") as admin,
        Stage.connect(through, "agent:tally") as tally,
    ):
        made = admin.create_client("Pooled", slug="pooled").client
        for _ in range(8):  # more often than it takes to prepare a statement
            assert admin.whoami().actor_id == "user:jimmie"
            assert tally.whoami().actor_id == "agent:tally"
            assert tally.client(made.id).client == made
        with admin.transaction() as work:
            admin.set_flag(made.id, flag="advisory_due")
            work.discard()
        assert admin.client(made.id).client == made
