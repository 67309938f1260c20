"""The stage of every client of a bookkeeping firm: rules and history inside PostgreSQL.

`Stage.connect()` is the way in. Answers are dataclasses of `atlas_stage.models`, refusals exceptions of
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
from atlas_stage.models import (
    Actor as Actor,
    AdministrationPage as AdministrationPage,
    AdministrationRecord as AdministrationRecord,
    Break as Break,
    Change as Change,
    Check as Check,
    Client as Client,
    ClientPage as ClientPage,
    ClientView as ClientView,
    DeletedClient as DeletedClient,
    Erasure as Erasure,
    Held as Held,
    HistoryPage as HistoryPage,
    HistoryRow as HistoryRow,
    IssuedToken as IssuedToken,
    Outcome as Outcome,
    Outcomes as Outcomes,
    Permission as Permission,
    PermissionChange as PermissionChange,
    PermissionPage as PermissionPage,
    QueueItem as QueueItem,
    Refusal as Refusal,
    RunRollback as RunRollback,
    Token as Token,
    TokenPage as TokenPage,
    Verification as Verification,
)
from atlas_stage.protocol import Transport as Transport, Work as Work
from atlas_stage.stage import Stage as Stage

if TYPE_CHECKING:
    from atlas_stage.http import (
        AsyncHttpTransport as AsyncHttpTransport,
        HttpTransport as HttpTransport,
    )
    from atlas_stage.transport import PsycopgTransport as PsycopgTransport

__version__ = "0.2.0"

# Imported when asked for: httpx and psycopg take longer than all the rest, and a script needs one of them.
_LATER = {
    "AsyncHttpTransport": "atlas_stage.http",
    "HttpTransport": "atlas_stage.http",
    "PsycopgTransport": "atlas_stage.transport",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
