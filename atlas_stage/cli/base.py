"""What all commands share: the global options, exit codes, and how an error ends the program."""

import errno
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import IntEnum
from functools import cached_property
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from atlas_stage.cli.rendering import Output, survive_any_encoding
from atlas_stage.errors import Conflict, InvalidInput, StageError, Unavailable
from atlas_stage.ops.lookup import firm_zone
from atlas_stage.stage import Stage

if TYPE_CHECKING:
    import psycopg


class Exit(IntEnum):
    """The exit codes."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    CONFLICT = 4

    @classmethod
    def of(cls, error: StageError) -> "Exit":
        """The exit code for an error."""
        match error:
            case InvalidInput():
                return cls.USAGE
            case Unavailable():
                return cls.UNAVAILABLE
            case Conflict():
                return cls.CONFLICT
            case _:
                return cls.REFUSED


EXIT_CODES = (
    "Exit codes: 0 done; 1 refused by a rule, or doctor or verify found something; 2 wrong usage or an unreadable"
    " value; 3 the database or the API can't be reached, or isn't migrated; 4 conflict: the client changed in the"
    " meantime, so read it again and repeat."
)

# Typer exports neither of these classes of click.
_UsageError: Any = typer.BadParameter.__bases__[0]
_ClickError: Any = _UsageError.__bases__[0]
_AS_JSON = "atlas_stage.as_json"

# Options that can be anywhere on the line, and whether a value follows.
_GLOBAL = {"--database": True, "--url": True, "--as": True, "--json": False}


class Commands(TyperGroup):
    """The root command: takes global options anywhere on the line, and ends every error in a line on stderr."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Run the program, for any encoding of its output."""
        survive_any_encoding()
        return super().main(*args, **more)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the line with its global options moved to the front."""
        ctx.meta[_AS_JSON] = "--json" in args  # from the line itself, which may not parse
        rest: list[str] = self._reporting(ctx, super().parse_args, _global_first(args))
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error goes to stderr and becomes the exit code."""
        return self._reporting(ctx, super().invoke)

    def _reporting(self, ctx: Any, step: Callable[..., Any], *given: Any) -> Any:
        try:
            return step(ctx, *given)
        except Exception as error:
            known = _as_stage_error(error, as_json=ctx.meta[_AS_JSON])
            if known is None:
                raise
            login = str(known.details.get("actor_id", ""))
            if login.startswith("system:db:"):
                known.hint = (
                    f"you act as {login}, your database login: add --as user:…, or set ATLAS_ACTOR"
                )
                known.details.pop("text", None)
            Output(as_json=ctx.meta[_AS_JSON]).error(known)
            raise typer.Exit(Exit.of(known)) from error


def _as_stage_error(error: Exception, *, as_json: bool) -> StageError | None:
    """The error to report; None for those that Typer reports."""
    psycopg: Any = sys.modules.get("psycopg")  # not imported: an error of psycopg has imported it
    match error:
        case StageError():
            return error
        case ModuleNotFoundError() if error.name and not error.name.startswith("atlas_stage"):
            return InvalidInput(
                f"This command needs {error.name.partition('.')[0]}, which isn't installed.",
                hint="pip install 'atlas-stage[local]'",
            )
        case OSError() if error.filename is not None:
            return InvalidInput(f"{error.filename}: {error.strerror}")
        case OSError() if error.errno == errno.EPIPE:  # the reader has ended, as `head` does
            return None
        case OSError():
            return StageError(f"Can't write the answer: {error.strerror}", rule="output")
        case _ if psycopg and isinstance(error, psycopg.Error):
            from atlas_stage.transport import translate

            return translate(error)
        case _UsageError() if as_json:
            first_line = str(getattr(error, "message", "")).partition("\n")[0]
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
    waiting = list(reversed(args))
    while waiting:
        arg = waiting.pop()
        name = arg.split("=", 1)[0]
        if arg == "--":
            return [*front, *rest, arg, *reversed(waiting)]
        if name not in _GLOBAL:
            rest.append(arg)
        elif arg != name or not _GLOBAL[name]:
            front.append(arg)
        elif waiting:
            front += [arg, waiting.pop()]
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
    url_only: bool = False  # the line has --url, so use no database instead
    on_close: Callable[[Callable[[], None]], object] = lambda _: None

    @cached_property
    def api(self) -> Stage:
        """The stage, over the database or HTTP; closed when the program ends."""
        return self._opened(over_http=self.url is not None)

    @cached_property
    def transactional_api(self) -> Stage:
        """The stage over the database, if one is known."""
        return self._opened(over_http=self.url is not None and (self.url_only or not self.database))

    @cached_property
    def zone(self) -> tzinfo:
        """The firm's time zone, for showing times."""
        return firm_zone(self.api)

    def connection(self) -> "psycopg.Connection":
        """A psycopg connection to the database."""
        from atlas_stage.transport import connect

        return connect(self.database)

    def _opened(self, *, over_http: bool) -> Stage:
        if over_http:
            stage = Stage.connect(url=self.url)
        else:
            from atlas_stage.transport import PsycopgTransport

            stage = Stage(PsycopgTransport(self.database, self.actor))
        self.on_close(stage.close)
        return stage


def session(ctx: typer.Context) -> Session:
    """The session that the root command created."""
    made = ctx.find_root().obj
    assert isinstance(made, Session)
    return made


def is_on_the_line(ctx: typer.Context, name: str) -> bool:
    """Whether the line has this global option (its environment variable doesn't count)."""
    source = ctx.find_root().get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


Options = Mapping[str, Any]  # name to annotated type


def with_options(*groups: Options) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add groups of options to a command, which gets them as keyword arguments; None if not given."""

    def add(command: Callable[..., None]) -> Callable[..., None]:
        known = signature(command)
        own = [each for each in known.parameters.values() if each.kind is not each.VAR_KEYWORD]
        more = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for group in groups
            for name, kind in group.items()
        ]
        described: Any = command
        described.__signature__ = known.replace(parameters=[*own, *more])
        described.__annotations__ = {each.name: each.annotation for each in [*own, *more]}
        return command

    return add


Context = typer.Context
ClientName = Annotated[str, typer.Argument(metavar="CLIENT", help="Id or slug.")]
Reason = Annotated[str, typer.Option(help="Why, for the history.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Show at most this many.")]
ActorId = Annotated[str, typer.Argument(metavar="ACTOR", help="user:…, agent:… or system:…")]
SomeActor = Annotated[str | None, typer.Argument(metavar="[ACTOR]", help="Only this actor's.")]

ExternalId = Annotated[
    str | None, typer.Option(help="A unique key: repeating the command then changes nothing.")
]
# How a change came about.
HOW: Options = {
    "triggered_by": Annotated[str | None, typer.Option(help="The event that caused this.")],
    "on_behalf_of": Annotated[str | None, typer.Option(help="The person this is done for.")],
    "channel": Annotated[str | None, typer.Option(help="slack, nlp_relay or event_webhook.")],
    "external_id": ExternalId,
}
