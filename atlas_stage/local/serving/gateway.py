"""PostgREST and Caddy before a database, as `gateway/` says."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from psycopg.conninfo import conninfo_to_dict

from atlas_stage.local.serving import programs
from atlas_stage.local.serving.part import Part, stop_leftover
from atlas_stage.local.serving.programs import PartError
from atlas_stage.ops import resources

_HOST = "127.0.0.1"


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    url: str
    behind: str
    """PostgREST itself, which nobody else needs to reach."""
    parts: tuple[Part, ...]

    def ended_part(self) -> Part | None:
        """The part that has ended by itself, if any."""
        return next((part for part in self.parts if not part.is_running()), None)


@contextmanager
def gateway(
    dsn: str, folder: Path, port: int, report: Callable[[str], None], pool: int = 10
) -> Iterator[Gateway]:
    """Serve the database over HTTP on a loopback port (0: any free one). Raises PartError.

    `dsn` is any address of the database; PostgREST comes to it as atlas_authenticator. Logs go into `folder`.
    """
    files = resources.root() / "gateway"
    board = resources.root() / "board"
    with ExitStack() as stack:
        postgrest, caddy = programs.postgrest(report), programs.caddy()
        for name in ("Caddy", "PostgREST"):
            stop_leftover(folder, name)
        port = _free_port(port)
        upstream, admin = _free_port(0), _free_port(0)
        url = f"http://{_HOST}:{port}"
        behind = Part(
            "PostgREST",
            [postgrest, files / "postgrest.conf"],
            _libpq_settings(dsn)
            | {
                "PGRST_SERVER_HOST": _HOST,
                "PGRST_SERVER_PORT": str(upstream),
                "PGRST_ADMIN_SERVER_PORT": str(admin),
                "PGRST_DB_POOL": str(pool),
                "PGRST_OPENAPI_SERVER_PROXY_URI": url,
            },
            folder,
            lambda: _answers(f"http://{_HOST}:{admin}/ready"),
        )
        before = Part(
            "Caddy",
            [caddy, "run", "--adapter", "caddyfile", "--config", files / "Caddyfile"],
            {
                "ATLAS_GATEWAY": f"http://:{port}",
                "ATLAS_BIND": _HOST,
                "ATLAS_POSTGREST_UPSTREAM": f"{_HOST}:{upstream}",
                "ATLAS_POSTGREST_ADMIN": f"{_HOST}:{admin}",
                "ATLAS_BOARD": board.as_posix(),
                "XDG_CONFIG_HOME": str(folder / "caddy"),
                "XDG_DATA_HOME": str(folder / "caddy"),
            },
            folder,
            lambda: _answers(f"{url}/healthz"),
        )
        behind_url = f"http://{_HOST}:{upstream}"
        yield Gateway(url, behind_url, (stack.enter_context(behind), stack.enter_context(before)))


def _libpq_settings(dsn: str) -> dict[str, str]:
    """What PostgREST's connection needs, outside the command line and the configuration."""
    known = conninfo_to_dict(dsn)
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "sslmode": "PGSSLMODE"}
    settings = {variable: str(known[name]) for name, variable in names.items() if name in known}
    return settings | {"PGUSER": "atlas_authenticator"}


def _free_port(wanted: int) -> int:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, wanted))
        except OSError as error:
            raise PartError(
                f"port {wanted} cannot be used ({error.strerror}): choose another with --port"
            ) from error
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
