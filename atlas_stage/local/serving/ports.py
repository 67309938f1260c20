"""Ports to listen at."""

from __future__ import annotations

import random
import socket
from contextlib import closing, suppress

from atlas_stage.local.serving.programs import PartError

LOOPBACK = "127.0.0.1"
# Below those that systems give to outgoing connections, of which one may come between the choice and the listening.
_QUIET = range(20_000, 32_000)


def free_port(host: str = LOOPBACK, wanted: int = 0) -> int:
    """The wanted port of an address if it is free, or any free one for 0. Raises PartError."""
    if wanted == 0:
        for port in random.sample(_QUIET, 100):
            with suppress(OSError):
                return _bound(host, port)
    try:
        return _bound(host, wanted)
    except OSError as error:
        raise PartError(
            f"port {wanted} cannot be used ({error.strerror}): choose another with --port or --listen"
        ) from error


def _bound(host: str, port: int) -> int:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with closing(socket.socket(family)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return int(probe.getsockname()[1])
