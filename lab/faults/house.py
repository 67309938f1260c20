"""The stack of `atlas-stage serve` on wires that can be cut, and everything that happens to it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.local.embedded import EmbeddedPostgres, postmaster
from atlas_stage.local.serving.gateway import Gateway, gateway
from atlas_stage.local.serving.part import Part
from atlas_stage.ops.deploy import migrate
from lab.faults.deploys import Deploys
from lab.faults.patience import until_it_answers
from lab.faults.ways import ADMIN, Reachable
from lab.faults.wire import Wire, wire

_POOL = 10
_OTHER_SESSIONS = """
from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
"""


@dataclass
class House(Reachable):
    """A running stack. HTTP goes over `http`; every database connection goes over `database`."""

    server: EmbeddedPostgres
    gateway: Gateway
    database: Wire
    http: Wire
    folder: Path
    token: str
    dsn: str
    """Of the server itself, whatever happens to the wires."""
    deploys: Deploys

    @property
    def http_url(self) -> str:
        """Through the wire."""
        return f"http://127.0.0.1:{self.http.port}"

    @property
    def writers_dsn(self) -> str:
        """Through the wire."""
        return f"postgresql://postgres@127.0.0.1:{self.database.port}/postgres"

    def heal(self) -> None:
        """Have every part there again. PostgREST and the gateway may start before the database does."""
        starting = [
            threading.Thread(target=_start_again, args=(part,))
            for part in self.gateway.parts
            if not part.is_running()
        ]
        for each in starting:
            each.start()
        if not self.server.is_running():
            time.sleep(1)
            self.server.stop()
            self.server.start()
        for each in starting:
            each.join()
        until_it_answers(self.dsn)

    # What happens to it. Each comes back when it is over; what died is brought back by `heal`.

    def kill_postgresql(self) -> None:
        """The server dies at once, as by the kernel's hand."""
        process = self._postmaster()
        process.kill()
        postmaster.wait_until_gone(process, 10)

    def kill_a_session(self) -> None:
        """One session dies, and the server throws out all others and recovers."""
        found = f"select pid {_OTHER_SESSIONS} limit 1"
        with suppress(psycopg.Error), psycopg.connect(self.dsn) as db:
            row = db.execute(found).fetchone()
            if row is not None:
                os.kill(row[0], signal.SIGKILL)

    def restart_postgresql(self) -> None:
        """Stop the server, as for its own update."""
        process = self._postmaster()
        process.send_signal(signal.SIGINT)
        postmaster.wait_until_gone(process, 30)

    def end_all_sessions(self) -> None:
        """An administrator's pg_terminate_backend, on every session."""
        ended = f"select pg_terminate_backend(pid) {_OTHER_SESSIONS}"
        with psycopg.connect(self.dsn) as db:
            db.execute(ended)

    def stop_the_clock_of_postgresql(self) -> None:
        """The server's postmaster and its sessions are paused for two seconds."""
        process = self._postmaster()
        family = [process, *process.children()]
        try:
            for each in family:
                # a session may have ended since it was listed
                with suppress(psutil.NoSuchProcess):
                    each.suspend()
            time.sleep(2)
        finally:
            for each in family:
                with suppress(psutil.NoSuchProcess):
                    each.resume()

    def cut_the_database(self) -> None:
        """Every connection to the database breaks off, three times."""
        for _ in range(3):
            self.database.cut()
            time.sleep(0.3)

    def cut_http(self) -> None:
        """Every connection to the gateway breaks off, three times."""
        for _ in range(3):
            self.http.cut()
            time.sleep(0.3)

    def kill_postgrest(self) -> None:
        """PostgREST dies at once."""
        self._end("postgrest", signal.SIGKILL)

    def restart_postgrest(self) -> None:
        """PostgREST is told to stop."""
        self._end("postgrest", signal.SIGTERM)

    def kill_everything(self) -> None:
        """The machine goes down."""
        self.kill_postgresql()
        self.kill_postgrest()
        self.kill_the_gateway()

    def take_all_connections(self) -> None:
        """Another program uses up all database connections for two seconds."""
        with ExitStack() as taken:
            self.end_all_sessions()
            with suppress(psycopg.OperationalError):
                while True:
                    taken.enter_context(psycopg.connect(self.dsn))
            time.sleep(2)

    def kill_the_gateway(self) -> None:
        """Caddy dies at once."""
        self._end("caddy", signal.SIGKILL)

    def restart_the_gateway(self) -> None:
        """Caddy is told to stop."""
        self._end("caddy", signal.SIGTERM)

    def deploy(self) -> None:
        """The next version of the stored logic, in which functions have changed."""
        self.deploys.next()

    def deploy_cut_off(self) -> None:
        """The server dies under a deploy."""
        self.deploys.next_cut_off_by(self.kill_postgresql)

    def _postmaster(self) -> psutil.Process:
        """The server's process; one that was still on its way down when it was last looked at is brought back first."""
        while (process := postmaster.find(self.server.pgdata)) is None:
            self.heal()
        return process

    def _end(self, name: str, how: signal.Signals) -> None:
        pid = int((self.folder / "gateway" / f"{name}.pid").read_text().split()[0])
        os.kill(pid, how)
        deadline = time.monotonic() + 15
        (part,) = (part for part in self.gateway.parts if part.name.lower() == name)
        while part.is_running():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not end")
            time.sleep(0.02)

    def happenings(self) -> list[Callable[[], None]]:
        """All of it, the usual first."""
        return [
            self.kill_postgresql,
            self.deploy,
            self.cut_the_database,
            self.kill_postgrest,
            self.cut_http,
            self.end_all_sessions,
            self.restart_the_gateway,
            self.kill_a_session,
            self.deploy_cut_off,
            self.restart_postgresql,
            self.restart_postgrest,
            self.kill_the_gateway,
            self.stop_the_clock_of_postgresql,
            self.kill_everything,
            self.take_all_connections,
        ]


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """A stack with its data in `folder`."""
    parts = folder / "gateway"
    parts.mkdir()
    with EmbeddedPostgres(folder / "data") as server:
        migrate(server.dsn)
        with psycopg.connect(server.dsn) as db:
            row = db.execute(
                "select setting from pg_settings where name = 'unix_socket_directories'"
            ).fetchone()
        assert row is not None
        with Stage(PsycopgTransport(server.dsn, ADMIN)) as stage:
            token = stage.issue_token(ADMIN, never_expires=True).token
        assert token is not None
        with (
            wire(f"{row[0]}/.s.PGSQL.5432") as database,
            gateway(
                f"postgresql://127.0.0.1:{database.port}/postgres", parts, 0, _silent, pool=_POOL
            ) as running,
            wire(running.url.rpartition(":")[2]) as http,
        ):
            made = House(
                server,
                running,
                database,
                http,
                folder,
                token,
                server.dsn,
                Deploys(server.dsn, folder),
            )
            try:
                yield made
            finally:
                made.heal()


def _start_again(part: Part) -> None:
    part.__exit__(None, None, None)
    part.__enter__()


def _silent(_: str) -> None:
    pass
