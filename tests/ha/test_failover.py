"""Three nodes under Patroni: writers go on when another one leads, and the standbys answer what is read.

`python ha --trial` also kills and pauses; this is the part of it that is short.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from atlas_stage import Stage, Unavailable
from bench.faults.ways import ADMIN
from bench.faults.writers import WRITERS
from ha.cluster import missing
from ha.served import Served, served
from ha.trial import switch_over, trial
from tests.http.api import Api, refusal
from tests.http.test_before_a_database import serving, url_of
from tests.http.test_connections import CALLS

pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
    pytest.mark.skipif("ATLAS_TEST_URL" in os.environ, reason="makes servers of its own"),
]


@pytest.fixture(scope="module")
def at() -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory(prefix="atlas-ha-", dir="/tmp") as folder,
        served(Path(folder), print) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def standby(at: Served) -> Iterator[Api]:
    with Api(at.leader.url, at.token) as leader:
        made = leader.make_client()
    assert made == CALLS["client"]["client_id"]
    at.cluster.wait_until_whole()
    with Api(at.standbys.url, at.token) as api:
        yield api


def reads(dsn: str) -> set[str]:
    """The functions of the API that only read."""
    with psycopg.connect(dsn) as db:
        found = db.execute(
            "select proname from pg_proc where pronamespace = 'api'::regnamespace and provolatile = 's'"
        )
        return {row[0] for row in found}


def test_everything_that_is_read_is_answered_by_a_standby(at: Served, standby: Api) -> None:
    for function in sorted(reads(at.cluster.dsn)):
        said = CALLS.get(function, {})
        assert standby.done(function, **said), function
        if function != "check_stages":  # whose array a query cannot hold
            assert standby.send("GET", f"/rpc/{function}", params=said).status_code == 200
    assert standby.send("GET", "/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/rpc/set_flag", {"client_id": 1, "flag": "client_blocking"}),
        (
            "PATCH",
            "/api/clients/1/stage",
            {"to_stage": "cleanup", "reason": "x", "expected_version": 0},
        ),
        ("DELETE", "/api/clients/1/flags/client_blocking", {}),
        ("POST", "/rpc/whoami", {}),
    ],
    ids=str,
)
def test_a_write_at_a_standby_is_to_be_sent_again_and_nobodys_mistake(
    standby: Api, method: str, path: str, body: dict[str, object]
) -> None:
    answer = standby.send(method, path, json=body)
    refusal(answer, 503, "service_away")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_stage_reads_at_a_standby_and_is_told_that_it_cannot_write_there(
    at: Served, standby: Api
) -> None:
    with Stage.connect(url=at.standbys.url, token=at.token) as over_http:
        assert over_http.client(1).client.id == 1
    with Stage.connect(at.cluster.standby_dsn, ADMIN) as stage:
        assert stage.client(1).client.id == 1
        with pytest.raises(Unavailable) as caught:
            stage.set_flag(1, flag="client_blocking")
    assert "target_session_attrs" in (caught.value.hint or "")


def test_serve_sees_that_its_database_is_a_standby(at: Served, tmp_path: Path) -> None:
    with serving(at.cluster.standby_dsn, tmp_path) as told, Api(url_of(told), at.token) as api:
        assert api.done("client", client_id=1)["client"]["id"] == 1


def test_no_acknowledged_change_is_lost_when_another_node_leads_and_writers_go_on(
    at: Served, tmp_path: Path
) -> None:
    verdict, (outage,) = trial(at, tmp_path, [switch_over], print)
    print(outage, *verdict.lines(), sep="\n")
    assert verdict.broken == {}
    assert verdict.acknowledged > 100
    assert verdict.unanswered == 0
    assert verdict.standby_reads > 100
    assert outage.went_on == WRITERS
