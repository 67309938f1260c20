"""What a scheduler's wrappers call: run a job if it is due, write a log, return an exit code.

The database is named by ATLAS_DATABASE_URL, else by `database_url` in a TOML file: the one that ATLAS_CONFIG names, or
`atlas-stage.toml` beside the wrapper or in the working folder. The log `cron-<job>.log` is in ATLAS_LOG_DIR, else in
the file's `log_dir`, else beside the wrapper. A log that can't be written never stops a job: the log continues in the
temporary folder, and says why.
"""

import argparse
import errno
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import tenacity

from atlas_stage.errors import InvalidInput, NotInstalled, StageError, Unavailable
from atlas_stage.ops.jobs import Jobs
from atlas_stage.stage import Stage
from atlas_stage.text import plain

CONFIG_NAME = "atlas-stage.toml"
# A backslash in double quotes starts an escape sequence in TOML.
_QUOTES = r"; write Windows paths in single quotes, such as 'D:\atlas', or with /"
_KNOWN = ("database_url", "log_dir", "tries", "watch")  # in the settings file
_LISTS = ("kinds", "stages", "owners")  # below [watch]
_WATCHED = ("url", "token", "post", "secret", *_LISTS, "digest")
_LOG_BYTES = 1_000_000
_LOOKS_SECONDS = 5.0  # how often what stays looks for its parent


class Exit(IntEnum):
    """A wrapper's exit codes."""

    DONE = 0
    FAILED = 1
    NOT_STARTED = 2


class Settings:
    """What the environment says, else the settings file. `problem` is why that can't be read, raised for what it lacks.

    The logs are in `log_dir`; `tries` is how often to try to connect.
    """

    def __init__(self, beside: Path | None = None) -> None:
        self.folder = beside or Path(sys.argv[0]).resolve().parent  # the wrapper's
        self.written: dict[str, Any] = {}
        self.problem: InvalidInput | None = None
        self.log_dir, self.tries = Path(os.environ.get("ATLAS_LOG_DIR") or self.folder), 6
        named = os.environ.get("ATLAS_CONFIG")
        places = [Path(named)] if named else [self.folder / CONFIG_NAME, Path.cwd() / CONFIG_NAME]
        self._place = places[0]
        try:
            self._place = next((place for place in places if place.is_file()), places[0])
            if named or self._place.is_file():
                self.written = _written(self._place)
            self.log_dir = Path(os.environ.get("ATLAS_LOG_DIR") or self.written.get("log_dir") or self.folder)
            self.tries = max(1, int(os.environ.get("ATLAS_JOB_TRIES") or self.written.get("tries") or self.tries))
        except (InvalidInput, OSError) as error:
            self.problem = InvalidInput(str(error))
        except (TypeError, ValueError):
            self.problem = InvalidInput("log_dir has to be a folder's name, and tries a number")

    @property
    def database_url(self) -> str:
        """Raises InvalidInput if no database is named, or the file can't be read."""
        if self.problem:
            raise self.problem
        url = os.environ.get("ATLAS_DATABASE_URL") or self.written.get("database_url")
        if not isinstance(url, str) or not url:
            raise InvalidInput(f"No database is given: set ATLAS_DATABASE_URL, or database_url in {self._place}")
        return url

    def watched(self) -> dict[str, Any]:
        """The table `watch`. Raises InvalidInput if it has what has no effect: then too much would be posted."""
        table = self.written.get("watch", {})
        if not isinstance(table, dict):
            raise InvalidInput("watch has to be a table: [watch]")
        if unknown := table.keys() - set(_WATCHED):
            raise InvalidInput(f"[watch] has no setting {min(unknown)}; there are {', '.join(_WATCHED)}")
        for name in _LISTS:
            words = table.get(name, [])
            if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
                raise InvalidInput(f'{name} below [watch] has to be a list, such as ["..."]')
        return table


def start(name: str) -> int:
    """What a wrapper does: a job by its name, `hourly` or `watch`, with its arguments. Returns the exit code."""
    parser = argparse.ArgumentParser()
    if name == "hourly":
        parser.add_argument("--stay", action="store_true", help="one minute past every hour, until SIGTERM or Ctrl-C")
    if name == "watch":
        parser.add_argument("--once", action="store_true", help="what there is now")
    given, unknown = parser.parse_known_args()
    if unknown:
        with job_log(name, Settings().log_dir) as log:
            log.error("could not start: unknown argument %s; --help lists them", plain(" ".join(unknown)))
        return Exit.NOT_STARTED
    if name == "hourly":
        return hourly(stay=given.stay)
    return watch(once=given.once) if name == "watch" else main(name)


