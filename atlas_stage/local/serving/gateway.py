"""PostgREST and Caddy or nginx before a database, as `gateway/` says."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

import httpx
from psycopg.pq import Conninfo
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from atlas_stage.local.serving import programs
from atlas_stage.local.serving.programs import Part, PartError, PortTakenError, stop_leftover
from atlas_stage.ops import resources

LOGIN = "atlas_authenticator"
LOOPBACK = "127.0.0.1"
PROGRAM_VARIABLE = "ATLAS_SERVE_GATEWAY"
# Of PostgREST, and of Caddy: the share of each in a request. With more of them each request costs more.
_CORES = max(1, (os.cpu_count() or 1) // 4)


@dataclass(frozen=True)
class Gateway:
    """A running gateway; `behind` is PostgREST itself."""

    url: str
    behind: str
    parts: tuple[Part, ...]
    public: str = ""  # where other machines find it, if it listens for them


@contextmanager
def gateway(
    dsn: str,
    folder: Path,
    port: int,
    report: Callable[[str], None],
    pool: int | None = None,
    host: str = LOOPBACK,
    standby: bool = False,
    program: str | None = None,
) -> Iterator[Gateway]:
    """Serve the database over HTTP at a port (0: any free one) of an address. Raises PartError.

    `dsn` is any address of the database; PostgREST comes to it as atlas_authenticator. Logs go into `folder`.
    ATLAS_CORS_ORIGIN and ATLAS_PUBLIC_URL are those of the environment. `standby`: the database only reads.
    `program`: caddy or nginx; without it, that of ATLAS_SERVE_GATEWAY, else caddy.
    """
    for name in ("Caddy", "nginx", "PostgREST"):
        stop_leftover(folder, name)
    program = program or os.environ.get(PROGRAM_VARIABLE) or "caddy"
    if program not in _COMMANDS:
        raise PartError(f"There is no gateway {program}. Use {' or '.join(_COMMANDS)}.")
    name, found, command = _COMMANDS[program]
    postgrest, proxy = programs.postgrest(report), found()
    root = resources.root()
    with ExitStack() as stack:

        def start() -> Gateway:
            public, upstream, admin = free_port(host, port), free_port(), free_port()
            reachable = _EVERYWHERE.get(host, f"[{host}]" if ":" in host else host)
            url = f"http://{reachable}:{public}"
            behind = Part(
                "PostgREST",
                [postgrest, root / "gateway" / "postgrest.conf"],
                _postgrest_settings(dsn, upstream, admin, pool, standby),
                folder,
                lambda: answers(f"http://{LOOPBACK}:{admin}/ready"),
            )
            settings = {
                "ATLAS_CORS_ORIGIN": os.environ.get("ATLAS_CORS_ORIGIN") or "none",
                "ATLAS_POSTGREST_UPSTREAM": f"{LOOPBACK}:{upstream}",
                "ATLAS_POSTGREST_ADMIN": f"{LOOPBACK}:{admin}",
                "ATLAS_BOARD": (root / "board").as_posix(),
                "ATLAS_WRITES_TO": "read" if standby else "write",
                # Caddy's
                "ATLAS_GATEWAY": f"http://:{public}",
                "ATLAS_BIND": host,
                "XDG_CONFIG_HOME": str(folder / "caddy"),
                "XDG_DATA_HOME": str(folder / "caddy"),
                "GOMAXPROCS": os.environ.get("GOMAXPROCS") or str(_CORES),
                # nginx's
                "ATLAS_LISTEN": f"[{host}]:{public}" if ":" in host else f"{host}:{public}",
                "ATLAS_RESOLVER": LOOPBACK,  # not asked: these settings have no host names
                "ATLAS_FOLDER": folder.absolute().as_posix(),
            }
            before = Part(name, command(proxy, settings), settings, folder, lambda: answers(f"{url}/healthz"))
            with ExitStack() as started:
                parts = (started.enter_context(behind), started.enter_context(before))
                stack.push(started.pop_all())
            return Gateway(url, f"http://{LOOPBACK}:{upstream}", parts, _public(url, host))

        # A port that was free may be another program's by the time that ours listens.
        again = retry_if_exception_type(PortTakenError)
        yield Retrying(retry=again, stop=stop_after_attempt(5), reraise=True)(start)


def caddy_command(program: Path, _settings: Mapping[str, str]) -> list[str | Path]:
    """Caddy's, which reads the settings from its environment."""
    return [program, "run", "--adapter", "caddyfile", "--config", resources.root() / "gateway" / "Caddyfile"]


def nginx_command(program: Path, settings: Mapping[str, str]) -> list[str | Path]:
    """nginx's. Writes the configuration with the settings into the folder: nginx reads no environment."""
    template = Template((resources.root() / "gateway" / "nginx.conf").read_text())
    file = Path(settings["ATLAS_FOLDER"], "nginx.conf")
    file.write_text(template.safe_substitute(settings))
    # Started as root, its workers change to a login that can't read the board or write into the folder.
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [program, "-e", "stderr", "-c", file, *(("-g", "user root;") if as_root else ())]


_COMMANDS = {
    "caddy": ("Caddy", programs.caddy, caddy_command),
    "nginx": ("nginx", programs.nginx, nginx_command),
}


def free_port(host: str = LOOPBACK, wanted: int = 0) -> int:
    """The wanted port if it is free at this address, or any free port for 0. Raises PartError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, wanted, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        raise PartError(
            f"Port {wanted} can't be used ({error.strerror}). Choose another with --port or --listen."
        ) from error


def _postgrest_settings(dsn: str, port: int, admin: int, pool: int | None, standby: bool) -> dict[str, str]:
    """What PostgREST reads from its environment: the database as libpq's variables, and where to listen."""
    given = Conninfo.parse(dsn.encode())
    settings = {each.envvar.decode(): each.val.decode() for each in given if each.envvar and each.val}
    if settings.get("PGUSER") != LOGIN:
        settings.pop("PGPASSWORD", None)  # somebody else's
    settings |= {
        "PGUSER": LOGIN,
        "PGRST_SERVER_HOST": LOOPBACK,
        "PGRST_SERVER_PORT": str(port),
        "PGRST_ADMIN_SERVER_PORT": str(admin),
        "GHCRTS": os.environ.get("GHCRTS") or f"-N{_CORES}",
    }
    if pool is not None:
        settings["PGRST_DB_POOL"] = str(pool)
    if standby:  # it lets nobody listen, and PostgREST would not be ready before it does
        settings["PGRST_DB_CHANNEL_ENABLED"] = "false"
    return settings


_EVERYWHERE = {"0.0.0.0": LOOPBACK, "::": "[::1]"}  # noqa: S104 (told, not bound)


def _public(url: str, host: str) -> str:
    """The address for other machines: in place of all addresses, this machine's in its network."""
    known = os.environ.get("ATLAS_PUBLIC_URL")
    if known or host not in _EVERYWHERE:
        return known or url
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it only chooses the route
            name = probe.getsockname()[0]
        except OSError:
            name = socket.gethostname()
    return url.replace(_EVERYWHERE[host], name)


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, and well."""
    try:
        # Plain HTTP. Reading the system's certificates would take 34 ms.
        return httpx.get(url, timeout=5, trust_env=False, verify=False).is_success  # noqa: S501
    except httpx.HTTPError:
        return False
