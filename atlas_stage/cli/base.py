"""What all commands share: the global options, exit codes, and how an error ends the program."""

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import IntEnum
from functools import cached_property
from inspect import Parameter, Signature, signature
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.markup import escape
from typer.core import TyperGroup
from typer.models import OptionInfo

from atlas_stage import __version__, connecting
from atlas_stage.cli.rendering import Columns, Output, make_table
from atlas_stage.errors import InvalidInput, StageError, Unavailable, VersionConflict
from atlas_stage.models import Record
from atlas_stage.stage import Stage

if TYPE_CHECKING:
    import psycopg

    from atlas_stage.ops.jobs import Jobs


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    CONFLICT = 4


EXIT_CODES = (
    "Exit codes: 0 done; 1 refused by a rule, or doctor or verify found something; 2 wrong usage or an unreadable"
    " value; 3 the database or the API can't be reached, or isn't migrated; 4 conflict: the client changed in the"
    " meantime, so read it again and repeat."
)
# Errors of any other class end with REFUSED.
_EXITS: dict[type[StageError], Exit] = {
    InvalidInput: Exit.USAGE,
    Unavailable: Exit.UNAVAILABLE,
    VersionConflict: Exit.CONFLICT,
}

# Typer exports neither of these classes of click.
_UsageError: Any = typer.BadParameter.__bases__[0]
_ClickError: Any = _UsageError.__bases__[0]

# Options that can be anywhere on the line, and whether a value follows.
_GLOBAL = {"--database": True, "--url": True, "--as": True, "--json": False}


class Commands(TyperGroup):
    """The root command: takes global options anywhere on the line, and ends every error in a line on stderr."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the line with its global options moved to the front."""
        self._as_json = "--json" in args  # from the line itself, which may not parse
        rest: list[str] = self._reporting(super().parse_args, ctx, _global_first(args))
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error goes to stderr and becomes the exit code."""
        return self._reporting(super().invoke, ctx)

    def _reporting(self, step: Callable[..., Any], *given: Any) -> Any:
        try:
            return step(*given)
        except Exception as error:
            known = _as_stage_error(error, as_json=self._as_json)
            if known is None:
                raise
            Output(as_json=self._as_json).error(known)
            codes = (code for kind, code in _EXITS.items() if isinstance(known, kind))
            raise typer.Exit(next(codes, Exit.REFUSED)) from error


def _as_stage_error(error: Exception, *, as_json: bool) -> StageError | None:
    """The error to report; None for those that Typer reports."""
    match error:
        case StageError():
            return error
        case ModuleNotFoundError() if error.name and not error.name.startswith("atlas_stage"):
            needed = error.name.partition(".")[0]
            extra = "mcp" if needed == "mcp" else "local"
            return InvalidInput(
                f"This command needs {needed}, which isn't installed.",
                hint=f"pip install 'atlas-stage[{extra}]'",
            )
        case OSError() if error.filename is not None:
            return InvalidInput(f"{error.filename}: {error.strerror}")
        case OSError() if error.errno == errno.EPIPE:  # the reader has ended, as `head` does
            return None
        case OSError():
            return StageError(f"Can't write the answer: {error.strerror}", rule="output")
        case _ if hasattr(error, "sqlstate"):  # psycopg's, which is not imported just to compare classes
            from atlas_stage.transports.psycopg import translate

            return translate(error)  # type: ignore[arg-type]
        case _UsageError() if as_json:
            first_line = error.format_message().partition("\n")[0]
            return InvalidInput(first_line or "A command is missing.", hint="see --help")
        case _ClickError() | typer.Exit() | typer.Abort():
            return None
        case _ if "ATLAS_TRACEBACK" in os.environ:
            return None
    return StageError(
        f"This is a bug in atlas-stage: {type(error).__name__}: {error}",
        rule="bug",
        hint="set ATLAS_TRACEBACK=1, repeat the command, and report what it prints",
    )


def _global_first(args: Sequence[str]) -> list[str]:
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            return [*front, *rest, arg, *waiting]
        name, equals, _ = arg.partition("=")
        if name not in _GLOBAL:
            rest.append(arg)
        elif equals or not _GLOBAL[name]:
            front.append(arg)
        elif (value := next(waiting, None)) is not None:
            front += [arg, value]
        else:
            rest.append(arg)  # its value is missing: the command reports it
    return front + rest


@dataclass
class Session:
    """The global options of this run, and the connections that they lead to."""

    database: str | None
    actor: str | None
    output: Output
    url: str | None = None  # None: not over HTTP
    given: frozenset[str] = frozenset()  # which of database, url and actor are on the line
    keep: Callable[[Any], Any] = lambda made: made  # enters a context until the program ends

    @cached_property
    def api(self) -> Stage:
        """The stage, over the database or HTTP; closed when the program ends."""
        if self.url is None:
            return self.transactional_api
        return self.keep(Stage.connect(url=self.url))  # type: ignore[no-any-return]

    @cached_property
    def transactional_api(self) -> Stage:
        """The stage over the database, if one is known, else `api`."""
        if self.url is not None and ("url" in self.given or not self.database):
            return self.api
        from atlas_stage.transports.psycopg import PsycopgTransport

        return self.keep(Stage(PsycopgTransport(self.database, self.actor)))  # type: ignore[no-any-return]

    @cached_property
    def zone(self) -> tzinfo:
        """The firm's time zone, for showing times; this machine's if the caller can't read it."""
        with suppress(StageError, ZoneInfoNotFoundError):
            return ZoneInfo(self.api.settings().settings["time_zone"])
        return datetime.now().astimezone().tzinfo or UTC

    @cached_property
    def connection(self) -> "psycopg.Connection":
        """A psycopg connection to the database, in autocommit mode; closed when the program ends."""
        from atlas_stage.transports.psycopg import connect

        return self.keep(connect(self.database))  # type: ignore[no-any-return]

    @cached_property
    def jobs(self) -> "Jobs":
        """The scheduled jobs."""
        from atlas_stage.ops.jobs import Jobs

        return self.keep(Jobs(self.database, progress=self.output.aside))  # type: ignore[no-any-return]

    def records(
        self,
        name: str,
        records: Sequence[Record],
        columns: Columns,
        more: str | None = None,
        *,
        timed: bool = True,
        none: str | None = None,
    ) -> None:
        """Print a page of records: `{name: [...]}` as JSON, else a table. `more` is the option for the next page.

        `timed`: it has times, shown in the firm's time zone. `none`: what an empty page says.
        """
        empty = none or f"no {name}"
        self.output.result(
            {name: records},
            (lambda: make_table(columns, records, zone=self.zone if timed else None)) if records else empty,
        )
        if more:
            self.output.aside(f"for more, add: {more}")


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",  # Typer's default, but not in all its versions
    epilog=EXIT_CODES,
    help="A bookkeeping firm's clients: which stage each is in, who can move it, and who did.",
)


