"""Our calls against the same small service written with FastAPI, Django and Next.js, on the same machine.

    python bench/compare.py [--seconds 4] [--rounds 5]      # needs wrk; Next.js needs node and npm

The services of bench/others/ look a token up and check grants at each request as ours does, on tables of their own with
the same columns and indexes and no triggers. First each of them, and ours, has to answer rightly, refusals among it.
Then 16 connections of wrk at one service at a time, the others idle; every round measures each once, in turn. Ours is
measured at the plan's paths through the gateway, and again as PostgREST without it. Two processes for each of the
others, for two cores. By processor time (that of the service and of PostgreSQL together) is how many are answered for
each second of it: with both cores busy the rates are as these, and other work beside it changes them less.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
from http_api import CALL, MOVES, PATCH, THREADS, Load, _wrk
from psycopg.conninfo import conninfo_to_dict
from rows import LeftOutError, Row, console, show

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.local.serving.gateway import gateway
from atlas_stage.local.serving.part import Part
from atlas_stage.local.serving.programs import PartError
from atlas_stage.ops.deploy import migrate

OTHERS = Path(__file__).parent / "others"
WANTED = 1.5
WARM_UP_REQUESTS = 2000  # of each read: Node compiles what it has run often
KNOWN = 1000  # clients that are read; those that are moved come after them
BUSY = 500  # the client whose history is read, with more than a page of it
CHECKED = 100  # the first client that is moved to see whether a service does it rightly
CLIENTS_A_THREAD = 2000
WORDS = {"move": "a move", "page": "a page of 50", "client": "one client", "history": "a history"}

CLIENTS = "insert into public.clients (name, slug) select 'Client ' || n, 'client-' || n from generate_series(1, {}) n"
COPIES = """
insert into plain.clients select * from public.clients;
insert into plain.stage_history select * from public.stage_history;
"""


@dataclass(frozen=True)
class Paths:
    """How a service spells the four requests."""

    page: str
    client: str
    history: str
    move: str
    moving: str
    """The move as wrk's script makes it."""
    method: str

    def move_of(self, client_id: int, **asked: object) -> tuple[str, str, dict[str, object]]:
        """Method, path and body of a move."""
        body = asked if "{id}" in self.move else {"client_id": client_id, **asked}
        return self.method, self.move.format(id=client_id), body


PLAN = Paths(
    "/api/clients?page_size=50",
    "/api/clients/{id}",
    "/api/clients/{id}/stage_history?limit=20",
    "/api/clients/{id}/stage",
    PATCH,
    "PATCH",
)
RPC = Paths(
    "/rpc/clients?page_size=50",
    "/rpc/client?client_id={id}",
    "/rpc/stage_history?client_id={id}&page_size=20",
    "/rpc/set_stage",
    CALL,
    "POST",
)


@dataclass
class Measured:
    """Of one request to one service, round by round."""

    name: str
    rates: list[float] = field(default_factory=list)
    """Requests a second."""
    served: list[float] = field(default_factory=list)
    """Requests a second of processor time."""


@dataclass
class Service:
    """A service that runs, and what was measured of it, by request."""

    name: str
    url: str
    paths: Paths
    pids: list[int]
    measured: dict[str, Measured] = field(default_factory=dict)

    @property
    def is_behind(self) -> bool:
        """Whether it is PostgREST itself, which knows the token under another name."""
        return self.paths is RPC


@dataclass(frozen=True)
class Tokens:
    """Of an admin, and of somebody without any grant."""

    admin: str
    stranger: str


