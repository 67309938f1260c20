"""The product on a cluster: deployed, with a gateway before the leader and one before the standbys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.local.serving.gateway import Gateway, gateway
from atlas_stage.ops.deploy import migrate
from lab.faults.ways import ADMIN, Http, Way, with_client, with_psycopg
from lab.ha.cluster import Cluster, Tell, cluster


@dataclass(frozen=True)
class Served:
    """What a caller can reach."""

    cluster: Cluster
    leader: Gateway
    standbys: Gateway
    token: str

    def ways(self) -> list[Callable[[], Way]]:
        """How sixteen writers come: over HTTP, through PgBouncer, through HAProxy, and by libpq's own search."""
        at = self.cluster
        return [
            *[lambda: Http(self.leader.url, self.token)] * 4,
            *[lambda: with_client(self.leader.url, self.token)] * 4,
            *[lambda: with_psycopg(at.pooled_dsn)] * 4,
            *[lambda: with_psycopg(at.dsn)] * 2,
            *[lambda: with_psycopg(at.several_hosts_dsn)] * 2,
        ]

    def readers(self) -> dict[str, Callable[[], Way]]:
        return {
            "reader": lambda: Http(self.leader.url, self.token),
            "standby-http": lambda: Http(self.standbys.url, self.token),
            "standby-psycopg": lambda: with_psycopg(self.cluster.standby_dsn),
        }


@contextmanager
def served(folder: Path, tell: Tell) -> Iterator[Served]:
    """All of it, with its data in `folder`, which is new."""
    with cluster(folder, tell) as at:
        tell("deploy …")
        migrate(at.dsn)
        with Stage(PsycopgTransport(at.dsn, ADMIN)) as stage:
            token = stage.issue_token(ADMIN, never_expires=True).token
        places = [folder / "before-leader", folder / "before-standbys"]
        for place in places:
            place.mkdir()
        tell("PostgREST and the gateway, twice …")
        with (
            gateway(at.dsn, places[0], 0, tell, pool=10) as leader,
            gateway(at.standby_dsn, places[1], 0, tell, pool=4, standby=True) as standbys,
        ):
            yield Served(at, leader, standbys, token)
