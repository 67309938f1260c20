"""What the gateway costs: PostgREST alone, and behind Caddy and nginx, each as in gateway/ and with the token only.

    python lab/bench/gateway.py [--seconds 4] [--rounds 5]      # needs wrk

16 connections of wrk; each round measures each way once, in turn, and ratios are those of one round. Beside the rate
stands the gateway's own processor time a request, which depends least on what else the machine does.
"""

import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

import httpx
import psutil
from house import start, throwaway
from http_api import Load, _prepare, _wrk
from rich.console import Console
from rich.table import Table

from atlas_stage.local.serving import programs
from atlas_stage.local.serving.gateway import LOOPBACK, Said, free_port, gateway, nginx_command
from atlas_stage.local.serving.part import Part
from atlas_stage.ops import resources

LOADS = {"no-op": Load("/rpc/no_op_stable"), "one client": Load("/rpc/client?client_id=500")}
ALONE = "PostgREST alone"

Command = Callable[[Path, int, str], Said]
"""Makes one from a folder for it, the port to listen on, and where PostgREST is."""

_HERE = Path(__file__).parent


@dataclass
class Way:
    """A way to PostgREST, and the process that is the way."""

    name: str
    url: str
    pid: int | None
    rates: dict[str, list[float]] = field(default_factory=dict)
    spent: dict[str, list[float]] = field(default_factory=dict)

    def seconds_used(self) -> float:
        if self.pid is None:
            return 0.0
        process = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (process, *process.children())]
        return sum(each.user + each.system for each in times)


def main(seconds: int = 4, rounds: int = 5) -> None:
    """What the gateway costs: PostgREST alone, and behind Caddy and nginx."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt install wrk")
    with throwaway() as database:
        token = _prepare(database.dsn)
        with ways(database.dsn, database.data.parent) as found:
            for number in range(rounds):
                for name, load in LOADS.items():
                    for way in found if number % 2 == 0 else found[::-1]:
                        _measure(way, name, load, token, seconds)
    _report(found)


def _measure(way: Way, name: str, load: Load, token: str, seconds: int) -> None:
    before = way.seconds_used()
    rate = _wrk(way.url, load, token, seconds, way.name == ALONE)
    way.rates.setdefault(name, []).append(rate)
    way.spent.setdefault(name, []).append((way.seconds_used() - before) / (rate * seconds))


@contextmanager
def ways(dsn: str, folder: Path) -> Iterator[list[Way]]:
    with ExitStack() as stack:
        running = stack.enter_context(gateway(dsn, folder, 0, print, pool=10, program="caddy"))
        upstream = running.behind.removeprefix("http://")

        def begin(name: str, command: Command) -> Way:
            place = folder / name.replace(" ", "-").replace(",", "")
            place.mkdir()
            port = free_port()
            url = f"http://127.0.0.1:{port}"
            said, settings = command(place, port, upstream)
            stack.enter_context(Part("way", said, settings, place, lambda: _answers(url)))
            return Way(name, url, int((place / "way.pid").read_text().split()[0]))

        pid = int((folder / "caddy.pid").read_text().split()[0])
        found = [
            Way(ALONE, running.behind, None),
            Way("Caddy", running.url, pid),
            begin("Caddy, GOGC=400", _more_lazy_caddy),
            begin("nginx", _nginx_of_ours),
            begin("Caddy, token only", _bare_caddy),
            begin("nginx, token only", _bare_nginx),
        ]
        yield found


def _more_lazy_caddy(_: Path, port: int, upstream: str) -> Said:
    file = resources.root() / "gateway" / "Caddyfile"
    settings = {
        "ATLAS_GATEWAY": f"http://:{port}",
        "ATLAS_POSTGREST_UPSTREAM": upstream,
        "GOGC": "400",
    }
    return [programs.caddy(), "run", "--adapter", "caddyfile", "--config", file], settings


def _bare_caddy(place: Path, port: int, upstream: str) -> Said:
    file = _filled("bare.Caddyfile", place, port, upstream)
    return [programs.caddy(), "run", "--adapter", "caddyfile", "--config", file], {}


def _bare_nginx(place: Path, port: int, upstream: str) -> Said:
    file = _filled("bare.nginx.conf", place, port, upstream)
    return [programs.nginx(), "-e", "stderr", "-c", file], {}


def _filled(template: str, place: Path, port: int, upstream: str) -> Path:
    text = Template((_HERE / template).read_text())
    file = place / template
    file.write_text(text.substitute(folder=place, port=port, upstream=upstream))
    return file


def _nginx_of_ours(place: Path, port: int, upstream: str) -> Said:
    settings = {
        "ATLAS_CORS_ORIGIN": "none",
        "ATLAS_POSTGREST_UPSTREAM": upstream,
        "ATLAS_POSTGREST_ADMIN": upstream,
        "ATLAS_BOARD": str(resources.root() / "board"),
        "ATLAS_WRITES_TO": "write",
    }
    return nginx_command(programs.nginx(), LOOPBACK, port, settings, place)


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def _report(found: list[Way]) -> None:
    table = Table("way", *(f"{name}: {what}" for name in LOADS for what in ("a second", "of alone", "µs")))
    alone = found[0]
    for way in found:
        cells = []
        for name in LOADS:
            shares = [a / b for a, b in zip(way.rates[name], alone.rates[name], strict=True)]
            cells.append(f"{statistics.median(way.rates[name]):.0f}")
            cells.append(f"{statistics.median(shares):.2f}")
            cells.append(f"{statistics.median(way.spent[name]) * 1e6:.0f}")
        table.add_row(way.name, *cells)
    Console(width=130).print(table)


if __name__ == "__main__":
    start(main)
