"""The same before docker compose: the containers of the database, PostgREST and the gateway die under the writers."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from atlas_stage.local.serving.gateway import free_port
from lab.faults.deploys import Deploys
from lab.faults.patience import until_it_answers
from lab.faults.ways import ADMIN, Reachable

ROOT = Path(__file__).parents[2]
_SERVICES = ("db", "postgrest", "gateway")


class Compose:
    """A separate compose project, made from docker-compose.yml and the given files."""

    def __init__(self, *besides: Path) -> None:
        self._files = [f"--file={file}" for file in (ROOT / "docker-compose.yml", *besides)]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings = {
            "COMPOSE_PROJECT_NAME": f"atlas-test-{os.getpid()}",
            "ATLAS_PUBLISH": f"127.0.0.1:{port}:8080",
            "ATLAS_BUILD_NETWORK": "host",
        } | {
            name: secrets.token_urlsafe(16)
            for name in ("POSTGRES_PASSWORD", "ATLAS_AUTHENTICATOR_PASSWORD", "ATLAS_CRON_PASSWORD")
        }

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """One command of docker compose; whether it succeeds is for the caller to see."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ATLAS_")}
        return subprocess.run(
            ["docker", "compose", "--env-file", "/dev/null", *self._files, *arguments],
            cwd=ROOT,
            env=kept | self.settings | settings,
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, *arguments: str) -> str:
        """One command that has to succeed; what it says."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token(self) -> str:
        issue = ("token", "issue", ADMIN, "--days", "1", "--json")
        return str(json.loads(self("run", "--rm", "migrate", *issue))["token"])

    def up(self) -> None:
        self("up", "--build", "--detach", "--wait", "--wait-timeout", "300")

    def down(self) -> None:
        self.run("down", "--volumes", "--timeout", "5")


@dataclass
class Containers(Reachable):
    """A running project: HTTP goes to the gateway, psycopg to the database's own port."""

    compose: Compose
    token: str
    dsn: str
    deploys: Deploys

    @property
    def http_url(self) -> str:
        return self.compose.url

    def heal(self) -> None:
        """Start what was killed; Docker restarts nothing that was killed manually."""
        self._docker("start", *_SERVICES)
        until_it_answers(self.dsn)

    def happenings(self) -> dict[str, Callable[[], object]]:
        kill_the_database = partial(self._docker, "kill", "db")
        return {
            "kill the database": kill_the_database,
            "deploy": self.deploys.next,
            "kill postgrest": partial(self._docker, "kill", "postgrest"),
            "kill the gateway": partial(self._docker, "kill", "gateway"),
            "restart the database": partial(self._docker, "restart", "db"),
            "deploy cut off": partial(self.deploys.next_cut_off_by, kill_the_database),
            "restart postgrest": partial(self._docker, "restart", "postgrest"),
            "restart the gateway": partial(self._docker, "restart", "gateway"),
            "pause the database": self._pause_the_database,
            "kill everything": partial(self._docker, "kill", *_SERVICES),
        }

    def _pause_the_database(self) -> None:
        self._docker("pause", "db")
        time.sleep(2)
        self._docker("unpause", "db")

    def _docker(self, what: str, *services: str) -> None:
        project = self.compose.settings["COMPOSE_PROJECT_NAME"]
        names = [f"{project}-{service}-1" for service in services]
        subprocess.run(["docker", what, *names], capture_output=True, check=True)


@contextmanager
def containers(folder: Path) -> Iterator[Containers]:
    """A separate project, removed afterwards; its data are in a volume, not in the folder."""
    compose = Compose(Path(__file__).with_name("compose.yml"))
    port = free_port()
    compose.settings["ATLAS_FAULTS_DATABASE_PORT"] = str(port)
    dsn = f"postgresql://postgres:{compose.settings['POSTGRES_PASSWORD']}@127.0.0.1:{port}/atlas"
    try:
        compose.up()
        made = Containers(compose, compose.token(), dsn, Deploys(dsn, folder))
        try:
            yield made
        finally:
            made.heal()
    finally:
        compose.down()
