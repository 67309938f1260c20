"""Three nodes under Patroni: writers continue under a new leader, and the standbys answer reads.

`python lab/ha --trial` also kills and pauses; this is the part of it that is short.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from atlas_stage import Stage, Unavailable
from lab.faults.ways import ADMIN
from lab.faults.writers import WRITERS
from lab.ha.cluster import missing
from lab.ha.served import Served, served
from lab.ha.trial import switch_over, trial
from tests.http.api import Api, refusal
from tests.http.test_before_a_database import serving, url_of
from tests.http.test_connections import CALLS
from tests.support.cluster import HOME

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
    pytest.mark.skipif("ATLAS_TEST_URL" in os.environ, reason="starts separate servers"),
]


@pytest.fixture(scope="module")
def at() -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory(prefix="atlas-ha-", dir=HOME) as folder,
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
            " and (pronargs = 0 or proargnames is not null)"  # one without names is the gateway's own
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
        ("POST", "/rpc/client", {"client_id": "one"}),
        ("POST", "/rpc/client", {}),
        ("POST", "/rpc/client", {"client_id": 1, "colour": "red"}),
        ("POST", "/rpc/clients", {"page_size": 1e300}),
        ("POST", "/rpc/no_such_function", {}),
        ("POST", "/rpc/set_flag", {"client_id": 1, "colour": "red"}),
        ("GET", "/rpc/client?client_id=one", None),
        ("GET", "/rpc/clients?colour=red", None),
        ("GET", "/rpc/clients?stage=&page_size=many", None),
        ("GET", "/api/clients/one", None),
        ("GET", "/api/clients?page_size=many", None),
        ("GET", "/api/clients/1/stage_history?limit=x", None),
        ("GET", "/rpc/set_flag?client_id=1&flag=client_blocking&reason=", None),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_request_is_said_by_a_standby_as_by_the_leader(
    at: Served, standby: Api, method: str, path: str, body: dict[str, object] | None
) -> None:
    with Api(at.leader.url, at.token) as leader:
        said = leader.send(method, path, json=body)
    answer = standby.send(method, path, json=body)
    assert 400 <= said.status_code < 500
    assert (answer.status_code, answer.json()) == (said.status_code, said.json())


def test_a_client_by_its_slug_is_read_at_a_standby_and_written_at_the_leader(
    standby: Api,
) -> None:
    slug = standby.done("client", client_id=1)["client"]["slug"]
    answer = standby.send("GET", f"/api/clients/{slug}")
    assert (answer.status_code, answer.json()["client"]["id"]) == (200, 1)
    written = standby.send("DELETE", f"/api/clients/{slug}/flags/client_blocking")
    refusal(written, 503, "service_away")


def test_an_argument_without_a_value_is_left_out_at_a_standby_too(standby: Api) -> None:
    answer = standby.send("GET", "/rpc/clients?stage=&page_size=1")
    assert (answer.status_code, len(answer.json()["clients"])) == (200, 1)


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
    ],
    ids=str,
)
def test_a_write_at_a_standby_is_to_be_sent_again_and_nobodys_mistake(
    standby: Api, method: str, path: str, body: dict[str, object]
) -> None:
    answer = standby.send(method, path, json=body)
    refusal(answer, 503, "service_away")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_stage_reads_at_a_standby_and_is_told_that_it_cannot_write_there(at: Served, standby: Api) -> None:
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


def test_no_acknowledged_change_is_lost_when_another_node_leads_and_writers_go_on(at: Served, tmp_path: Path) -> None:
    verdict, (outage,) = trial(at, tmp_path, [switch_over], print)
    print(outage, *verdict.lines(), sep="\n")
    assert verdict.broken == {}
    assert verdict.acknowledged > 100
    assert verdict.unanswered == 0
    assert verdict.standby_reads > 100
    assert outage.went_on == WRITERS
