"""Database connections: transactions and lost connections."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from atlas_stage import (
    InvalidInput,
    NotInstalled,
    Stage,
    Unavailable,
    UnknownFlag,
)
from atlas_stage.models import Client
from atlas_stage.transports.psycopg import translate
from tests.support.stack import ADMIN
from tests.wrapper.conftest import over_psycopg


@over_psycopg
class TestTransactions:
    def test_calls_inside_are_done_together(self, stage: Stage, client: Client) -> None:
        def flag_twice() -> None:
            with stage.transaction():
                stage.set_flag(client.id, flag="advisory_due")
                stage.set_flag(client.id, flag="purple")

        with pytest.raises(UnknownFlag):
            flag_twice()
        assert stage.client(client.id).client == client

    def test_a_discarded_one_leaves_nothing(self, stage: Stage, client: Client) -> None:
        with stage.transaction() as work:
            assert stage.set_flag(client.id, flag="advisory_due").changed
            work.discard()
        assert stage.client(client.id).client == client

    def test_a_refusal_inside_spoils_only_itself(self, stage: Stage, client: Client) -> None:
        with stage.transaction():
            with pytest.raises(UnknownFlag):
                stage.set_flag(client.id, flag="purple")
            stage.set_flag(client.id, flag="advisory_due")
        assert stage.client(client.id).client.flags == ("advisory_due",)

    def test_the_actor_ends_with_the_transaction(self, fresh_dsn: str, stage: Stage) -> None:
        assert stage.whoami().actor_id == ADMIN
        with Stage.connect(fresh_dsn) as nobody:
            assert nobody.whoami().actor_id.startswith("system:db:")


class TestConnections:
    def test_a_server_that_only_reads_is_told_as_unavailable_for_writes(self, fresh_dsn: str) -> None:
        reads_only = make_conninfo(fresh_dsn, options="-c default_transaction_read_only=on")
        with Stage.connect(reads_only, ADMIN) as stage:
            assert stage.summary()
            with pytest.raises(Unavailable) as caught:
                stage.create_client("Not here", slug="not-here")
        assert "target_session_attrs" in (caught.value.hint or "")

    def test_a_connection_that_ends_in_the_middle_of_an_answer_is_unavailable(self) -> None:
        # Behind PgBouncer, whose server dies, the answer to BEGIN and the end of the session come together.
        met = psycopg.InternalError("received 2 results from command 'BEGIN'")
        assert isinstance(translate(met), Unavailable)

    def test_no_server_is_unavailable(self) -> None:
        with (
            Stage.connect("postgresql://u:sesame@127.0.0.1:1/x?connect_timeout=2") as stage,
            pytest.raises(Unavailable) as caught,
        ):
            stage.whoami()
        assert "sesame" not in str(caught.value)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        "dsn",
        [
            "nonsense sesame",
            "postgresql://u:sesame@[/x",
            "host=x sesame",
            "postgresql://u:pass@sesame@127.0.0.1:1/x",
            "postgresql://u:sesame@a..b/x",
        ],
    )
    def test_a_bad_url_is_refused_without_its_password(self, dsn: str) -> None:
        with pytest.raises(InvalidInput) as caught, Stage.connect(dsn) as stage:
            stage.whoami()
        assert "sesame" not in str(caught.value)

    def test_no_url_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ATLAS_DATABASE_URL", raising=False)
        with pytest.raises(Unavailable), Stage.connect() as stage:
            stage.whoami()

    def test_the_environment_names_database_and_actor(self, fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ATLAS_DATABASE_URL", fresh_dsn)
        monkeypatch.setenv("ATLAS_ACTOR", "agent:echo")
        with Stage.connect() as stage:
            assert stage.whoami().actor_id == "agent:echo"

    def test_an_empty_database_is_not_installed(self, empty_dsn: str) -> None:
        with Stage.connect(empty_dsn, ADMIN) as stage, pytest.raises(NotInstalled) as caught:
            stage.clients()
        assert "migrate" in (caught.value.hint or "")