def main(job: str, beside: Path | None = None, stop: threading.Event | None = None) -> int:
    """Run `job` if it is due. Returns the exit code. `beside` is the wrapper's folder; `stop` ends its retries."""

    def perform(jobs: Jobs, log: logging.Logger) -> int:
        run = jobs.perform(job, only_if_due=True)
        number = f"run {run.run_id}, " if run.run_id is not None else ""
        due = run.due_at.isoformat(timespec="minutes")
        level = logging.INFO if run.is_well else logging.ERROR
        log.log(level, "%sdue %s: %s", number, due, plain(run.in_words()))
        failed = jobs.trial()
        if failed:
            log.error("the trial failed: %s", plain(failed))
        return Exit.DONE if run.is_well and not failed else Exit.FAILED

    return _logged(job, beside, perform, stop)


def hourly(beside: Path | None = None, *, stay: bool = False, parent: int | None = None) -> int:
    """Run every job of the catalog that is due, one after the other. Returns the highest exit code.

    With `stay`, again one minute past every hour, until SIGTERM or Ctrl-C; a job that has begun ends first. `parent`:
    the process id of the parent whose death ends it, too (not on Windows).
    """
    stop = threading.Event()
    names: list[str] = []

    def read(jobs: Jobs, log: logging.Logger) -> int:
        names.extend(each["job"] for each in jobs.catalog())
        log.info("starts %s", ", ".join(names))
        return Exit.DONE

    if stay:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
    while True:
        names.clear()
        codes = [_logged("hourly", beside, read, stop)]
        codes += [main(job, beside, stop) for job in names if not stop.is_set()]
        if not stay:
            return max(codes)
        again = time.monotonic() + 3600 - time.time() % 3600 + 60
        while time.monotonic() < again:
            if stop.wait(_LOOKS_SECONDS) or (parent and os.getppid() != parent):
                return Exit.DONE


def watch(beside: Path | None = None, *, once: bool = False) -> int:
    """Post notices, as `atlas-stage watch` does, with the table `watch` of the settings file. Returns the exit code.

    The environment wins: ATLAS_URL, ATLAS_TOKEN, ATLAS_WEBHOOK_URL and ATLAS_WEBHOOK_SECRET.
    """
    from atlas_stage.ops import notices

    settings = Settings(beside)

    def setting(variable: str, name: str) -> str:
        value = os.environ.get(variable) or table.get(name)
        if not isinstance(value, str) or not value:
            raise settings.problem or InvalidInput(f"set {variable}, or {name} below [watch]")
        return value

    with job_log("watch", settings.log_dir) as log:
        try:
            table = settings.watched()
            post, secret = setting("ATLAS_WEBHOOK_URL", "post"), setting(notices.SECRET, "secret")
            url, token = setting("ATLAS_URL", "url"), setting("ATLAS_TOKEN", "token")
            only = {each.removesuffix("s"): table.get(each, ()) for each in _LISTS}
            file = settings.folder / "atlas-watch.json"
            with Stage.connect(url=url, token=token) as stage:
                log.info("starts")
                notices.Watch(stage, post, secret, file, only=only, digest=table.get("digest"), tell=log.warning).run(
                    once=once
                )
        except InvalidInput as error:
            log.error("could not start: %s", error)
            return Exit.NOT_STARTED
        except Exception as error:
            log.error("failed: %s: %s", type(error).__name__, plain(error))
            return Exit.FAILED
    return Exit.DONE


