"""Which PostgreSQL server the tests run on: ATLAS_TEST_POSTGRES chooses.

testcontainers | embedded-16 | embedded-18 | debian-15 | a postgresql:// URL of a superuser.
Without it: testcontainers where a Docker engine answers, else embedded-18.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Iterator

import psutil

from tests.support.cluster import DEBIAN_BIN, FAST_SETTINGS, Cluster

IMAGE = os.environ.get("ATLAS_TEST_IMAGE", "postgres:17")
OWNER_LABEL = "atlas-stage.tests.owner"


@functools.cache
def docker_answers() -> bool:
    """Whether a Docker engine can be used from here.

    A separate process finds out: docker-py leaves a socket open where none answers.
    """
    asked = "import docker; docker.from_env(timeout=10).ping()"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True)
    return done.returncode == 0


def chosen() -> str:
    """The name of the server to run on."""
    name = os.environ.get("ATLAS_TEST_POSTGRES", "")
    return name or ("testcontainers" if docker_answers() else "embedded-18")


def is_given() -> bool:
    """Whether the tests run on a server that was started outside of them."""
    return chosen().startswith(("postgresql://", "postgres://"))


@contextlib.contextmanager
def server(name: str) -> Iterator[str]:
    """Start the named server, give the DSN of its superuser, stop it."""
    if is_given():
        yield name
    elif name == "testcontainers":
        with _container() as dsn:
            yield dsn
    elif name in ("embedded-16", "embedded-18"):
        with Cluster(int(name.removeprefix("embedded-"))) as cluster:
            yield cluster.dsn
    elif name == "debian-15":
        if not DEBIAN_BIN.is_dir():
            raise RuntimeError(f"{DEBIAN_BIN} is not there: apt-get install postgresql-15")
        with Cluster(15) as cluster:
            yield cluster.dsn
    else:
        raise RuntimeError(f"ATLAS_TEST_POSTGRES={name}: no such server")


@contextlib.contextmanager
def _container() -> Iterator[str]:
    # We stop what we start and sweep what a killed run left, so the reaper container is not needed.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own imports, not ours
        from testcontainers.community.postgres import PostgresContainer

    _sweep()
    command = ["postgres"]
    for setting, value in FAST_SETTINGS.items():
        command += ["-c", f"{setting}={value}"]
    container = PostgresContainer(IMAGE, username="postgres", password="postgres", dbname="postgres", driver=None)
    container.with_command(command)
    container.with_env("POSTGRES_HOST_AUTH_METHOD", "trust")  # for roles without a password
    container.with_tmpfs_mount("/var/lib/postgresql/data")
    container.with_kwargs(labels={OWNER_LABEL: f"{socket.gethostname()}:{os.getpid()}"})
    try:
        container.start()
        yield container.get_connection_url()
    finally:
        container.stop()
        container.get_docker_client().client.close()


def _sweep() -> None:
    """Remove the containers of test runs that have ended."""
    import docker.errors

    with contextlib.closing(docker.from_env()) as client:
        for container in client.containers.list(all=True, filters={"label": OWNER_LABEL}):
            host, _, pid = container.labels[OWNER_LABEL].rpartition(":")
            if host == socket.gethostname() and not psutil.pid_exists(int(pid)):
                with contextlib.suppress(docker.errors.APIError):
                    container.remove(force=True, v=True)
