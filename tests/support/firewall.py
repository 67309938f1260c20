"""A firewall between a caller and a TCP or Unix-domain server: from a moment on, it drops every packet."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import threading
from collections.abc import Iterator

_SO_ATTACH_FILTER = 26
_DROP_ALL = struct.pack("HBBI", 0x06, 0, 0, 0)  # one instruction of BPF: return 0 bytes of the packet


class Firewall:
    """Relays connections to the server behind it, on `port`."""

    def __init__(self, server: tuple[str, int] | str) -> None:
        self._server = server
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def drop(self) -> None:
        """Drop what comes, without a word: the kernel acknowledges none of it, nor opens a connection."""
        for each in [self._listening, *self._sockets]:
            code = ctypes.create_string_buffer(_DROP_ALL)
            program = struct.pack("HL", 1, ctypes.addressof(code))
            each.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)

    def close(self) -> None:
        for each in [self._listening, *self._sockets]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                if isinstance(self._server, str):
                    behind = socket.socket(socket.AF_UNIX)
                    behind.connect(self._server)
                else:
                    behind = socket.create_connection(self._server)
                self._sockets += [caller, behind]
                for pair in ((caller, behind), (behind, caller)):
                    threading.Thread(target=_relay, args=pair, daemon=True).start()


def _relay(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def firewall(server: tuple[str, int] | str) -> Iterator[Firewall]:
    """A firewall before the server at an address or a socket's path."""
    made = Firewall(server)
    try:
        yield made
    finally:
        made.close()
