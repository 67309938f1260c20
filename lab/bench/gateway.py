"""What the gateway costs: PostgREST alone, and behind Caddy and nginx, each as in gateway/ and with the token only.

    python lab/bench/gateway.py [--seconds 4] [--rounds 5]      # needs wrk

16 connections of wrk; each round measures each way once, in turn, and ratios are those of one round. Beside the rate
stands the gateway's own processor time a request, which depends least on what else the machine does.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from http_api import Load, _prepare, _wrk
from rich.console import Console
from rich.table import Table

from atlas_stage.local.embedded import EmbeddedPostgres
from atlas_stage.local.serving import programs
from atlas_stage.local.serving.gateway import LOOPBACK, Said, gateway, nginx_command
from atlas_stage.local.serving.part import Part
from atlas_stage.ops import resources
from atlas_stage.ops.deploy import migrate

LOADS = {"no-op": Load("/rpc/no_op_stable"), "one client": Load("/rpc/client?client_id=500")}
ALONE = "PostgREST alone"

Command = Callable[[Path, int, str], Said]
"""Makes one from a folder for it, the port to listen on, and where PostgREST is."""

# What a proxy of any kind has to do here: the token under its other name.
BARE_CADDY = """
{{
	admin off
	persist_config off
	auto_https off
}}
http://:{port} {{
	bind 127.0.0.1
	@bearer header_regexp token Authorization ^(?i:bearer)\\s+(\\S+)$
	request_header @bearer X-Atlas-Token {{re.token.1}}
	request_header -Authorization
	reverse_proxy {upstream}
}}
"""

NGINX = """
daemon off;
worker_processes 2;
error_log {folder}/nginx-error.log crit;
pid {folder}/nginx-own.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream postgrest {{ server {upstream}; keepalive 64; }}
  {rules}
}}
"""
BARE_NGINX = """
  map $http_authorization $token { "~*^bearer +(?<t>\\S+)$" $t; }
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://postgrest;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "";
      proxy_set_header X-Atlas-Token $token;
    }
  }
"""


@dataclass
class Way:
    """A way to PostgREST, and the process that is the way."""

    name: str
    url: str
    pid: int | None
    rates: dict[str, list[float]] = field(default_factory=dict)
    spent: dict[str, list[float]] = field(default_factory=dict)

    def seconds_used(self) -> float:
        """Processor time of the gateway so far."""
        if self.pid is None:
            return 0.0
        process = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (process, *process.children())]
        return sum(each.user + each.system for each in times)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    said = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt install wrk")
    with (
        tempfile.TemporaryDirectory(prefix="atlas-bench-", dir="/tmp") as folder,
        EmbeddedPostgres(Path(folder) / "data") as database,
    ):
        migrate(database.dsn)
        token = _prepare(database.dsn)
        with ways(database.dsn, Path(folder)) as found:
            for number in range(said.rounds):
                for name, load in LOADS.items():
                    for way in found if number % 2 == 0 else found[::-1]:
                        _measure(way, name, load, token, said.seconds)
    _report(found)
    return 0


def _measure(way: Way, name: str, load: Load, token: str, seconds: int) -> None:
    before = way.seconds_used()
    rate = _wrk(way.url, load, token, seconds, way.name == ALONE)
    way.rates.setdefault(name, []).append(rate)
    way.spent.setdefault(name, []).append((way.seconds_used() - before) / (rate * seconds))


@contextmanager
def ways(dsn: str, folder: Path) -> Iterator[list[Way]]:
    """All ways to one PostgREST."""
    with ExitStack() as stack:
        running = stack.enter_context(gateway(dsn, folder, 0, print, pool=10, program="caddy"))
        upstream = running.behind.removeprefix("http://")

        def begin(name: str, command: Command) -> Way:
            place = folder / name.replace(" ", "-").replace(",", "")
            place.mkdir()
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = int(free.getsockname()[1])
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
    file = place / "Caddyfile"
    file.write_text(BARE_CADDY.format(port=port, upstream=upstream))
    return [programs.caddy(), "run", "--adapter", "caddyfile", "--config", file], {}


def _nginx_of_ours(place: Path, port: int, upstream: str) -> Said:
    settings = {
        "ATLAS_CORS_ORIGIN": "none",
        "ATLAS_POSTGREST_UPSTREAM": upstream,
        "ATLAS_POSTGREST_ADMIN": upstream,
        "ATLAS_BOARD": str(resources.root() / "board"),
        "ATLAS_WRITES_TO": "write",
    }
    return nginx_command(programs.nginx(), LOOPBACK, port, settings, place)


def _bare_nginx(place: Path, port: int, upstream: str) -> Said:
    file = place / "nginx.conf"
    rules = BARE_NGINX.replace("PORT", str(port))
    file.write_text(NGINX.format(folder=place, upstream=upstream, rules=rules))
    return [programs.nginx(), "-e", "stderr", "-c", file], {}


def _answers(url: str) -> bool:
    try:
        httpx.get(url, timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def _report(found: list[Way]) -> None:
    table = Table(
        "way", *(f"{name}: {what}" for name in LOADS for what in ("a second", "of alone", "µs"))
    )
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
    sys.exit(main())
