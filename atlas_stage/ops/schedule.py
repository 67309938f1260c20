"""What a scheduler needs, written for this machine: the wrappers, and its own files with this machine's paths.

The files that travel in the wheel name the paths below; whatever else they say is theirs.
"""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from atlas_stage.errors import InvalidInput
from atlas_stage.ops import resources

SCHEDULERS = ("windows", "cron", "systemd")


def write(scheduler: str, folder: Path) -> list[Path]:
    """Write the wrappers and the scheduler's files into `folder`, where settings and logs will be.

    Raises InvalidInput.
    """
    source = resources.root() / "cron"
    folder = folder.expanduser().resolve()
    if not str(folder).isprintable():
        raise InvalidInput("no scheduler can read the name of this folder: choose another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = [Path(shutil.copy(file, folder)) for file in sorted(source.glob("*.py"))]
        for file in _files(source, scheduler):
            target = folder / file.name
            encoding = "utf-16" if file.suffix == ".xml" else "utf-8"
            text = file.read_bytes().decode(encoding)
            for old, new in _paths(scheduler, folder).items():
                text = text.replace(old, new)
            target.write_bytes(text.encode(encoding))
            written.append(target)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error.strerror}") from error
    return written


def _files(source: Path, scheduler: str) -> list[Path]:
    if scheduler == "cron":
        return [source / "crontab"]
    return sorted(file for file in (source / scheduler).iterdir() if file.is_file())


def _paths(scheduler: str, folder: Path) -> dict[str, str]:
    """Each path as the shipped files have it, and as it is here, quoted as the scheduler reads it; what is within
    another comes first. Logs go where the wrappers are, unless their settings say otherwise.
    """
    python = Path(sys.executable)
    if scheduler == "windows":
        home, windowless = r"C:\Atlas\client-stage", python.with_name("pythonw.exe")
        return {
            rf"{home}\.venv\Scripts\pythonw.exe": escape(str(windowless)),
            rf"{home}\cron": escape(str(folder)),
        }
    home = "$ATLAS_HOME" if scheduler == "cron" else "/opt/atlas/client-stage"
    if scheduler == "cron":
        quoted = {
            f"{home}/.venv/bin/python": _for_cron(python),
            f"{home}/cron": _for_cron(folder),
            "ATLAS_HOME=/opt/atlas/client-stage\n": "",
        }
    else:
        quoted = {
            f"{home}/.venv/bin/python": _for_systemd(python),
            f"{home}/cron/%i.py": _for_systemd(folder, "/%i.py"),
            f"{home}/cron": str(folder).replace("%", "%%"),  # the rest of its line, with no quotes
            "Environment=ATLAS_LOG_DIR=/var/log/atlas\n": "",
        }
    return {**quoted, "ATLAS_LOG_DIR=/var/log/atlas\n": ""}


def _for_cron(path: Path) -> str:
    """A word of a crontab's command: the shell's, and a `%` would end the line."""
    return shlex.quote(str(path)).replace("%", "\\%")


def _for_systemd(path: Path, ending: str = "") -> str:
    """A word of a unit's command, where `%` and `$` are its own."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + ending + '"'
