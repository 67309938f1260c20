"""Ports to listen at."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

from atlas_stage.local.serving.programs import PartError

LOOPBACK = "127.0.0.1"
# Below those of outgoing connections, which could take the port before we listen at it.
_QUIET = range(20_000, 32_000)


def free_port(host: str = LOOPBACK, wanted: int = 0) -> int:
    """The wanted port if it is free at this address, or any free port for 0. Raises PartError."""
    if wanted == 0:
        for port in random.sample(_QUIET, 100):
            with suppress(OSError):
                return _bound(host, port)
    try:
        return _bound(host, wanted)
    except OSError as error:
        raise PartError(
            f"Port {wanted} can't be used ({error.strerror}). Choose another with --port or --listen."
        ) from error


def _bound(host: str, port: int) -> int:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return int(probe.getsockname()[1])
