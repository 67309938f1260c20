"""The stack of `atlas-stage serve` on wires that can be cut, and everything that happens to it."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import psycopg

from atlas_stage import PsycopgTransport, Stage
from atlas_stage.local.embedded import EmbeddedPostgres, postmaster
from atlas_stage.local.serving.gateway import Gateway, gateway
from atlas_stage.local.serving.programs import Part
from atlas_stage.ops.deploy import migrate
from lab.faults.deploys import Deploys
from lab.faults.patience import until, until_it_answers
from lab.faults.ways import ADMIN, Reachable
from lab.faults.wire import Wire, wire

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
        return f"http://127.0.0.1:{self.http.port}"

    @property
    def writers_dsn(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.database.port}/postgres"

    def heal(self) -> None:
        """Have every part there again. PostgREST and the gateway may start before the database does."""
        starting = [
            threading.Thread(target=_start_again, args=(part,)) for part in self.gateway.parts if not part.is_running()
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

    def happenings(self) -> dict[str, Callable[[], object]]:
        """All that happens to it, the usual first. `heal` brings back what died."""
        return {
            "kill postgresql": self.kill_postgresql,
            "deploy": self.deploys.next,
            "cut the database": self.database.cut_three_times,
            "kill postgrest": partial(self._end, "postgrest", signal.SIGKILL),
            "cut http": self.http.cut_three_times,
            "end all sessions": self._end_all_sessions,
            "restart the gateway": partial(self._end, "caddy", signal.SIGTERM),
            "kill a session": self._kill_a_session,
            "deploy cut off": partial(self.deploys.next_cut_off_by, self.kill_postgresql),
            "restart postgresql": self._restart_postgresql,
            "restart postgrest": partial(self._end, "postgrest", signal.SIGTERM),
            "kill the gateway": partial(self._end, "caddy", signal.SIGKILL),
            "stop the clock of postgresql": self.stop_the_clock_of_postgresql,
            "kill everything": self._kill_everything,
            "take all connections": self._take_all_connections,
        }

    def kill_postgresql(self) -> None:
        """The server dies at once, as by the kernel's hand."""
        process = self._postmaster()
        process.kill()
        postmaster.wait_until_gone(process, 10)

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

    def _kill_a_session(self) -> None:
        """The server throws out all others and recovers."""
        with suppress(psycopg.Error), psycopg.connect(self.dsn) as db:
            row = db.execute(f"select pid {_OTHER_SESSIONS} limit 1").fetchone()
            if row is not None:
                os.kill(row[0], signal.SIGKILL)

    def _restart_postgresql(self) -> None:
        """Stop the server, as for its own update."""
        process = self._postmaster()
        process.send_signal(signal.SIGINT)
        postmaster.wait_until_gone(process, 30)

    def _end_all_sessions(self) -> None:
        with psycopg.connect(self.dsn) as db:
            db.execute(f"select pg_terminate_backend(pid) {_OTHER_SESSIONS}")

    def _kill_everything(self) -> None:
        self.kill_postgresql()
        self._end("postgrest", signal.SIGKILL)
        self._end("caddy", signal.SIGKILL)

    def _take_all_connections(self) -> None:
        """Another program uses up all database connections for two seconds."""
        with ExitStack() as taken:
            self._end_all_sessions()
            with suppress(psycopg.OperationalError):
                while True:
                    taken.enter_context(psycopg.connect(self.dsn))
            time.sleep(2)

    def _postmaster(self) -> psutil.Process:
        """The server's process; one that was still on its way down when it was last looked at is brought back first."""
        while (process := postmaster.find(self.server.pgdata)) is None:
            self.heal()
        return process

    def _end(self, name: str, how: signal.Signals) -> None:
        pid = int((self.folder / "gateway" / f"{name}.pid").read_text().split()[0])
        os.kill(pid, how)
        (part,) = (part for part in self.gateway.parts if part.name.lower() == name)
        until(lambda: not part.is_running(), f"{name} does not end", 15)


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """A stack with its data in `folder`."""
    parts = folder / "gateway"
    parts.mkdir()
    with EmbeddedPostgres(folder / "data") as server:
        migrate(server.dsn)
        with psycopg.connect(server.dsn) as db:
            ((socket,),) = db.execute("show unix_socket_directories")
        with Stage(PsycopgTransport(server.dsn, ADMIN)) as stage:
            token = stage.issue_token(ADMIN, never_expires=True).token
        with (
            wire(f"{socket}/.s.PGSQL.5432") as database,
            gateway(
                f"postgresql://127.0.0.1:{database.port}/postgres",
                parts,
                0,
                lambda _: None,
                pool=10,
            ) as running,
            wire(running.url.rpartition(":")[2]) as http,
        ):
            deploys = Deploys(server.dsn, folder)
            made = House(server, running, database, http, folder, token, server.dsn, deploys)
            try:
                yield made
            finally:
                made.heal()


def _start_again(part: Part) -> None:
    part.__exit__(None, None, None)
    part.__enter__()
