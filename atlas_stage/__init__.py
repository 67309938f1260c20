"""The stage of every client of a bookkeeping firm: rules and history inside PostgreSQL.

`Stage.connect()` is the way in. Answers are dataclasses of `atlas_stage.models`, refusals exceptions of
`atlas_stage.errors`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from atlas_stage.async_stage import AsyncStage
from atlas_stage.errors import (
    ClientInactive,
    Conflict,
    IdempotencyKeyReused,
    InvalidInput,
    NotFound,
    NotInstalled,
    PermissionDenied,
    ReasonRequired,
    RollbackBlocked,
    RuleViolation,
    StageError,
    TransitionNotAllowed,
    Unauthenticated,
    Unavailable,
    UnknownFlag,
    UnknownStage,
    VersionConflict,
)
from atlas_stage.models import (
    Actor,
    Change,
    Check,
    Client,
    ClientPage,
    ClientView,
    DeletedClient,
    Held,
    HistoryPage,
    HistoryRow,
    IssuedToken,
    Outcome,
    Outcomes,
    Permission,
    PermissionChange,
    PermissionPage,
    QueueItem,
    Refusal,
    RunRollback,
    Token,
    TokenPage,
)
from atlas_stage.protocol import Transport, Work
from atlas_stage.stage import Stage

if TYPE_CHECKING:
    from atlas_stage.http import AsyncHttpTransport, HttpTransport
    from atlas_stage.transport import PsycopgTransport

__version__ = "0.1.0"

__all__ = [
    "Actor",
    "AsyncHttpTransport",
    "AsyncStage",
    "Change",
    "Check",
    "Client",
    "ClientInactive",
    "ClientPage",
    "ClientView",
    "Conflict",
    "DeletedClient",
    "Held",
    "HistoryPage",
    "HistoryRow",
    "HttpTransport",
    "IdempotencyKeyReused",
    "InvalidInput",
    "IssuedToken",
    "NotFound",
    "NotInstalled",
    "Outcome",
    "Outcomes",
    "Permission",
    "PermissionChange",
    "PermissionDenied",
    "PermissionPage",
    "PsycopgTransport",
    "QueueItem",
    "ReasonRequired",
    "Refusal",
    "RollbackBlocked",
    "RuleViolation",
    "RunRollback",
    "Stage",
    "StageError",
    "Token",
    "TokenPage",
    "TransitionNotAllowed",
    "Transport",
    "Unauthenticated",
    "Unavailable",
    "UnknownFlag",
    "UnknownStage",
    "VersionConflict",
    "Work",
]

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