def group(name: str, words: str) -> typer.Typer:
    """A group of commands."""
    made = typer.Typer(no_args_is_help=True, help=escape(words))
    app.add_typer(made, name=name)
    return made


# The words that the shell completes, from the database: those of a firm's own rows, too.
_KNOWN: dict[str, Callable[[Stage], Iterable[str]]] = {
    "STAGE": lambda stage: (each.stage for each in stage.summary().stages),
    "FLAG": lambda stage: (each.flag for each in stage.summary().flags),
    "TIER": lambda stage: stage.summary().words["service_tier"],
    "CADENCE": lambda stage: stage.summary().words["close_cadence"],
    "SCHEDULE": lambda stage: stage.summary().words["sales_tax_schedule"],
    "ACTOR": lambda stage: (each.actor_id for each in stage.people().people),
    "ROLE": lambda stage: (each["role"] for each in stage.people().roles),
    "JOB": lambda stage: (each.job for each in stage.jobs().jobs),
    "SETTING": lambda stage: stage.settings().settings,
}


def option(words: str, metavar: str | None = None, *names: str, default: Any = None, **more: Any) -> Any:
    """An option, by default None. The shell completes its values if their name, `metavar`, is one of _KNOWN."""
    about, completion = escape(words), _completion(metavar)
    return typer.Option(default, *names, help=about, metavar=metavar, autocompletion=completion, **more)


def switch(words: str, *names: str) -> Any:
    """An option without a value, by default off."""
    return option(words, "", *names, default=False)


def argument(words: str, metavar: str | None = None, *, default: Any = ..., **more: Any) -> Any:
    """An argument, by default required, with the name of its values as for an option."""
    return typer.Argument(default, help=escape(words), metavar=metavar, autocompletion=_completion(metavar), **more)


def _completion(kind: str | None) -> Callable[[str], list[str]] | None:
    known = _KNOWN.get(kind or "")
    if known is None:
        return None

    def complete(incomplete: str) -> list[str]:
        with suppress(Exception), Stage.connect() as stage:
            return sorted(each for each in known(stage) if each.startswith(incomplete))
        return []

    return complete


_METAVARS: dict[type, str] = {
    str: "TEXT",
    int: "NUMBER",
    float: "NUMBER",
    date: "YYYY-MM-DD",
    UUID: "ID",
    Path: "PATH",
    bool: "",
}
# How a value is parsed, and what it isn't if it can't be. Typer says that in Python's words.
_PARSED: dict[type, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    date: (date.fromisoformat, "a day. Write YYYY-MM-DD, such as 2026-12-31"),
    UUID: (UUID, "an id such as 0e8f1c5a-3d0b-4c61-9a6e-2f1d3c4b5a69"),
}


