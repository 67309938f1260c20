"""What the gateway costs: PostgREST behind Caddy and behind nginx, against PostgREST alone.

    python lab/bench/gateway.py [--seconds 4] [--rounds 5]      # needs wrk

16 connections of wrk; each round measures each way once, in turn. Beside the rates stands the gateway's own processor
time a request, which depends least on what else the machine does.
"""

import shutil
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import psutil
from house import command, throwaway
from http_api import Load, _prepare, _wrk
from rows import LeftOutError, Row

from atlas_stage.local.serving.gateway import gateway

LOADS = {"no-op": Load("/rpc/no_op_stable"), "one client": Load("/rpc/client?client_id=500")}
PROGRAMS = ("caddy", "nginx")


def measure(seconds: int = 4, rounds: int = 5) -> list[Row]:
    """The medians of the rounds, each against PostgREST alone."""
    if shutil.which("wrk") is None:
        raise LeftOutError("wrk is missing: apt install wrk")
    rates, alone, spent = (defaultdict[str, list[float]](list) for _ in range(3))
    with throwaway() as database, ExitStack() as stack:
        token = _prepare(database.dsn)
        running = {}
        for program in PROGRAMS:
            folder = database.data.parent / program
            folder.mkdir()
            running[program] = stack.enter_context(gateway(database.dsn, folder, 0, print, pool=10, program=program))
        for _ in range(rounds):
            for name, load in LOADS.items():
                for program, way in running.items():
                    what = f"{name} through {program}"
                    alone[what].append(_wrk(way.behind, load, token, seconds, behind=True))
                    before = _used(database.data.parent / program, program)
                    rates[what].append(_wrk(way.url, load, token, seconds, behind=False))
                    used = _used(database.data.parent / program, program) - before
                    spent[what].append(used / (rates[what][-1] * seconds))
    return [
        row
        for what in rates
        for row in (
            Row.of_rounds(what, rates[what], "/s", alone[what], "PostgREST alone"),
            Row(f"{what}, its own time", median(spent[what]) * 1e6, "µs"),
        )
    ]


def _used(folder: Path, program: str) -> float:
    """Seconds of processor time that the gateway has used."""
    process = psutil.Process(int((folder / f"{program}.pid").read_text().split()[0]))
    times = [each.cpu_times() for each in (process, *process.children())]
    return sum(each.user + each.system for each in times)


if __name__ == "__main__":
    command("The gateway", measure)
