"""PostgREST and Caddy before a database, as `gateway/` says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from atlas_stage.local.serving import programs
from atlas_stage.local.serving.part import Part, PortTakenError, stop_leftover
from atlas_stage.local.serving.ports import LOOPBACK, free_port
from atlas_stage.ops import resources

LOGIN = "atlas_authenticator"


@dataclass(frozen=True)
class Gateway:
    """A running gateway."""

    url: str
    behind: str
    """PostgREST itself, which nobody else needs to reach."""
    parts: tuple[Part, ...]

    def ended_part(self) -> Part | None:
        """The part that has exited, if any."""
        return next((part for part in self.parts if not part.is_running()), None)


@contextmanager
def gateway(
    dsn: str,
    folder: Path,
    port: int,
    report: Callable[[str], None],
    pool: int | None = None,
    host: str = LOOPBACK,
    standby: bool = False,
) -> Iterator[Gateway]:
    """Serve the database over HTTP at a port (0: any free one) of an address. Raises PartError.

    `dsn` is any address of the database; PostgREST comes to it as atlas_authenticator. Logs go into `folder`.
    ATLAS_CORS_ORIGIN and ATLAS_PUBLIC_URL are those of the environment. `standby`: the database only reads.
    """
    for name in ("Caddy", "PostgREST"):
        stop_leftover(folder, name)
    with ExitStack() as stack:
        # A port that was free may be another program's by the time that ours listens.
        for attempt in Retrying(
            retry=retry_if_exception_type(PortTakenError), stop=stop_after_attempt(5), reraise=True
        ):
            with attempt:
                running = stack.enter_context(
                    _gateway_at(free_port(host, port), dsn, folder, report, pool, host, standby)
                )
        yield running


@contextmanager
def _gateway_at(
    port: int,
    dsn: str,
    folder: Path,
    report: Callable[[str], None],
    pool: int | None,
    host: str,
    standby: bool,
) -> Iterator[Gateway]:
    files = resources.root() / "gateway"
    board = resources.root() / "board"
    with ExitStack() as stack:
        postgrest, caddy = programs.postgrest(report), programs.caddy()
        upstream, admin = free_port(), free_port()
        url = f"http://{_reachable(host)}:{port}"
        behind = Part(
            "PostgREST",
            [postgrest, files / "postgrest.conf"],
            _libpq_settings(dsn)
            | {
                "PGRST_SERVER_HOST": LOOPBACK,
                "PGRST_SERVER_PORT": str(upstream),
                "PGRST_ADMIN_SERVER_PORT": str(admin),
                "PGRST_OPENAPI_SERVER_PROXY_URI": os.environ.get("ATLAS_PUBLIC_URL") or url,
                "GHCRTS": os.environ.get("GHCRTS") or f"-N{_postgrest_cores()}",
            }
            | ({} if pool is None else {"PGRST_DB_POOL": str(pool)})
            # A standby lets nobody listen, and PostgREST would not be ready before it does.
            | ({"PGRST_DB_CHANNEL_ENABLED": "false"} if standby else {}),
            folder,
            lambda: _answers(f"http://{LOOPBACK}:{admin}/ready"),
        )
        before = Part(
            "Caddy",
            [caddy, "run", "--adapter", "caddyfile", "--config", files / "Caddyfile"],
            {
                "ATLAS_GATEWAY": f"http://:{port}",
                "ATLAS_BIND": host,
                "ATLAS_CORS_ORIGIN": os.environ.get("ATLAS_CORS_ORIGIN") or "none",
                "ATLAS_POSTGREST_UPSTREAM": f"{LOOPBACK}:{upstream}",
                "ATLAS_POSTGREST_ADMIN": f"{LOOPBACK}:{admin}",
                "ATLAS_BOARD": board.as_posix(),
                "ATLAS_WRITES_TO": "read" if standby else "write",
                "XDG_CONFIG_HOME": str(folder / "caddy"),
                "XDG_DATA_HOME": str(folder / "caddy"),
            },
            folder,
            lambda: _answers(f"{url}/healthz"),
        )
        behind_url = f"http://{LOOPBACK}:{upstream}"
        yield Gateway(url, behind_url, (stack.enter_context(behind), stack.enter_context(before)))


def _libpq_settings(dsn: str) -> dict[str, str]:
    """What PostgREST's connection needs, outside the command line and the configuration."""
    known = conninfo_to_dict(dsn)
    if known.get("user") != LOGIN:
        known.pop("password", None)  # somebody else's
    settings = {
        option.envvar.decode(): str(known[option.keyword.decode()])
        for option in Conninfo.get_defaults()
        if option.envvar and option.keyword.decode() in known
    }
    return settings | {"PGUSER": LOGIN}


def _postgrest_cores() -> int:
    """How many cores PostgREST may use: its share of a request. With more of them each request costs more."""
    return max(1, (os.cpu_count() or 1) // 4)


def _reachable(host: str) -> str:
    """Where a program of this machine finds what listens there."""
    everywhere = {"0.0.0.0": LOOPBACK, "::": "[::1]"}  # noqa: S104 (told, not bound)
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