def read_as(kind: type, least: float | None = None, most: float | None = None) -> Callable[[Any], Any]:
    """The parser of an option or argument. It raises BadParameter in words."""
    parse, words = _PARSED[kind]
    limits = [f"{name} {limit}" for name, limit in (("at least", least), ("at most", most)) if limit is not None]
    what = f"{words} of {' and '.join(limits)}" if limits else words

    def read(given: Any) -> Any:
        with suppress(ValueError):
            value: Any = given if isinstance(given, kind) else parse(given)
            if (least is None or value >= least) and (most is None or value <= most):
                return value
        raise typer.BadParameter(f'"{given}" isn\'t {what}.')

    read.__name__ = _METAVARS[kind].lower()  # Typer 0.27 shows it
    return read


def _kind_of(annotation: Any) -> type:
    """The type of one value of a parameter that can be left out or repeated."""
    while parts := [each for each in get_args(annotation) if each is not NoneType]:
        (annotation,) = parts
    return annotation  # type: ignore[no-any-return]


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"atlas-stage {__version__}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    database: str | None = option("Database URL.", "URL", envvar="ATLAS_DATABASE_URL"),
    url: str | None = option(
        "URL of the HTTP API, instead of a database. The token comes from ATLAS_TOKEN.",
        "URL",
        "--url",  # else it would be named after its metavar
        envvar=connecting.URL,
    ),
    actor: str | None = option("Act as, such as user:ana.", "ACTOR", "--as", envvar="ATLAS_ACTOR"),
    as_json: bool = switch("Print JSON instead of tables.", "--json"),
    version: bool = option(  # noqa: ARG001 (its callback ends the program)
        "Show the version.", "", "--version", default=False, callback=_show_version, is_eager=True
    ),
) -> None:
    """Read the global options, which can also follow the command."""
    sources = {name: ctx.get_parameter_source(name) for name in ("database", "url", "actor")}
    given = frozenset(name for name, at in sources.items() if at and at.name == "COMMANDLINE")
    if "url" in given and len(given) > 1:
        raise InvalidInput("Use --url alone, or --database and --as. Over HTTP the token says who you are.")
    over_http = "url" in given or (not given and connecting.http_is_named())
    api = url if over_http else None
    ctx.obj = Session(database, actor, Output(as_json=as_json), api, given, ctx.with_resource)


def confirm(run: Session, question: str) -> None:
    """Ask a person. Raises InvalidInput unless the answer is yes, or if no one can be asked."""
    try:
        agreed = not run.output.as_json and typer.confirm(question, err=True)
    except typer.Abort:  # no terminal, or Ctrl-C
        run.output.aside("")  # the question's line has ended
        agreed = False
    if not agreed:
        raise InvalidInput("Nothing was changed.", hint="answer y, or add --yes")


def command(
    app: typer.Typer, called: str | None = None, *groups: type, **more: Any
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command of `app`. Its first parameter is the session.

    The attributes of the classes `groups` are options too; the function gets them as keyword arguments. `more` goes to
    Typer.
    """

    def add(function: Callable[..., None]) -> Callable[..., None]:
        _, *own = signature(function, eval_str=True).parameters.values()
        shared = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=getattr(group, name), annotation=kind)
            for group in groups
            for name, kind in get_type_hints(group).items()
        ]
        given = [each.replace(kind=each.KEYWORD_ONLY) for each in own if each.kind != each.VAR_KEYWORD]
        for each in (*given, *shared):
            info, kind = each.default, _kind_of(each.annotation)
            if kind in _PARSED and info.parser is None:
                info.parser = read_as(kind, info.min, info.max)
                info.min = info.max = None
            if isinstance(info, OptionInfo):
                # some versions of Typer name an option after its metavar
                names, own_name = info.param_decls or (), f"--{each.name.replace('_', '-')}"
                if not (names and kind is bool):
                    info.param_decls = tuple(dict.fromkeys((*names, own_name)))
                if info.metavar is None:
                    info.metavar = _METAVARS.get(kind)
            else:
                info.metavar = info.metavar or each.name.upper()

        def call(ctx: typer.Context, **arguments: Any) -> None:
            function(ctx.obj, **arguments)

        context = Parameter("ctx", Parameter.KEYWORD_ONLY, annotation=typer.Context)
        described: Any = call
        described.__signature__ = Signature([context, *given, *shared])
        app.command(called or function.__name__.replace("_", "-"), help=escape(function.__doc__ or ""), **more)(call)
        return function

    return add


# Parameters of several commands.
CLIENT = argument("Id or slug.", "CLIENT")
ACTOR = argument("user:…, agent:… or system:…", "ACTOR")
REASON = option("Why, for the history.", default="")
WHY = option("Why, for the history.")
KEY = option("A unique key: repeating the command then changes nothing.")
ON_BEHALF_OF = option("The person this is done for.")


def limit(default: int) -> Any:
    """How many records to show."""
    return option("Show at most this many.", default=default, min=1, max=2**31 - 1)


class How:
    """How a change came about."""

    triggered_by: str | None = option("The event that caused this.")
    on_behalf_of: str | None = ON_BEHALF_OF
    channel: str | None = option("slack, nlp_relay or event_webhook.")
    external_id: str | None = KEY