def _logged(
    job: str, beside: Path | None, work: Callable[[Jobs, logging.Logger], int], stop: threading.Event | None
) -> int:
    """Read the settings, open the log, connect, and work; retry while the database can't be reached.

    Whatever fails is logged and becomes the exit code.
    """
    settings, connected, stop = Settings(beside), False, stop or threading.Event()

    def attempt() -> int:
        nonlocal connected
        with Jobs(settings.database_url, progress=log.info) as jobs:
            connected = True
            return work(jobs, log)

    def tell(state: tenacity.RetryCallState) -> None:
        assert state.outcome is not None
        wait, error = state.upcoming_sleep, state.outcome.exception()
        log.warning("can't reach the database, next try in %g s: %s", wait, error)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(Unavailable) & tenacity.retry_if_not_exception_type(NotInstalled),
        stop=tenacity.stop_after_attempt(settings.tries) | tenacity.stop_when_event_set(stop),
        sleep=tenacity.sleep_using_event(stop),
        wait=tenacity.wait_exponential(multiplier=2),  # 2, 4, 8, 16 and 32 s: a minute
        before_sleep=tell,
        reraise=True,
    )
    with job_log(job, settings.log_dir) as log:
        for name in settings.written.keys() - set(_KNOWN):
            log.warning("the settings file has no setting %s; there are %s", plain(name), ", ".join(_KNOWN))
        try:
            return retrying(attempt)
        except StageError as error:
            began = connected and not isinstance(error, NotInstalled)
            log.error("failed: %s" if began else "could not start: %s", error)
            return Exit.FAILED if began else Exit.NOT_STARTED
        except Exception as error:
            log.error("failed: %s: %s", type(error).__name__, plain(error))
            return Exit.FAILED
        except BaseException as error:
            # The ledger has the run as running; the next start takes it over.
            log.error("stopped: %s", type(error).__name__)
            raise


def _written(file: Path) -> dict[str, Any]:
    """What the settings file says. Raises InvalidInput."""
    try:
        # Editors on Windows write a byte order mark.
        written = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise InvalidInput(f"ATLAS_CONFIG names {file}, and there is no such file") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} isn't in UTF-8: save it as UTF-8") from error
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} can't be read: {error}{_QUOTES}") from error
    for name, value in written.items():
        if isinstance(value, str) and not value.isprintable():
            raise InvalidInput(f"{name} in {file} has a control character{_QUOTES}")
    return written


class _JobLog(RotatingFileHandler):
    """Writes to the first of `files` that can be written: no one may stop a job by holding its log.

    A file is opened at its first line. If opening or writing fails (no rights, no space, open in Excel), the log
    continues in the next file, and says there and on stderr why.
    """

    def __init__(self, files: list[Path]) -> None:
        self._next = iter(files)
        first = next(self._next)
        super().__init__(first, maxBytes=_LOG_BYTES, backupCount=5, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        file = Path(self.baseFilename)
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_fifo():  # opening it waits for a reader
            raise FileExistsError(errno.EEXIST, "it is a pipe")
        return super()._open()

    def doRollover(self) -> None:  # noqa: N802, its name in the standard library
        with suppress(OSError):  # Windows can't rename a file that another process has open
            super().doRollover()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        failed, error = self.baseFilename, plain(sys.exc_info()[1])
        self.close()
        log = logging.getLogger(record.name)
        other = next(self._next, None)
        if other is None:
            log.removeHandler(self)
            log.error("can't write any log: %s", error)
            return
        self.baseFilename = os.path.abspath(other)  # noqa: PTH100, as in the base class
        log.error("can't write the log %s (%s): it continues in %s", failed, error, other)
        if self in log.handlers:
            self.emit(record)

    def close(self) -> None:
        with suppress(OSError, ValueError):  # what the full disk did not take is in the next file
            super().close()


@contextmanager
def job_log(job: str, folder: Path) -> Iterator[logging.Logger]:
    """The log of a job: `cron-<job>.log` in `folder`. Errors also go to stderr, so that cron mails them; with
    ATLAS_LOG_STDOUT, for containers, every line goes to stdout instead.
    """
    files = [folder / f"cron-{job}.log"]
    with suppress(OSError):  # there is none if every disk is full
        temporary = Path(tempfile.gettempdir())
        # Another user may own the first of them.
        files += [temporary / f"cron-{job}.log", temporary / f"cron-{job}-{os.getpid()}.log"]
    handlers: list[logging.Handler] = [_JobLog(files)]
    if os.environ.get("ATLAS_LOG_STDOUT") and sys.stdout is not None:
        handlers.append(logging.StreamHandler(sys.stdout))
    elif sys.stderr is not None:  # pythonw has none
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[-1].setLevel(logging.ERROR)
    form = f"%(asctime)s {job} %(levelname)s %(message)s"
    log = logging.getLogger(f"atlas_stage.cron.{job}")
    log.setLevel(logging.INFO)
    log.propagate = False
    for handler in handlers:
        handler.setFormatter(logging.Formatter(form, "%Y-%m-%d %H:%M:%S%z"))
        log.addHandler(handler)
    try:
        yield log
    finally:
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()
