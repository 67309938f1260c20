"""What a scheduler starts: one job, if it is due, with a log and an exit code. No window needed.

The database is named by ATLAS_DATABASE_URL, else by `database_url` in a TOML file: the one that ATLAS_CONFIG names, or
`atlas-stage.toml` beside the wrapper or in the working folder. The log `cron-<job>.log` goes to ATLAS_LOG_DIR, else to
the file's `log_dir`, else beside the wrapper. Where the settings cannot be read, it goes beside the wrapper, else into
the folder for temporary files.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from logging.handlers import RotatingFileHandler
from pathlib import Path

import tenacity

from atlas_stage.errors import InvalidInput, NotInstalled, StageError, Unavailable
from atlas_stage.ops.jobs import JobRun, Jobs
from atlas_stage.text import plain

CONFIG_NAME = "atlas-stage.toml"
# What a path of Windows in double quotes comes to grief on.
_QUOTES = (
    r"; a \ in double quotes begins an escape: write paths in single quotes, 'D:\atlas', or with /"
)
_LOG_BYTES = 1_000_000
_OLD_LOGS = 5


class Exit(IntEnum):
    """How a wrapper ends."""

    DONE = 0
    FAILED = 1
    NOT_STARTED = 2


@dataclass(frozen=True)
class Settings:
    """Where the database and the log are, and how often to try."""

    database_url: str
    log_dir: Path
    tries: int = 6  # waiting 2, 4, 8, 16, 32 seconds: a minute in all
    first_wait: float = 2.0


def main(job: str, beside: Path | None = None) -> int:
    """Run `job` if it is due; the exit code. `beside` is the wrapper's folder."""
    folder = beside or Path(sys.argv[0]).resolve().parent
    try:
        settings = read_settings(folder)
        log = open_log(job, settings.log_dir)
    except (InvalidInput, OSError) as error:
        _complain(job, folder, f"could not start: {plain(error)}")
        return Exit.NOT_STARTED
    try:
        return _run(job, settings, log)
    except BaseException as error:
        log.error("failed: %s: %s", type(error).__name__, plain(error))
        if isinstance(error, Exception):
            return Exit.FAILED
        raise  # somebody ended it: the ledger has it as running, and the next run takes over
    finally:
        _close(log)


def _close(log: logging.Logger) -> None:
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()


def _run(job: str, settings: Settings, log: logging.Logger) -> int:
    begun = False

    def attempt() -> JobRun:
        nonlocal begun
        with Jobs(settings.database_url, progress=log.info) as jobs:
            begun = True
            return jobs.perform(job, only_if_due=True)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_may_pass),
        stop=tenacity.stop_after_attempt(settings.tries),
        wait=tenacity.wait_exponential(multiplier=settings.first_wait),
        before_sleep=lambda state: _tell_wait(log, state),
        reraise=True,
    )
    try:
        run = retrying(attempt)
    except NotInstalled as error:
        log.error("could not start: %s", error)
        return Exit.NOT_STARTED
    except StageError as error:
        log.error("%s: %s", "failed" if begun else "could not start", error)
        return Exit.FAILED if begun else Exit.NOT_STARTED

    log.log(logging.INFO if run.is_well else logging.ERROR, "%s", _line(run))
    return Exit.DONE if run.is_well else Exit.FAILED


def _line(run: JobRun) -> str:
    number = f"run {run.run_id}, " if run.run_id is not None else ""
    return f"{number}due {run.due_at.isoformat(timespec='minutes')}: {plain(run.in_words())}"


def _may_pass(error: BaseException) -> bool:
    """Whether waiting may help: the database is away, and not just without the stage system."""
    return isinstance(error, Unavailable) and not isinstance(error, NotInstalled)


