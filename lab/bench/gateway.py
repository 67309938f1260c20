"""What the gateway costs: PostgREST alone, behind Caddy with our rules, and behind nginx with what it can do of them.

    python lab/bench/gateway.py [--seconds 4] [--rounds 5]      # needs wrk and nginx

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
from atlas_stage.local.serving.gateway import gateway
from atlas_stage.local.serving.part import Part
from atlas_stage.ops import resources
from atlas_stage.ops.deploy import migrate

LOADS = {"no-op": Load("/rpc/no_op_stable"), "one client": Load("/rpc/client?client_id=500")}
_SEARCHED = "/usr/sbin:/usr/local/sbin:/usr/bin"
ALONE = "PostgREST alone"

Said = tuple[list[str | Path], dict[str, str]]
"""A command, and what goes into its environment."""
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
# Left out, because nginx sees neither the reason phrase of an answer nor a body before it decides: whose words a
# refusal is in, a body that is an array, a body of blanks, and the second question to the rules.
RULES_NGINX = """
  map $http_authorization $token { "~*^bearer +(?<t>[!-~]{1,512})$" $t; "" ""; default "no bearer"; }
  map $request_uri $not_text {
    default 1;
    "~^([^\\x00-\\x20\\x7f%]|%(0[9ad]|[2-6][0-9a-fA-F]|7[0-9a-eA-E]|[c-fC-F][0-9a-fA-F]))*$" 0;
  }
  map $request_uri $long { default 0; "~^.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}.{1000}" 1; }
  map $http_idempotency_key $key { default $http_idempotency_key; "~.{1000}" ""; }
  map $args $plain { default 0; "" 1; "~^([a-z_]+=[^&;]*(&[a-z_]+=[^&;]*)*&?)?$" 1; }
  map $args $unknown { default 0; "~(^|&)(select|order|limit|offset|columns|on_conflict|and|or|not|pgrst_[a-z]*)=" 1; }
  map $args $without_value { default 0; "~=(&|$)" 1; }
  server {
    listen 127.0.0.1:PORT;
    server_tokens off;
    client_max_body_size 5m;
    add_header X-Content-Type-Options nosniff always;
    add_header X-Frame-Options DENY always;
    add_header Referrer-Policy no-referrer always;
    add_header Content-Security-Policy "default-src 'none'; frame-ancestors 'none'" always;
    add_header Cross-Origin-Resource-Policy same-origin always;
    add_header Cache-Control no-store always;
    if ($not_text) { return 400; }
    if ($long) { return 431; }
    location ~ ^/rpc/[a-z_]+$ {
      if ($request_method !~ ^(GET|HEAD|POST)$) { return 405; }
      if ($plain = 0) { return 400; }
      if ($unknown) { return 400; }
      if ($without_value) { return 400; }
      proxy_pass http://postgrest;
      proxy_http_version 1.1;
      proxy_pass_request_headers off;
      proxy_set_header Connection "";
      proxy_set_header Accept application/json;
      proxy_set_header Content-Type application/json;
      proxy_set_header Content-Length $http_content_length;
      proxy_set_header X-Atlas-Token $token;
      proxy_set_header Idempotency-Key $key;
      proxy_hide_header Server;
      proxy_hide_header Content-Location;
      proxy_hide_header Content-Range;
      proxy_hide_header Retry-After;
      proxy_intercept_errors on;
      error_page 502 504 = @away;
    }
    location @away {
      add_header Retry-After 2 always;
      return 503;
    }
    location / { return 404; }
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
    if shutil.which("wrk") is None or shutil.which("nginx", path=_SEARCHED) is None:
        sys.exit("wrk or nginx is missing: apt install wrk nginx-light")
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
        running = stack.enter_context(gateway(dsn, folder, 0, print, pool=10))
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
            Way("Caddy, our rules", running.url, pid),
            begin("the same, GOGC=400", _caddy_with_our_rules),
            begin("Caddy, token only", _bare_caddy),
            begin("nginx, such rules as it can", _nginx(RULES_NGINX)),
            begin("nginx, token only", _nginx(BARE_NGINX)),
        ]
        yield found


def _caddy_with_our_rules(_: Path, port: int, upstream: str) -> Said:
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


def _nginx(rules: str) -> Command:
    def command(place: Path, port: int, upstream: str) -> Said:
        file = place / "nginx.conf"
        filled = rules.replace("PORT", str(port))
        file.write_text(NGINX.format(folder=place, upstream=upstream, rules=filled))
        found = shutil.which("nginx", path=_SEARCHED)
        assert found is not None
        return [found, "-c", file], {}

    return command


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
