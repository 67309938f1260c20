"""What an installation may set at the gateway: a host name, which brings TLS, and one other origin."""

from __future__ import annotations

import contextlib
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from atlas_stage.local.serving import programs
from atlas_stage.local.serving.gateway import free_port

GATEWAY = Path(__file__).parents[2] / "gateway"
ORIGIN = "https://board.example.com"


@contextlib.contextmanager
def caddy(folder: Path, **settings: str) -> Iterator[None]:
    """A gateway with nothing behind it."""
    command = [programs.caddy(), "run", "--adapter", "caddyfile", "--config", GATEWAY / "Caddyfile"]
    kept = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    kept |= {"ATLAS_POSTGREST_UPSTREAM": f"127.0.0.1:{free_port()}"}
    with subprocess.Popen(command, env=kept | settings, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def answer(client: httpx.Client, method: str, url: str, **headers: str) -> httpx.Response:
    """The answer, once the gateway is there."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return client.request(method, url, headers=headers)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with httpx.Client(verify=context, trust_env=False, timeout=10) as made:
        yield made


def test_a_host_name_brings_tls(tmp_path: Path, client: httpx.Client) -> None:
    port = free_port()
    with caddy(tmp_path, ATLAS_GATEWAY=f"https://localhost:{port}"):
        found = answer(client, "GET", f"https://localhost:{port}/nothing")

        assert found.status_code == 404
        assert found.headers["strict-transport-security"] == "max-age=31536000"


def test_without_postgrest_it_says_so_in_the_contracts_shape(tmp_path: Path, client: httpx.Client) -> None:
    port = free_port()
    with caddy(tmp_path, ATLAS_GATEWAY=f"http://:{port}"):
        found = answer(client, "GET", f"http://127.0.0.1:{port}/healthz")

        assert (found.status_code, found.headers["retry-after"]) == (503, "2")
        assert set(found.json()) == {"code", "message", "details", "hint"}


def test_pages_of_the_named_origin_may_call_and_others_may_not(tmp_path: Path, client: httpx.Client) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/clients/1/stage"
    asks = {"Access-Control-Request-Method": "PATCH"}
    with caddy(tmp_path, ATLAS_GATEWAY=f"http://:{port}", ATLAS_CORS_ORIGIN=ORIGIN):
        named = answer(client, "OPTIONS", url, Origin=ORIGIN, **asks)
        other = answer(client, "OPTIONS", url, Origin="https://other.example.com", **asks)

        assert named.status_code == 204
        assert named.headers["access-control-allow-origin"] == ORIGIN
        assert "PATCH" in named.headers["access-control-allow-methods"]
        assert "Authorization" in named.headers["access-control-allow-headers"]
        assert other.status_code == 405
        assert "access-control-allow-origin" not in other.headers
