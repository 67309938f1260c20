"""What each part of the cluster costs a single caller: the same call over two ways, in turn."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import cycle

from psycopg.conninfo import make_conninfo

from atlas_stage import PsycopgTransport, Stage
from lab.faults.ways import ADMIN
from lab.ha.served import Served

_ROUNDS = 7
_CALLS = 60
_CONNECTIONS = 15

Call = Callable[[], object]


def figures(at: Served) -> Iterator[str]:
    """One line a figure."""
    place = at.cluster
    with ExitStack() as opened:

        def stage(dsn: str) -> Stage:
            return opened.enter_context(Stage.connect(dsn, ADMIN))

        direct, pooled = stage(place.dsn), stage(place.pooled_dsn)
        standby = stage(place.standby_dsn)
        alone = stage(make_conninfo(place.dsn, options="-c synchronous_commit=local"))
        http, http_standby = (
            opened.enter_context(Stage.connect(url=each.url, token=at.token)) for each in (at.leader, at.standbys)
        )
        one, other = (direct.create_client(n, slug=n).client.id for n in ("figures-1", "figures-2"))
        place.wait_until_whole()
        time.sleep(1)  # the standbys have replayed it
        what = "a flag, committed when a standby has it, against at once"
        yield _line(what, _CALLS, _flags(direct, one), _flags(alone, other))
        what = "one client, through PgBouncer, against without"
        yield _line(what, _CALLS, lambda: pooled.client(one), lambda: direct.client(one))
        what = "one client with its own connection, through PgBouncer, against without"
        pooled_once, once = (partial(_once, dsn, one) for dsn in (place.pooled_dsn, place.dsn))
        yield _line(what, _CONNECTIONS, pooled_once, once)
        what = "one client, from a standby, against from the leader"
        yield _line(what, _CALLS, lambda: standby.client(one), lambda: direct.client(one))
        what = "the same over HTTP"
        yield _line(what, _CALLS, lambda: http_standby.client(one), lambda: http.client(one))


def _flags(stage: Stage, client_id: int) -> Call:
    turn = cycle((stage.set_flag, stage.clear_flag))
    return lambda: next(turn)(client_id, flag="client_blocking")


def _once(dsn: str, client_id: int) -> None:
    transport = PsycopgTransport(dsn, ADMIN)
    transport.call("client", {"client_id": client_id}, read=True)
    transport.close()


def _line(what: str, calls: int, call: Call, floor: Call) -> str:
    pairs = [(_milliseconds(call, calls), _milliseconds(floor, calls)) for _ in range(_ROUNDS)]
    ratio = statistics.median(mine / least for mine, least in pairs)
    mine, least = (statistics.median(side) for side in zip(*pairs, strict=True))
    return f"{what}: {mine:.2f} ms, {least:.2f} ms: {ratio:.2f} times"


def _milliseconds(call: Call, calls: int) -> float:
    call()
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) * 1000 / calls
