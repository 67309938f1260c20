"""A wire that can be cut: hands TCP connections on, and breaks all of them off at once when it is told.

A separate program, so the writers don't pay for it.
"""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Wire:
    """A wire that is there; connect to `port` of this machine."""

    port: int
    process: subprocess.Popen[bytes]

    def cut(self) -> None:
        """Break off every connection, whatever is on its way."""
        self.process.send_signal(signal.SIGUSR1)

    def cut_three_times(self) -> None:
        for _ in range(3):
            self.cut()
            time.sleep(0.3)


@contextmanager
def wire(target: str) -> Iterator[Wire]:
    """Lead to `target`: the port of this machine, or the path of a unix socket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    process = subprocess.Popen([sys.executable, __file__, str(port), target])
    try:
        _wait_until_it_listens(port)
        yield Wire(port, process)
    finally:
        process.terminate()
        process.wait()


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        with suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the wire does not listen")
        time.sleep(0.05)


async def _lead(port: int, target: str) -> None:
    ends: set[asyncio.StreamWriter] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if Path(target).is_absolute():
                far_reader, far_writer = await asyncio.open_unix_connection(target)
            else:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", int(target))
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        ends.update(both)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        ends.difference_update(both)

    def cut() -> None:
        for end in ends:
            end.transport.abort()

    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, cut)
    loop.add_signal_handler(signal.SIGTERM, done.set)
    server = await asyncio.start_server(connect, "127.0.0.1", port, backlog=200)
    await done.wait()
    server.close()
    cut()


if __name__ == "__main__":
    asyncio.run(_lead(int(sys.argv[1]), sys.argv[2]))