def main() -> int:
    """Measure, print, and end with 1 when a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    try:
        rows = measure(options.seconds, options.rounds)
    except LeftOutError as error:
        sys.exit(str(error))
    show("the same service, written otherwise", rows)
    return 1 if any(row.is_met is False for row in rows) else 0


def measure(seconds: int = 4, rounds: int = 5) -> list[Row]:
    """The medians of the rounds, ours against each of the others and the best of them."""
    if shutil.which("wrk") is None:
        raise LeftOutError("wrk is missing: apt install wrk")
    with (
        tempfile.TemporaryDirectory(prefix="atlas-bench-", dir="/tmp") as name,
        EmbeddedPostgres(Path(name) / "data") as database,
    ):
        folder = Path(name)
        tokens = prepare(database.dsn, rounds)
        with services(database.dsn, folder) as found:
            if len(found) == 2:
                raise LeftOutError("none of the other services can run here")
            answer_rightly(found, tokens)
            server = int((database.data / "pgdata" / "postmaster.pid").read_text().split()[0])
            for place, service in enumerate(found):
                _warm_up(service, rounds * 5 + place, tokens.admin)
            for number in range(rounds):
                _round(found, number, tokens.admin, seconds, server, database.dsn)
        return _rows(found)


def prepare(dsn: str, rounds: int = 0) -> Tokens:
    """Our database, and the tables of the others with the same clients and history in them."""
    migrate(dsn)
    most = KNOWN + (rounds + 1) * 5 * THREADS * CLIENTS_A_THREAD
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute(CLIENTS.format(most).encode())
    with Stage(PsycopgTransport(dsn, "user:jimmie")) as stage:
        for version in range(40):
            to_stage = ("cleanup", "weekly")[version % 2]
            stage.set_stage(BUSY, to_stage=to_stage, reason="bench", expected_version=version)
        tokens = Tokens(
            stage.issue_token("user:jimmie", never_expires=True).token,
            stage.issue_token("user:stranger", never_expires=True).token,
        )
    with psycopg.connect(dsn, autocommit=True) as db:
        db.execute((OTHERS / "tables.sql").read_bytes())
        db.execute(COPIES)
    return tokens


@contextmanager
def services(dsn: str, folder: Path) -> Iterator[list[Service]]:
    """Ours through the gateway, ours without it, and those of the others that can run here."""
    with ExitStack() as stack:
        running = stack.enter_context(gateway(dsn, folder, 0, print, pool=10))
        caddy, postgrest = (
            int((folder / f"{part}.pid").read_text().split()[0]) for part in ("caddy", "postgrest")
        )
        found = [
            Service("ours", running.url, PLAN, [caddy, postgrest]),
            Service("ours without Caddy", running.behind, RPC, [postgrest]),
        ]
        for name, begin in BEGINNINGS.items():
            place = folder / name.lower().replace(".", "")
            place.mkdir()
            try:
                found.append(stack.enter_context(_other(name, begin, dsn, place)))
            except (LeftOutError, PartError) as error:
                console.print(f"{name} is left out: {error}")
        yield found


@contextmanager
def _other(
    name: str, begin: Callable[[Path, int], Command], dsn: str, place: Path
) -> Iterator[Service]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command, settings = begin(place, port)
    where = conninfo_to_dict(dsn)
    settings = settings | {
        "PGHOST": str(where["host"]),
        "PGPORT": str(where["port"]),
        "PGDATABASE": str(where["dbname"]),
        "PGUSER": "plain_service",
    }
    url = f"http://127.0.0.1:{port}"
    with Part("service", command, settings, place, lambda: _is_there(url)):
        pid = int((place / "service.pid").read_text().split()[0])
        yield Service(name, url, PLAN, [pid])


def _is_there(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/clients", timeout=5, trust_env=False).status_code == 401
    except httpx.TransportError:
        return False


Command = tuple[list[str | Path], Mapping[str, str]]
"""A command, and what goes into its environment."""


def _fastapi(_: Path, port: int) -> Command:
    _require("fastapi", "uvicorn", "uvloop", "asyncpg")
    command = [sys.executable, "-m", "uvicorn", "--app-dir", OTHERS, "fastapi_service:app"]
    command += ["--port", str(port), "--workers", "2", "--no-access-log", "--log-level", "warning"]
    return command, {}


def _django(_: Path, port: int) -> Command:
    _require("django", "gunicorn")
    command = [sys.executable, "-m", "gunicorn", "--chdir", OTHERS, "django_service:application"]
    command += ["--bind", f"127.0.0.1:{port}", "--workers", "2", "--worker-class", "gthread"]
    command += ["--threads", "8", "--keep-alive", "75"]
    return command, {}


def _nextjs(place: Path, port: int) -> Command:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise LeftOutError("node or npm is missing: apt install nodejs npm")
    home = place / "nextjs"
    shutil.copytree(OTHERS / "nextjs", home)
    settings = {"NODE_ENV": "production", "NEXT_TELEMETRY_DISABLED": "1"}
    with console.status("building the service with Next.js …"):
        for command in (
            [npm, "install", "--no-audit", "--no-fund", "--no-package-lock"],
            [node, "node_modules/next/dist/bin/next", "build"],
        ):
            done = subprocess.run(
                command,
                cwd=home,
                env=os.environ | settings,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
                raise LeftOutError(f"{' '.join(command[1:3])} failed: {said[0]}")
    # It serves the folder that it stands in.
    start = ["sh", "-c", 'cd "$0" && exec "$1" cluster.js', home, node]
    return start, settings | {"PORT": str(port)}


BEGINNINGS = {"FastAPI": _fastapi, "Django": _django, "Next.js": _nextjs}


def _require(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise LeftOutError(f"{package} is missing: pip install -e '.[bench]'")


def answer_rightly(found: list[Service], tokens: Tokens) -> None:
    """Ours and the others answer the same requests with the same, refusals among them. Raises AssertionError."""
    expected: dict[str, Any] = {}
    for number, service in enumerate(found):
        with httpx.Client(base_url=service.url, trust_env=False) as http:
            answered = _reads(http, service, tokens)
            if not expected:
                expected = answered
            for what, answer in expected.items():
                assert answered[what] == answer, f"{service.name}: {what} is {answered[what]}"
            _moves(http, service, tokens, CHECKED + number)


def _reads(http: httpx.Client, service: Service, tokens: Tokens) -> dict[str, Any]:
    paths = service.paths
    wanted = {
        "page": (paths.page, "clients"),
        "client": (paths.client.format(id=BUSY), "client"),
        "newest": (paths.client.format(id=BUSY), "history"),
        "history": (paths.history.format(id=BUSY), "history"),
    }
    answered = {}
    for what, (path, key) in wanted.items():
        assert http.get(path).status_code == 401, f"{service.name}: {what} without a token"
        wrong = http.get(path, headers=_token(service, tokens.admin[:-1]))
        assert wrong.status_code == 401, f"{service.name}: {what} with a wrong token"
        right = http.get(path, headers=_token(service, tokens.admin))
        assert right.status_code == 200, f"{service.name}: {what} is {right.status_code}"
        answered[what] = _plain(right.json()[key])
    nobody = http.get(paths.client.format(id=10**9), headers=_token(service, tokens.admin))
    assert nobody.status_code == 404, f"{service.name}: a client that is not there"
    return answered


def _moves(http: httpx.Client, service: Service, tokens: Tokens, client_id: int) -> None:
    def asked(token: str, version: int, stage: str) -> httpx.Response:
        method, path, body = service.paths.move_of(
            client_id, to_stage=stage, reason="bench", expected_version=version
        )
        return http.request(method, path, json=body, headers=_token(service, token))

    refusals = {
        401: (tokens.admin[:-1], 0, "cleanup"),
        403: (tokens.stranger, 0, "cleanup"),
        409: (tokens.admin, 7, "cleanup"),
        422: (tokens.admin, 0, "eom_review"),
    }
    for status, (token, version, stage) in refusals.items():
        refused = asked(token, version, stage)
        assert refused.status_code == status, f"{service.name}: {refused.status_code}, not {status}"
    moved = asked(tokens.admin, 0, "cleanup")
    assert moved.status_code == 200, f"{service.name}: {moved.text}"
    client, history = moved.json()["client"], moved.json()["history"]
    assert (client["stage"], client["version"]) == ("cleanup", 1), f"{service.name}: {client}"
    expected = ("weekly", "cleanup", 1, "user:jimmie", "bench")
    keys = ("from_stage", "to_stage", "version", "actor_id", "reason")
    assert tuple(history[key] for key in keys) == expected, f"{service.name}: {history}"
    path = service.paths.client.format(id=client_id)
    read = http.get(path, headers=_token(service, tokens.admin)).json()
    assert _plain(read) == _plain({"client": client, "history": history}), f"{service.name}: {read}"


def _plain(answer: Any) -> Any:
    """Without the spelling of times and transaction ids, which differs from one language to another."""
    if isinstance(answer, dict):
        hidden = ("_at", "xid")
        return {k: k if k.endswith(hidden) else _plain(v) for k, v in answer.items()}
    return [_plain(each) for each in answer] if isinstance(answer, list) else answer


def _token(service: Service, token: str) -> dict[str, str]:
    return {"X-Atlas-Token": token} if service.is_behind else {"Authorization": f"Bearer {token}"}


def _round(
    found: list[Service], number: int, token: str, seconds: int, server: int, dsn: str
) -> None:
    with psycopg.connect(dsn, autocommit=True) as db:
        for schema in ("public", "plain"):
            db.execute(f"vacuum (analyze) {schema}.clients".encode())
            db.execute(f"vacuum (analyze) {schema}.stage_history".encode())
        db.execute("checkpoint")
    for what in WORDS:
        for place, service in list(enumerate(found))[:: 1 if number % 2 == 0 else -1]:
            load = _load(service.paths, what, number * 5 + place)
            pids = [server, *service.pids]
            before = _seconds_used(pids)
            rate = _wrk(service.url, load, token, seconds, service.is_behind)
            measured = service.measured.setdefault(what, Measured(service.name))
            measured.rates.append(rate)
            measured.served.append(rate * seconds / (_seconds_used(pids) - before))


def _warm_up(service: Service, share: int, token: str) -> None:
    for what in ("page", "client", "history"):
        answered = 0.0
        while answered < WARM_UP_REQUESTS:
            load = _load(service.paths, what, share)
            answered += 2 * _wrk(service.url, load, token, 2, service.is_behind)
    _wrk(service.url, _load(service.paths, "move", share), token, 2, service.is_behind)


def _load(paths: Paths, what: str, share: int) -> Load:
    """What wrk does; moves are of a share of the clients that nobody has moved yet."""
    if what == "move":
        first = KNOWN + 1 + share * THREADS * CLIENTS_A_THREAD
        script = MOVES.format(first=first, each=CLIENTS_A_THREAD, request=paths.moving)
        return Load(paths.move, script)
    return Load(getattr(paths, what).format(id=BUSY))


def _seconds_used(pids: list[int]) -> float:
    """Processor time so far of these and all that they started, also of what has ended meanwhile."""
    used = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            try:
                used += sum(each.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue
    return used


def _rows(found: list[Service]) -> list[Row]:
    rows = []
    for what, words in WORDS.items():
        ours, alone, *others = (each.measured[what] for each in found)
        best, *rest = sorted(others, key=lambda other: statistics.median(other.served))[::-1]
        fastest = max(others, key=lambda other: statistics.median(other.rates))
        unit, of = "/s", f"{best.name}, the best"
        served = f"{words}, by processor time"
        rows.append(Row.of_rounds(served, ours.served, unit, best.served, of, WANTED))
        rows += [
            Row.of_rounds(served, ours.served, unit, other.served, other.name) for other in rest
        ]
        rows.append(
            Row.of_rounds(f"{words}, the same without Caddy", alone.served, unit, best.served, of)
        )
        of = f"{fastest.name}, the best"
        rows.append(Row.of_rounds(words, ours.rates, unit, fastest.rates, of))
    return rows


if __name__ == "__main__":
    sys.exit(main())
