"""Three PostgreSQL nodes under Patroni with etcd, HAProxy and PgBouncer before them, all on this machine."""

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import httpx
import psutil
import psycopg

from atlas_stage.local.embedded import postmaster
from atlas_stage.local.embedded.programs import Account, binaries_of, server_account
from atlas_stage.local.serving.gateway import answers, free_port
from atlas_stage.local.serving.programs import Part
from lab.faults.patience import until

NODES = ("one", "two", "three")
_HERE = Path(__file__).resolve().parent
_VERSION = 18
_SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
_PROGRAMS = ("etcd", "haproxy", "pgbouncer")

Tell = Callable[[str], None]


def missing() -> list[str]:
    """Programs that a cluster needs and this machine lacks."""
    gone = [name for name in _PROGRAMS if shutil.which(name, path=_SEARCHED) is None]
    return gone + ([] if _patroni().exists() else ["patroni"])


def _patroni() -> Path:
    return Path(sys.executable).parent / "patroni"


@dataclass
class Node:
    """One PostgreSQL, and the Patroni that looks after it."""

    name: str
    port: int
    rest: int
    folder: Path
    part: Part

    @property
    def pgdata(self) -> Path:
        return self.folder / "pgdata"

    def processes(self) -> list[psutil.Process]:
        """Patroni, and PostgreSQL with its sessions."""
        found = []
        with suppress(psutil.NoSuchProcess, FileNotFoundError):
            pid = int((self.folder / "patroni.pid").read_text().split()[0])
            found.append(psutil.Process(pid))
        server = postmaster.find(self.pgdata)
        if server is not None:
            found += [server, *server.children()]
        return found

    def kill_postgresql(self) -> None:
        server = postmaster.find(self.pgdata)
        assert server is not None
        server.kill()

    def kill(self) -> None:
        self._each(psutil.Process.kill)

    def pause(self) -> None:
        self._each(psutil.Process.suspend)

    def resume(self) -> None:
        self._each(psutil.Process.resume)

    def _each(self, act: Callable[[psutil.Process], None]) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                act(process)

    def start_again(self) -> None:
        self.part.__exit__(None, None, None)
        self.part.__enter__()

    def state(self) -> dict[str, Any]:
        """What its Patroni reports; nothing if it times out."""
        try:
            said = httpx.get(f"http://127.0.0.1:{self.rest}/patroni", timeout=2, trust_env=False)
        except httpx.TransportError:
            return {}
        state: dict[str, Any] = said.json()
        return state


@dataclass
class Cluster:
    """A running cluster, by the ports of this machine."""

    etcd: Part
    nodes: list[Node]
    leader_port: int
    standbys_port: int
    pooler_port: int

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.leader_port}/atlas"

    @property
    def standby_dsn(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.standbys_port}/atlas"

    @property
    def pooled_dsn(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.pooler_port}/atlas"

    @property
    def several_hosts_dsn(self) -> str:
        """All nodes by name; libpq itself finds the one that takes writes."""
        places = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://postgres@{places}/atlas?target_session_attrs=read-write&connect_timeout=3"

    def leader(self) -> Node:
        """The leader. Raises TimeoutError if there is none for long."""
        return self._one("role", "primary", "no node leads")

    def synchronous(self) -> Node:
        """The standby that has every acknowledged commit."""
        return self._one("sync_standby", True, "no standby is synchronous")

    def _one(self, name: str, value: object, otherwise: str) -> Node:
        return until(lambda: next((n for n in self.nodes if n.state().get(name) == value), None), otherwise)

    def wait_until_whole(self) -> None:
        """All nodes are there, one of them leads, one of the others is synchronous and all of them stream."""

        def is_whole() -> bool:
            states = [node.state() for node in self.nodes]
            roles = sorted(state.get("role", "") for state in states)
            standbys = [state for state in states if state.get("role") != "primary"]
            return (
                roles == ["primary", "replica", "replica"]
                and any(state.get("sync_standby") for state in standbys)
                and all(state.get("replication_state") == "streaming" for state in standbys)
            )

        until(is_whole, "the cluster is not whole")

    def switch_over(self) -> None:
        """Let the synchronous standby lead, in order."""
        leader = self.leader()
        said = {"leader": leader.name, "candidate": self.synchronous().name}
        url = f"http://127.0.0.1:{leader.rest}/switchover"
        answer = httpx.post(url, json=said, timeout=60, trust_env=False)
        if not answer.is_success:
            raise RuntimeError(f"the switchover was refused: {answer.text}")


