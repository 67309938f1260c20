"""The files with which a scheduler starts the jobs of `jobs.catalog()`.

These are a wrapper per job, `hourly.py` for all of them, `watch.py` for notices, and what Task Scheduler, cron,
systemd and pg_cron read.
A scheduler starts them every hour of every day. The database decides which jobs are due, so no file has a date.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from string import Template
from xml.sax.saxutils import escape

from atlas_stage.errors import InvalidInput

_TEMPLATES = Path(__file__).with_name("templates")
HOURLY = "hourly"
WATCH = "watch"
_ABOUT_HOURLY = "runs every job that is due, one after the other"
_DUE = "Started every hour: the database decides what is due."
_ABOUT_WATCH = "posts notices until it is stopped"
_RESTARTED = "Started every hour, for the case that it ended."


@dataclass(frozen=True)
class Place:
    """Where the jobs run: the folder of the wrappers, their settings and logs, and the Python that starts them."""

    folder: PurePath
    python: PurePath

    def __post_init__(self) -> None:
        if not f"{self.folder}{self.python}".isprintable():
            said = "The folder's name has a control character, which schedulers can't read."
            raise InvalidInput(f"{said} Choose another folder.")


def write(scheduler: str, jobs: Mapping[str, str], place: Place, folder: Path) -> list[Path]:
    """Write the wrappers and the scheduler's files into `folder`. Raises InvalidInput if it can't be written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (wrappers(jobs) | FILES[scheduler](jobs, place)).items():
            (folder / name).write_bytes(content)
            written.append(folder / name)
    except OSError as error:
        raise InvalidInput(f"Can't write to {folder}: {error.strerror}.") from error
    return written


def wrappers(jobs: Mapping[str, str]) -> dict[str, bytes]:
    """A wrapper per job, from the jobs' descriptions by name, `hourly.py` and `watch.py`."""
    started = {**jobs, HOURLY: _ABOUT_HOURLY, WATCH: _ABOUT_WATCH}
    return {f"{name}.py": _filled("wrapper.txt", name=name, about=_sentence(about)) for name, about in started.items()}


def _windows(jobs: Mapping[str, str], place: Place) -> dict[str, bytes]:
    """Task Scheduler's files, as Windows exports them: UTF-16 with a byte order mark, CRLF."""
    made = {}
    due = {name: f"{_sentence(about)} {_DUE}" for name, about in {HOURLY: _ABOUT_HOURLY, **jobs}.items()}
    tasks = {WATCH: f"{_sentence(_ABOUT_WATCH)} {_RESTARTED}", **due}
    for (name, about), minute in zip(tasks.items(), (1, 1, *_minutes(jobs)), strict=True):
        task = _filled(
            "task.xml",
            name=name,
            about=escape(about),
            limit="PT0S" if name == WATCH else "PT4H",
            minute=f"{minute:02}",
            python=escape(str(place.python)),
            folder=escape(str(place.folder)),
            wrapper=escape(str(place.folder / f"{name}.py")),
        )
        made[f"{name}.xml"] = task.decode().replace("\n", "\r\n").encode("utf-16")
    return made


def _cron(jobs: Mapping[str, str], place: Place) -> dict[str, bytes]:
    def word(path: PurePath) -> str:
        # The shell reads it, and cron ends the command at a % without a backslash.
        return shlex.quote(str(path)).replace("%", "\\%")

    def line(name: str, minute: int = 1) -> str:
        return f"{minute} * * * * {word(place.python)} {word(place.folder / f'{name}.py')}\n"

    lines = "".join(f"# {line(*each)}" for each in zip(jobs, _minutes(jobs), strict=True))
    return {"crontab": _filled("crontab", hourly=line(HOURLY), jobs=lines)}


def _systemd(_jobs: Mapping[str, str], place: Place) -> dict[str, bytes]:
    def word(path: PurePath) -> str:
        # systemd expands % and $ in a command.
        escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
        return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'

    folder = str(place.folder).replace("%", "%%")  # WorkingDirectory takes no quotes
    of_job = word(place.folder / "NAME.py").replace("NAME.py", "%i.py")
    where = {"folder": folder, "python": word(place.python)}
    return {
        "atlas-job@.timer": _filled("atlas-job@.timer"),
        "atlas-job@.service": _filled("atlas-job@.service", wrapper=of_job, **where),
        "atlas-watch.service": _filled("atlas-watch.service", wrapper=word(place.folder / f"{WATCH}.py"), **where),
    }


def _pg_cron(jobs: Mapping[str, str], _place: Place) -> dict[str, bytes]:
    from atlas_stage.ops.jobs import PERFORM  # psycopg, which --help need not wait for

    lines = "".join(
        f"select cron.schedule('{job}', '{minute} * * * *', $$call {PERFORM}('{job}')$$);\n"
        for job, minute in zip(jobs, _minutes(jobs), strict=True)
    )
    lines += "select cron.schedule('trial', '13 5 * * *', $$select ops.trial()$$);\n"
    return {"pg_cron.sql": _filled("pg_cron.sql", jobs=lines)}


FILES = {"windows": _windows, "cron": _cron, "systemd": _systemd, "pg_cron": _pg_cron}


def _minutes(jobs: Mapping[str, str]) -> list[int]:
    """The minute at which each job starts, so that separate starts don't wait for each other's clients."""
    return [(1 + 2 * place) % 60 for place in range(len(jobs))]


def _filled(template: str, **values: str) -> bytes:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    return Template(text).substitute(values).encode()


def _sentence(about: str) -> str:
    return about[:1].upper() + about[1:] + "."
