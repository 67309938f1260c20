"""PgBouncer in transaction mode before a test's database: each transaction may get another session of the server."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.support.cluster import ordinary_user

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

_SETTINGS = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {size}
ignore_startup_parameters = extra_float_digits,options
"""


@contextlib.contextmanager
def pooled(dsn: str, size: int = 2) -> Iterator[str]:
    """The DSN of the same database through PgBouncer, whose pool has `size` sessions."""
    assert PROGRAM is not None
    server = conninfo_to_dict(dsn)
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="atlas-pooler-") as name:
        folder = Path(name)
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            _SETTINGS.format(
                host=server["host"],
                port=server.get("port", 5432),
                listen=listen,
                size=size,
                users=folder / "users",
            )
        )
        (folder / "users").write_text(f'"{server["user"]}" ""\n')
        # PgBouncer does not run as root. The folder of a socket lets only the server's own user in.
        behind = Path(server["host"])
        user = behind.owner() if os.geteuid() == 0 and behind.is_absolute() else ordinary_user()
        group = None if user is None else pwd.getpwnam(user).pw_gid
        if user is not None:
            shutil.chown(folder, user)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, str(settings)],
                stdout=log,
                stderr=subprocess.STDOUT,
                user=user,
                group=group,
            )
        try:
            through = f"postgresql://{server['user']}@127.0.0.1:{listen}/{server['dbname']}"
            _wait_until_it_answers(through, folder / "log")
            yield through
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_it_answers(dsn: str, log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise RuntimeError(f"PgBouncer did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
