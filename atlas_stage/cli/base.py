"""What all commands share: exit codes, the global options, and how an error ends the program."""

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import IntEnum
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
    """How the program ends."""

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
    "Exit codes: 0 done; 1 refused by a rule, or something is wrong (doctor); 2 wrong usage, or a "
    "value that cannot be read; 3 the database or the API cannot be reached, or is not migrated; 4 conflict: "
    "somebody was faster, read again and repeat."
)

# What the line has that cannot be: an option, a value. Typer has its class, but no name for it.
_UsageError = typer.BadParameter.__bases__[0]
_AS_JSON = "atlas_stage.as_json"

# Options that may stand anywhere on the line, and whether a value follows.
_GLOBAL = {"--database": True, "--url": True, "--as": True, "--json": False}


class Commands(TyperGroup):
    """The root of the commands: takes global options anywhere, and ends errors of the stage in one plain line."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Run the program, whatever its output can be written in."""
        survive_any_encoding()
        return super().main(*args, **more)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the line with its global options moved to the front."""
        ctx.meta[_AS_JSON] = "--json" in args  # asked of the line, which may be what cannot be read
        rest: list[str] = self._ended_in_a_line(ctx, super().parse_args, _global_first(args))
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a StageError goes to stderr and becomes the exit code."""
        return self._ended_in_a_line(ctx, super().invoke)

    def _ended_in_a_line(self, ctx: Any, step: Callable[..., Any], *given: Any) -> Any:
        try:
            try:
                return step(ctx, *given)
            except Exception as error:
                known = _known(error, as_json=ctx.meta[_AS_JSON])
                if known is None:
                    raise
                raise known from error
        except StageError as error:
            if str(error.details.get("actor_id", "")).startswith("system:db:"):
                error.hint = (
                    f"you act as {error.details['actor_id']}, your database login: say who you are with"
                    " --as user:…, or in ATLAS_ACTOR; otherwise " + (error.hint or "ask an admin")
                )
            Output(as_json=ctx.meta[_AS_JSON]).error(error)
            raise typer.Exit(Exit.of(error)) from error


def _known(error: Exception, *, as_json: bool) -> StageError | None:
    """What an exception that is not ours means to the user; None: a fault of ours, or what Typer says itself."""
    match error:
        case ModuleNotFoundError():
            name = (error.name or "").partition(".")[0]
            if name not in {"", "atlas_stage"}:
                return InvalidInput(
                    f"this command needs {name}, which is not installed",
                    hint="pip install 'atlas-stage[local]'",
                )
        case OSError() if error.filename is not None:
            return InvalidInput(f"{error.filename}: {error.strerror}")
        case OSError() if error.errno != errno.EPIPE:  # nobody reads on: that is no error
            return StageError(f"the answer could not be written: {error.strerror}", rule="output")
        case _ if as_json and isinstance(error, _UsageError):
            first_line = str(getattr(error, "message", "")).partition("\n")[0]
            return InvalidInput(first_line or "a command is missing", hint="see --help")
    return None


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
            rest.append(arg)  # its value is missing: the command will say so
    return front + rest


@dataclass(frozen=True)
class Session:
    """The global options of this run."""

    database: str | None
    actor: str | None
    output: Output
    url: str | None = None  # None: not over HTTP
    url_alone: bool = False  # the line names the API, so no database may stand in for it

    def stage(self, *, transactions: bool = False) -> Stage:
        """The stage that the options name; with `transactions` on the database, where it is known too."""
        if self.url is None or (transactions and self.database and not self.url_alone):
            from atlas_stage.transports.psycopg import PsycopgTransport

            return Stage(PsycopgTransport(self.database, self.actor))
        return Stage.connect(url=self.url)

    def zone(self, api: Stage | None = None) -> tzinfo:
        """The firm's time zone, in which all times are shown."""
        if api is not None:
            return firm_zone(api)
        with self.stage() as asked:
            return firm_zone(asked)

    def connection(self) -> "psycopg.Connection":
        """A bare psycopg connection to the same database."""
        from atlas_stage.transports.psycopg import connect

        return connect(self.database)


def session(ctx: typer.Context) -> Session:
    """The session that the root command made."""
    made = ctx.find_root().obj
    assert isinstance(made, Session)
    return made


ClientName = Annotated[str, typer.Argument(metavar="CLIENT", help="Its id or its slug.")]
Reason = Annotated[str, typer.Option(help="Why, for the history.")]
