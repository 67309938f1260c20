"""The stage of every client of a bookkeeping firm: rules and history inside PostgreSQL.

Begin with `Stage.connect()`. Answers are records of `atlas_stage.models`, refusals are exceptions of
`atlas_stage.errors`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from atlas_stage.async_stage import AsyncStage as AsyncStage
from atlas_stage.errors import (
    ClientInactive as ClientInactive,
    Conflict as Conflict,
    IdempotencyKeyReused as IdempotencyKeyReused,
    InvalidInput as InvalidInput,
    NotFound as NotFound,
    NotInstalled as NotInstalled,
    PermissionDenied as PermissionDenied,
    ReasonRequired as ReasonRequired,
    RollbackBlocked as RollbackBlocked,
    RuleViolation as RuleViolation,
    StageError as StageError,
    TransitionNotAllowed as TransitionNotAllowed,
    Unauthenticated as Unauthenticated,
    Unavailable as Unavailable,
    UnknownFlag as UnknownFlag,
    UnknownStage as UnknownStage,
    VersionConflict as VersionConflict,
)
from atlas_stage.protocol import Transport as Transport, Work as Work
from atlas_stage.stage import Stage as Stage

if TYPE_CHECKING:
    from atlas_stage.transports.async_http import AsyncHttpTransport as AsyncHttpTransport
    from atlas_stage.transports.psycopg import PsycopgTransport as PsycopgTransport
    from atlas_stage.transports.sync_http import HttpTransport as HttpTransport

__version__ = "0.2.0"

# Imported at first use: httpx and psycopg take longer than all the rest, and a script needs one of them.
_LATER = {
    "AsyncHttpTransport": "async_http",
    "HttpTransport": "sync_http",
    "PsycopgTransport": "psycopg",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(f"atlas_stage.transports.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
