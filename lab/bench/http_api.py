"""What the HTTP API costs against the least it could cost: a function that does nothing, over the same stack.

    python lab/bench/http_api.py [--seconds 5] [--rounds 3]

16 connections of wrk; every round measures each thing once, in turn, so that a slow minute of the machine meets all.
`set_stage` moves a client at each request, against a VOLATILE no-op; `client` and a page of 50 against a STABLE no-op;
`set_stages` with 1,000 moves a request against `set_stage`, in moves; a PATCH of the stage against the same as a call.
The gateway's own share is what Caddy takes of a no-op's rate.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from string import Template

import psycopg
import typer
from house import CLIENTS, start, throwaway
from rows import LeftOutError, Row, show

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.local.serving.gateway import gateway

CONNECTIONS = 16
THREADS = 2
CLIENTS_A_THREAD = 10_000
BATCHES_A_SECOND = 20  # more than a thread gets answered: no batch comes twice
BATCH = 1000
FLOORS = {
    "no-op VOLATILE": "no-op VOLATILE, without the gateway",
    "no-op STABLE": "no-op STABLE, without the gateway",
    "set_stage": "no-op VOLATILE",
    "PATCH of the stage": "set_stage",
    "set_stages, moves": "set_stage",
    "client": "no-op STABLE",
    "page of 50": "no-op STABLE",
}
GOALS = {
    "set_stage": 0.65,
    "PATCH of the stage": 0.87,
    "set_stages, moves": 10,
    "client": 0.8,
    "page of 50": 0.75,
}

_HERE = Path(__file__).parent
NO_OPS = """
create function api.no_op_{volatility}() returns jsonb language plpgsql {volatility} security definer
set search_path = '' as $$ begin return '{{}}'; end $$;
grant execute on function api.no_op_{volatility}() to atlas_api;
"""
MOVES = Template((_HERE / "moves.lua").read_text())
BATCHES = Template((_HERE / "batches.lua").read_text())
CALL = """wrk.format("POST", "/rpc/set_stage", nil, '{"client_id":' .. id .. "," .. body)"""
PATCH = """wrk.format("PATCH", "/api/clients/" .. id .. "/stage", nil, "{" .. body)"""


@dataclass(frozen=True)
class Load:
    """What wrk sends: a path, and a script where it is more than a GET."""

    path: str
    script: str = ""
    counts: int = 1  # a request for so many


def main(seconds: int = 5, rounds: int = 3) -> None:
    """What the HTTP API costs against a function that does nothing; ends with 1 when a goal is missed."""
    try:
        rows = measure(seconds, rounds)
    except LeftOutError as error:
        sys.exit(str(error))
    show(f"requests, {CONNECTIONS} connections of wrk", rows)
    raise typer.Exit(any(row.is_met is False for row in rows))


def measure(seconds: int = 5, rounds: int = 3) -> list[Row]:
    """The medians of the rounds, each against its baseline."""
    if shutil.which("wrk") is None:
        raise LeftOutError("wrk is missing: apt install wrk")
    rates: dict[str, list[float]] = {}
    with throwaway() as database:
        dsn, token = database.dsn, _prepare(database.dsn)
        with gateway(dsn, database.data.parent, 0, print, pool=10) as running:
            for number in range(rounds):
                loads = _loads(dsn, running.url, running.behind, seconds)
                for name, url, load in loads if number % 2 == 0 else loads[::-1]:
                    rate = _wrk(url, load, token, seconds, url == running.behind)
                    rates.setdefault(name, []).append(rate)
    return [_row(name, rates) for name in FLOORS]


def _prepare(dsn: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as db:
        for volatility in ("volatile", "stable"):
            db.execute(NO_OPS.format(volatility=volatility).encode())
        db.execute("alter function api.no_op_volatile() owner to atlas_owner")
        db.execute("alter function api.no_op_stable() owner to atlas_owner")
        db.execute("select rules.write_calls()")  # a static call, as the others have
        db.execute(CLIENTS, (1, 1000))
    with Stage(PsycopgTransport(dsn, "user:jimmie")) as stage:
        return stage.issue_token("user:jimmie", never_expires=True).token


def _loads(dsn: str, url: str, behind: str, seconds: int) -> list[tuple[str, str, Load]]:
    batched = BATCH * BATCHES_A_SECOND * seconds
    span = THREADS * (2 * CLIENTS_A_THREAD + batched)
    newest = "select max(id) from public.clients"
    with psycopg.connect(dsn, autocommit=True) as db:
        ((before,),) = db.execute(newest)
        db.execute(CLIENTS, (before + 1, before + span))
        ((last,),) = db.execute(newest)
        db.execute("vacuum (analyze) public.clients")
        db.execute("vacuum (analyze) public.stage_history")
        db.execute("checkpoint")
    first = last - span + 1
    patched = first + THREADS * CLIENTS_A_THREAD
    others = patched + THREADS * CLIENTS_A_THREAD
    moves = MOVES.substitute(first=first, each=CLIENTS_A_THREAD, request=CALL)
    patches = MOVES.substitute(first=patched, each=CLIENTS_A_THREAD, request=PATCH)
    batches = BATCHES.substitute(first=others, each=batched, batch=BATCH)
    no_op = Load("/rpc/no_op_volatile", 'wrk.method = "POST"; wrk.body = "{}"')
    read_nothing = Load("/rpc/no_op_stable")
    return [
        ("no-op VOLATILE", url, no_op),
        ("set_stage", url, Load("/rpc/set_stage", moves)),
        ("PATCH of the stage", url, Load("/api/clients/:id/stage", patches)),
        ("set_stages, moves", url, Load("/rpc/set_stages", batches, BATCH)),
        ("no-op STABLE", url, read_nothing),
        ("client", url, Load("/rpc/client?client_id=500")),
        ("page of 50", url, Load("/rpc/clients?page_size=50")),
        ("no-op VOLATILE, without the gateway", behind, no_op),
        ("no-op STABLE, without the gateway", behind, read_nothing),
    ]


def _wrk(url: str, load: Load, token: str, seconds: int, behind: bool) -> float:
    """Requests a second, all of them answered with 200."""
    # PostgREST itself knows X-Atlas-Token only; the gateway drops what is not its own.
    header = f"X-Atlas-Token: {token}" if behind else f"Authorization: Bearer {token}"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(load.script)
        script.write('\nwrk.headers["Content-Type"] = "application/json"\n')
        script.flush()
        command = ["wrk", "-t", str(THREADS), "-c", str(CONNECTIONS), "-d", f"{seconds}s"]
        command += ["--timeout", "30s", "-s", script.name, "-H", header, url + load.path]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(f"{load.path} was not always answered with 200:\n{done.stdout}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found is not None
    return float(found[1]) * load.counts


def _row(name: str, rates: dict[str, list[float]]) -> Row:
    floor = FLOORS[name]
    of = floor.removeprefix(f"{name}, ")
    return Row.of_rounds(f"{name} over HTTP", rates[name], "/s", rates[floor], of, GOALS.get(name))


if __name__ == "__main__":
    start(main)