@contextmanager
def cluster(folder: Path, tell: Tell) -> Iterator[Cluster]:
    """Make a cluster with its data in `folder`, which is new, with an empty database `atlas`. Raises PartError."""
    account = server_account(folder / "pgdata")
    binaries = binaries_of(_VERSION)
    for path in (binaries, Path(sys.executable), Path(sys.executable).resolve(), folder / "etcd"):
        account.let_in(path, tell)
    account.let_read(binaries.parent)
    ports = iter({free_port() for _ in range(50)})  # more than are needed, since one may come twice
    etcd_port, peer_port = next(ports), next(ports)
    leader_port, standbys_port, pooler_port = next(ports), next(ports), next(ports)
    with ExitStack() as parts:
        tell("etcd …")
        etcd = _etcd(_own(folder / "etcd", account), account, etcd_port, peer_port)
        parts.enter_context(etcd)
        nodes = []
        for name in NODES:
            tell(f"node {name} …")
            home = _own(folder / name, account)
            node = _node(name, home, account, binaries, next(ports), next(ports), etcd_port)
            parts.enter_context(node.part)
            # A clean shutdown would wait for the standbys, and the data isn't needed afterwards.
            parts.callback(node.kill)
            nodes.append(node)
        tell("HAProxy, PgBouncer …")
        ready = Cluster(etcd, nodes, leader_port, standbys_port, pooler_port)
        parts.enter_context(_haproxy(_own(folder / "haproxy", account), account, ready))
        parts.enter_context(_pgbouncer(_own(folder / "pgbouncer", account), account, ready))
        ready.wait_until_whole()
        until(lambda: _has_database(ready), "the leader takes no writes")
        yield ready


def _has_database(ready: Cluster) -> bool:
    """Make the database. HAProxy sends to any node until it has looked at each."""
    dsn = ready.dsn.replace("/atlas", "/postgres")
    with (
        suppress(psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction),
        psycopg.connect(dsn, autocommit=True) as db,
    ):
        if not db.execute("select from pg_database where datname = 'atlas'").fetchone():
            db.execute("create database atlas")
        return True
    return False


def _own(folder: Path, account: Account) -> Path:
    folder.mkdir(mode=0o700)
    account.own(folder)
    return folder


def _as(account: Account, program: str | Path, *arguments: str | Path) -> list[str | Path]:
    if not account.foreign:
        return [program, *arguments]
    who = [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
    return ["setpriv", *who, program, *arguments]


def _etcd(folder: Path, account: Account, port: int, peer: int) -> Part:
    url, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    said = ["--name=one", f"--data-dir={folder}/data", f"--listen-client-urls={url}"]
    said += [f"--advertise-client-urls={url}", f"--listen-peer-urls={peers}"]
    said += [f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=one={peers}"]
    command = _as(account, _program("etcd"), *said)
    return Part("etcd", command, {}, folder, lambda: answers(f"{url}/health"))


def _node(name: str, folder: Path, account: Account, binaries: Path, port: int, rest: int, etcd: int) -> Node:
    ports = {"port": port, "rest_port": rest, "etcd_port": etcd}
    file = folder / "patroni.yml"
    said = _written(file, account, name=name, folder=folder, binaries=binaries, **ports)
    command = _as(account, _patroni(), said)
    ready = f"http://127.0.0.1:{rest}/health"
    part = Part("Patroni", command, {"LC_ALL": "C"}, folder, lambda: answers(ready))
    return Node(name, port, rest, folder, part)


def _haproxy(folder: Path, account: Account, ready: Cluster) -> Part:
    servers = "\n".join(f"  server {node.name} 127.0.0.1:{node.port} check port {node.rest}" for node in ready.nodes)
    ports = {"leader_port": ready.leader_port, "standbys_port": ready.standbys_port}
    said = _written(folder / "haproxy.cfg", account, servers=servers, **ports)
    command = _as(account, _program("haproxy"), "-db", "-f", said)
    return Part("HAProxy", command, {}, folder, lambda: _listens(ready.leader_port))


def _pgbouncer(folder: Path, account: Account, ready: Cluster) -> Part:
    ports = {"leader_port": ready.leader_port, "pooler_port": ready.pooler_port}
    said = _written(folder / "pgbouncer.ini", account, folder=folder, **ports)
    users = folder / "users"
    users.write_text('"postgres" ""\n')
    account.own(users)
    command = _as(account, _program("pgbouncer"), said)
    return Part("PgBouncer", command, {}, folder, lambda: _listens(ready.pooler_port))


def _written(file: Path, account: Account, **values: object) -> Path:
    """The template of this name, filled in."""
    file.write_text(Template((_HERE / file.name).read_text()).substitute(values))
    account.own(file)
    return file


def _program(name: str) -> Path:
    found = shutil.which(name, path=_SEARCHED)
    assert found is not None
    return Path(found)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
