"""`docker compose up` from a clone ends with an API that answers as our own gateway does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab.faults.containers import ROOT, Compose
from tests.support.servers import docker_answers

SUITES = [
    "test_api_doc.py::test_every_curl_answers_as_it_says",  # first: its firm has no client yet
    "test_headers.py",
    "test_tokens.py",
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not docker_answers(), reason="no Docker engine answers"),
]


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    if shutil.which("docker") is None:
        pytest.skip("no docker command")
    project = Compose()
    try:
        project.up()
        yield project
    finally:
        project.down()


def answers(compose: Compose, suite: str, **settings: str) -> None:
    here = {"ATLAS_TEST_URL": compose.url, "ATLAS_TEST_TOKEN": compose.token()}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"{Path(__file__).parent}/{suite}"],
        cwd=ROOT,
        env=os.environ | here | {"ATLAS_TEST_POSTGRES": "postgresql://nobody"} | settings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-5000:]
    assert "skipped" not in done.stdout


@pytest.mark.parametrize("suite", SUITES)
def test_it_answers_the_same_suite(compose: Compose, suite: str) -> None:
    answers(compose, suite)


def test_only_the_gateway_is_published_and_only_as_asked(compose: Compose) -> None:
    published = compose("ps", "--format", "json")
    services = [json.loads(line) for line in published.splitlines() if line.strip()]

    for service in services:
        open_ports = [each for each in service["Publishers"] or [] if each["PublishedPort"]]
        assert bool(open_ports) == (service["Service"] == "gateway"), service
        assert all(each["URL"] == "127.0.0.1" for each in open_ports)


def test_migrating_again_changes_nothing(compose: Compose) -> None:
    assert "nothing to do: the database is up to date" in compose("run", "--rm", "migrate")


def test_data_and_api_survive_a_restart_of_everything(compose: Compose) -> None:
    token = compose.token()
    headers = {"Authorization": f"Bearer {token}"}
    made = httpx.post(
        f"{compose.url}/rpc/create_client",
        headers=headers,
        json={"name": "Kept", "slug": f"kept-{os.getpid()}"},
    ).json()

    compose("down", "--timeout", "10")
    compose("up", "--detach", "--wait", "--wait-timeout", "300")

    kept = httpx.get(f"{compose.url}/api/clients/{made['client']['id']}", headers=headers)
    assert kept.json()["client"]["name"] == "Kept"


def test_the_api_comes_back_when_the_database_does(compose: Compose) -> None:
    compose("kill", "db")
    away = httpx.get(f"{compose.url}/healthz", timeout=30)
    assert away.status_code == 503
    assert set(away.json()) == {"code", "message", "details", "hint"}

    compose("up", "--detach", "--wait", "--wait-timeout", "300")

    assert httpx.get(f"{compose.url}/healthz", timeout=30).status_code == 200


@pytest.mark.parametrize("name", ["POSTGRES_PASSWORD", "ATLAS_AUTHENTICATOR_PASSWORD", "ATLAS_CRON_PASSWORD"])
def test_there_are_no_default_passwords(name: str) -> None:
    project = Compose()
    del project.settings[name]

    done = project.run("config")

    assert done.returncode != 0
    assert name in done.stderr


def test_a_database_of_ones_own_takes_one_setting() -> None:
    project = Compose()

    own = project.run("config", "--format", "json", ATLAS_DATABASE="db.example.com:5432/firm")

    services = json.loads(own.stdout)["services"]
    assert set(services) == {"migrate", "postgrest", "gateway", "cron"}
    for service, variable, login in (
        ("migrate", "ATLAS_DATABASE_URL", "postgres"),
        ("postgrest", "PGRST_DB_URI", "atlas_authenticator"),
        ("cron", "ATLAS_DATABASE_URL", "atlas_cron"),
    ):
        named = services[service]["environment"][variable]
        assert named == f"postgresql://{login}@db.example.com:5432/firm"
        assert set(services[service]["networks"]) == {"inside-and-out"}


def test_every_image_can_be_named_and_every_service_drops_what_it_can() -> None:
    images = {
        f"ATLAS_{name}_IMAGE": f"mirror/{name.lower()}@sha256:{'0' * 64}"
        for name in ("POSTGRES", "POSTGREST", "CADDY", "PYTHON")
    }

    services = json.loads(Compose().run("config", "--format", "json", **images).stdout)["services"]

    assert services["db"]["image"] == images["ATLAS_POSTGRES_IMAGE"]
    assert services["postgrest"]["image"] == images["ATLAS_POSTGREST_IMAGE"]
    assert services["gateway"]["image"] == images["ATLAS_CADDY_IMAGE"]
    assert services["migrate"]["build"]["args"]["PYTHON_IMAGE"] == images["ATLAS_PYTHON_IMAGE"]
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"], name


def test_nginx_takes_one_more_file_and_gets_all_its_settings() -> None:
    file = ROOT / "docker-compose.nginx.yml"
    mirror = f"mirror/nginx@sha256:{'0' * 64}"

    config = Compose(file).run("config", "--format", "json", ATLAS_NGINX_IMAGE=mirror)

    services = json.loads(config.stdout)["services"]
    gateway, settings = services["gateway"], services["nginx-config"]
    assert gateway["image"] == mirror
    for service in (gateway, settings):
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
    template = (ROOT / "gateway" / "nginx.conf").read_text()
    assert set(re.findall(r"\$\{(\w+)\}", template)) <= set(settings["environment"])
    # a changed setting makes a new container of both
    assert settings["environment"].items() <= gateway["environment"].items()


def test_with_nginx_for_the_gateway_it_answers_the_same(compose: Compose) -> None:
    """The last one: nginx takes the place of Caddy's container."""
    nginx = Compose(ROOT / "docker-compose.nginx.yml")
    nginx.settings, nginx.url = compose.settings, compose.url

    nginx("up", "--detach", "--wait", "--wait-timeout", "300")

    assert "nginx" in nginx("ps", "--format", "{{.Image}}", "gateway")
    # not one of SUITES: their keys are used
    answers(nginx, "test_bodies.py", ATLAS_SERVE_GATEWAY="nginx")
