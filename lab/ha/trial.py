"""Sixteen writers on a cluster, while its leader is switched over, killed and paused; then the reckoning."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import psycopg

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.ops.deploy import migrate
from lab.faults.check import Verdict, check
from lab.faults.patience import until
from lab.faults.ways import ADMIN
from lab.faults.writers import at_work
from lab.ha.cluster import Cluster, Node, Tell
from lab.ha.served import Served

CLIENTS = 24
_CALM_SECONDS = 3.0


def switch_over(at: Cluster) -> None:
    """The leader hands over in order, as for an update of its machine."""
    at.switch_over()


def kill_postgresql(at: Cluster) -> None:
    """The leader's server dies; its Patroni lives and says so."""
    at.leader().kill_postgresql()


def kill_the_machine(at: Cluster) -> None:
    """The leader's server and Patroni die without notice: the other nodes have to detect it."""
    old = at.leader()
    old.kill()
    _wait_for_another(at, old)
    old.start_again()


def pause_the_machine(at: Cluster) -> None:
    old = at.leader()
    old.pause()
    try:
        _wait_for_another(at, old)
    finally:
        old.resume()


def kill_the_synchronous_standby(at: Cluster) -> None:
    """The one standby that has every commit dies: commits wait until another one is synchronous."""
    old = at.synchronous()
    old.kill()
    time.sleep(5)
    old.start_again()


def stop_etcd(at: Cluster) -> None:
    at.etcd.__exit__(None, None, None)
    time.sleep(30)
    at.etcd.__enter__()


def deploy(at: Cluster) -> None:
    migrate(at.dsn, force=True)


HAPPENINGS = (
    switch_over,
    kill_postgresql,
    deploy,
    kill_the_machine,
    kill_the_synchronous_standby,
    pause_the_machine,
    stop_etcd,
)


def _wait_for_another(at: Cluster, old: Node) -> None:
    until(
        lambda: any(n is not old and n.state().get("role") == "primary" for n in at.nodes),
        "no node follows",
    )
    time.sleep(_CALM_SECONDS)


@dataclass(frozen=True)
class Outage:
    """What a happening meant for the writers, in seconds."""

    name: str
    silence: float
    """The longest time in which nothing at all was acknowledged."""
    slowest: float
    """The same for the one writer that waited longest."""
    went_on: int
    """How many writers had something acknowledged once it was over."""


def trial(
    at: Served, logs: Path, happenings: list[Callable[[Cluster], None]], tell: Tell
) -> tuple[Verdict, list[Outage]]:
    """Let these happen under writers. `logs` is an empty folder."""
    with Stage(PsycopgTransport(at.cluster.dsn, ADMIN)) as stage:
        made = [stage.create_client(f"Shared {n}", slug=f"shared-{n}") for n in range(CLIENTS)]
    clients = [each.client.id for each in made]
    spans = []
    with at_work(at.ways(), clients, logs, at.readers(), drain=60):
        time.sleep(_CALM_SECONDS)
        for happening in happenings:
            tell(f"{happening.__name__.replace('_', ' ')} …")
            began = time.time()
            happening(at.cluster)
            at.cluster.wait_until_whole()
            over = time.time()
            time.sleep(_CALM_SECONDS)
            spans.append((happening.__name__, began, over, time.time()))
    with psycopg.connect(at.cluster.dsn) as db:
        verdict = check(db, clients, logs)
    return verdict, [_outage(logs, *span) for span in spans]


def _outage(logs: Path, name: str, began: float, over: float, ended: float) -> Outage:
    by_writer = []
    for log in logs.glob("writer-*.jsonl"):
        lines = map(json.loads, log.read_text().splitlines())
        by_writer.append([line["at"] for line in lines if line.get("changed")])
    silences = [_longest(moments, began, ended) for moments in by_writer]
    together = [moment for moments in by_writer for moment in moments]
    went_on = sum(any(moment > over for moment in moments) for moments in by_writer)
    return Outage(name, _longest(together, began, ended), max(silences), went_on)


def _longest(moments: list[float], began: float, ended: float) -> float:
    inside = [began, *sorted(m for m in moments if began < m < ended), ended]
    return max(later - earlier for earlier, later in pairwise(inside))