def _tell_wait(log: logging.Logger, state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    seconds = state.next_action.sleep if state.next_action else 0
    log.warning("the database is away, next try in %g s: %s", seconds, error)


def read_settings(beside: Path) -> Settings:
    """The settings of the environment and of the file. Raises InvalidInput where none names a database, or the file
    cannot be read.
    """
    named = os.environ.get("ATLAS_CONFIG")
    places = [Path(named)] if named else [beside / CONFIG_NAME, Path.cwd() / CONFIG_NAME]
    found = next((place for place in places if place.is_file()), None)
    if named and found is None:
        raise InvalidInput(f"ATLAS_CONFIG names {named}, which is not there")
    try:
        # Editors on Windows put a byte order mark first.
        written = tomllib.loads(found.read_text(encoding="utf-8-sig")) if found else {}
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{found} cannot be read: it is not UTF-8; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{found} cannot be read: {error}{_QUOTES}") from error
    for name, value in written.items():
        if isinstance(value, str) and not value.isprintable():
            raise InvalidInput(f"{name} in {found} has a control character{_QUOTES}")

    database = os.environ.get("ATLAS_DATABASE_URL") or written.get("database_url")
    if not isinstance(database, str) or not database:
        raise InvalidInput(
            f"no database is named: set ATLAS_DATABASE_URL, or database_url in {places[0]}"
        )
    log_dir = os.environ.get("ATLAS_LOG_DIR") or written.get("log_dir") or beside
    tries = os.environ.get("ATLAS_JOB_TRIES") or written.get("tries") or Settings.tries
    try:
        return Settings(database, Path(log_dir), max(1, int(tries)))
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"log_dir or tries cannot be read: {error}") from error


class _Rotating(RotatingFileHandler):
    """Keeps writing to the log where it cannot be rotated: Windows does not rename what another process has open."""

    def doRollover(self) -> None:  # noqa: N802, its name in the standard library
        try:
            super().doRollover()
        except OSError:
            self.stream = self._open()


def open_log(job: str, folder: Path, *, to_streams: bool = True) -> logging.Logger:
    """The log of a job: a line an event in `cron-<job>.log`; errors also on stderr, so that cron mails them; everything
    on stdout where ATLAS_LOG_STDOUT is set, for containers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger(f"atlas_stage.cron.{job}")
    log.setLevel(logging.INFO)
    log.propagate = False
    file = _Rotating(
        folder / f"cron-{job}.log", maxBytes=_LOG_BYTES, backupCount=_OLD_LOGS, encoding="utf-8"
    )
    handlers: list[logging.Handler] = [file]
    if not to_streams:
        pass
    elif os.environ.get("ATLAS_LOG_STDOUT") and sys.stdout is not None:
        handlers.append(logging.StreamHandler(sys.stdout))
    elif sys.stderr is not None:  # pythonw has none
        errors = logging.StreamHandler(sys.stderr)
        errors.setLevel(logging.ERROR)
        handlers.append(errors)
    form = logging.Formatter(f"%(asctime)s {job} %(levelname)s %(message)s", "%Y-%m-%d %H:%M:%S%z")
    for handler in handlers:
        handler.setFormatter(form)
        log.addHandler(handler)
    return log


def _complain(job: str, beside: Path, text: str) -> None:
    """Say why a job could not start: on stderr where there is one, which pythonw has not, and in a log in the first
    folder that takes one. The last of them always exists.
    """
    if sys.stderr is not None:
        print(f"{job}: {text}", file=sys.stderr)
    named = os.environ.get("ATLAS_LOG_DIR")
    for folder in [*([Path(named)] if named else []), beside, Path(tempfile.gettempdir())]:
        try:
            log = open_log(job, folder, to_streams=False)
        except OSError:
            continue
        log.error("%s", text)
        _close(log)
        return


def stay(jobs: Sequence[str]) -> int:
    """Run the jobs now and a minute after every full hour, until SIGTERM or Ctrl-C ends it between two runs."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    while not stop.is_set():
        for job in jobs:
            if not stop.is_set():
                main(job)
        stop.wait(_seconds_to_next_hour())
    return Exit.DONE


def _seconds_to_next_hour() -> float:
    return 3600 - time.time() % 3600 + 60
