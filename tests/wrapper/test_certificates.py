"""Which certificates are trusted: the system's, those of SSL_CERT_FILE and SSL_CERT_DIR, and `verify` as in httpx."""

from __future__ import annotations

import asyncio
import os
import pickle
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atlas_stage import AsyncStage, HttpTransport, InvalidInput, Stage, Unavailable
from atlas_stage.local.serving import programs
from atlas_stage.local.serving.gateway import LOOPBACK, free_port
from tests.support.stack import ADMIN, stack


@dataclass(frozen=True)
class Served:
    """The API at https://localhost, with a certificate of a private authority."""

    url: str
    token: str
    authority: Path


@pytest.fixture(autouse=True)
def _only_the_test_names_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def served(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("caddy")
    with stack(dsn) as running:
        port = free_port(LOOPBACK, 0)
        settings = folder / "Caddyfile"
        settings.write_text(
            "{\n admin off\n auto_https disable_redirects\n skip_install_trust\n persist_config off\n"
            f" storage file_system {folder}\n}}\n"
            f"https://localhost:{port} {{\n tls internal\n reverse_proxy {running.url}\n}}\n"
        )
        command = [programs.caddy(), "run", "--config", settings, "--adapter", "caddyfile"]
        with (folder / "log").open("wb") as log:
            caddy = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            authority = folder / "pki/authorities/local/root.crt"
            made = Served(f"https://localhost:{port}", running.token(), authority)
            _wait_for(made, folder / "log")
            yield made
        finally:
            caddy.terminate()
            caddy.wait()


def _wait_for(served: Served, log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            with Stage.connect(url=served.url, token=served.token, verify=False) as stage:
                stage.whoami()
                return
        except Unavailable:
            time.sleep(0.1)
    pytest.fail(log.read_text())


def _actor(served: Served, **options: object) -> str:
    with Stage.connect(url=served.url, token=served.token, **options) as stage:  # type: ignore[arg-type]
        return stage.whoami().actor_id


def test_a_private_authority_is_refused_at_once_with_what_to_do(served: Served) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        _actor(served)
    assert caught.value.rule == "certificate_not_trusted"
    assert "SSL_CERT_FILE" in (caught.value.hint or "")
    assert time.monotonic() - began < 2


def test_ssl_cert_file_is_trusted(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(served.authority))
    assert _actor(served) == ADMIN

    async def ask() -> str:
        async with AsyncStage.connect(served.url, served.token) as stage:
            return (await stage.whoami()).actor_id

    assert asyncio.run(ask()) == ADMIN


def _rehashed(folder: Path, authority: Path) -> Path:
    """A folder with the certificate, as `openssl rehash` leaves it."""
    digest = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", authority],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (folder / f"{digest}.0").write_bytes(authority.read_bytes())
    return folder


def test_ssl_cert_dir_is_trusted(served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", str(_rehashed(tmp_path, served.authority)))
    assert _actor(served) == ADMIN


def test_every_folder_of_ssl_cert_dir_is_trusted(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    folders = (tmp_path / "empty", _rehashed(tmp_path, served.authority))
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(map(str, folders)))
    assert _actor(served) == ADMIN


def test_the_system_s_own_are_trusted(served: Served) -> None:
    system = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not system:
        pytest.skip("this system keeps no certificates in one file")
    transport = HttpTransport(served.url, served.token)
    trusted = transport._trusted.get_ca_certs(binary_form=True)
    assert {*system} <= {*trusted}


@pytest.mark.parametrize("how", ["file", "folder", "context", "off"])
def test_verify_is_as_in_httpx(served: Served, how: str, tmp_path: Path) -> None:
    context = ssl.create_default_context(cafile=str(served.authority))
    verify = {
        "file": str(served.authority),
        "folder": str(tmp_path),
        "context": context,
        "off": False,
    }
    if how == "folder":
        with pytest.raises(Unavailable):
            _actor(served, verify=verify[how])
    else:
        assert _actor(served, verify=verify[how]) == ADMIN


def test_a_pickled_stage_keeps_what_it_trusts(served: Served) -> None:
    with (
        Stage.connect(url=served.url, token=served.token, verify=str(served.authority)) as stage,
        pickle.loads(pickle.dumps(stage)) as again,
    ):
        assert again.whoami().actor_id == ADMIN


@pytest.mark.parametrize("named", ["SSL_CERT_FILE", "SSL_CERT_DIR", "verify"])
def test_a_file_that_is_not_there_is_told(
    served: Served, named: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing.pem")
    if named != "verify":
        monkeypatch.setenv(named, missing)
    with pytest.raises(InvalidInput, match=r"missing\.pem"):
        _actor(served, verify=missing if named == "verify" else True)


@pytest.mark.parametrize("content", ["", "not a certificate", "-----BEGIN CERTIFICATE-----\nAA"])
def test_a_file_without_a_certificate_is_told(served: Served, content: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.pem").write_text(content)
    with pytest.raises(InvalidInput, match=r"wrong\.pem can't be read"):
        _actor(served, verify=str(tmp_path / "wrong.pem"))
