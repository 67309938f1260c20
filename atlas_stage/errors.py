"""What can go wrong, as exceptions named after the rule that refused.

The rules are in the database. It refuses with SQLSTATE `PT` + HTTP status and a DETAIL that is JSON:
`{"rule": <stable code>, <facts>, "refusals": [every rule that failed]}`. This module gives that refusal its class.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from atlas_stage.text import plain

SAME_VERSION = "bring the client and the database to the same version: run atlas-stage migrate"

# Keys of a refusal that describe it, or are only for programs; all other keys are facts.
_DESCRIPTION = frozenset({"rule", "status", "message", "hint", "refusals", "sqlstate"})


class StageError(Exception):
    """Base of all errors of this package.

    `rule` is the stable code, `status` the HTTP status of the same refusal over HTTP, `message` the rule in words,
    `details` its facts, `hint` what to do next (or None). `str()` is one printable line with the facts.
    """

    default_rule: ClassVar[str] = "database_error"
    default_status: ClassVar[int] = 500
    # The class for a rule, or for an HTTP status.
    kinds: ClassVar[dict[str | int, type["StageError"]]] = {}

    def __init_subclass__(cls, answers: tuple[str | int, ...] = (), rule: str | None = None) -> None:
        """`answers` are the rules, or statuses, of this class; the first status and `rule` are its defaults."""
        StageError.kinds |= dict.fromkeys(answers, cls)
        cls.default_rule = rule or cls.default_rule
        cls.default_status = next((one for one in answers if type(one) is int), cls.default_status)

    def __init__(
        self,
        message: str,
        *,
        rule: str | None = None,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule or self.default_rule
        self.status = status or self.default_status
        self.details: dict[str, Any] = dict(details or {})
        self.hint = hint

    def __str__(self) -> str:
        # The first of `refusals` is the rule that this error is about.
        refusals = self.details.get("refusals")
        also = refusals[1:] if isinstance(refusals, list) else []
        sentences = [_sentence(each["message"], each) for each in also]
        return plain(" Also: ".join([_sentence(self.message, self.details), *sentences]))

    def as_json(self) -> dict[str, Any]:
        """The error as the HTTP API returns it, with rule and status on top."""
        names = ("rule", "status", "message", "details", "hint")
        return {name: getattr(self, name) for name in names}


class InvalidInput(StageError, answers=(400, 405, 413, 415), rule="invalid_input"):
    """400, and the gateway's 405, 413 and 415: a value has the wrong type or can't be sent."""


class Unauthenticated(StageError, answers=(401,), rule="unauthenticated"):
    """401: the caller is unknown."""


class PermissionDenied(StageError, answers=(403,), rule="permission_missing"):
    """403: the actor may not; `details` has the permission, and the scope that failed."""


class NotFound(StageError, answers=(404,), rule="not_found"):
    """404: no such client, history row, grant or token."""


class Conflict(StageError, answers=(409,), rule="conflict"):
    """409: something has changed in the meantime."""


class VersionConflict(Conflict, answers=("version_conflict",)):
    """The client has changed since it was read; `details["current_version"]` is its version now."""


class IdempotencyKeyReused(Conflict, answers=("idempotency_key_reused",)):
    """The external_id was used for another request."""


class RollbackBlocked(Conflict, answers=("rollback_blocked", "already_rolled_back")):
    """A later change depends on this one (`details["blocking_history_id"]`), or it was rolled back already."""


class RuleViolation(StageError, answers=(422,), rule="rule_violation"):
    """422: the rules forbid it."""


class TransitionNotAllowed(RuleViolation, answers=("transition_not_allowed",)):
    """The move isn't allowed; `details["allowed_stages"]` lists those that are."""


class ClientInactive(RuleViolation, answers=("client_inactive",)):
    """An inactive client can't be moved."""


class UnknownStage(RuleViolation, answers=("unknown_stage",)):
    """There is no such stage."""


class UnknownFlag(RuleViolation, answers=("unknown_flag",)):
    """There is no such flag."""


class ReasonRequired(RuleViolation, answers=("reason_required",)):
    """The change needs a reason that isn't blank."""


class Unavailable(StageError, answers=(503,), rule="unavailable"):
    """The database or the API can't be reached, broke off, or took too long. A write may have been done."""


class NotInstalled(Unavailable, rule="not_installed"):
    """The stage system isn't deployed in this database."""


def from_refusal(
    code: str, message: str, details: Mapping[str, Any] | None = None, hint: str | None = None
) -> StageError:
    """The exception for a refusal by the database: `code` is `PT` + status, `details` the parsed DETAIL."""
    status = int(code[2:])
    rule = (details or {}).get("rule")
    kind = StageError.kinds.get(rule or "") or StageError.kinds.get(status, StageError)
    return kind(message, rule=rule, status=status, details=details, hint=hint)


def from_sqlstate(code: str, message: str, detail: str | None = None, hint: str | None = None) -> StageError | None:
    """The exception for an error of the database, if its SQLSTATE is known; else None."""
    if code.startswith("PT") and code[2:].isdecimal():
        return from_refusal(code, message, _facts(detail), hint)
    details = {"sqlstate": code}
    if code in {"3F000", "42P01"}:
        message = f"the stage system is not deployed in this database: {message}"
        return NotInstalled(message, hint="run: atlas-stage migrate")
    if code == "42501":
        # A session calls one function of `rules`: act_as, which only operators may call.
        operator = "schema rules" in message or "act_as" in message
        hint = "only operators can act as someone else: grant atlas_operator to … (the login)"
        return PermissionDenied(message, rule="database_privilege", details=details, hint=hint if operator else None)
    if code[:2] in {"22", "54"} or code in {"42883", "42846", "42804"}:
        hint = SAME_VERSION if code == "42883" else None  # no such function
        return InvalidInput(message, details=details, hint=hint)
    if code == "25006":
        hint = "give the address of the primary, or of several hosts with target_session_attrs=read-write"
        return Unavailable(
            "This database can only be read: it is a standby, or was set so.", details=details, hint=hint
        )
    if code.startswith("40"):
        hint = "make the change again, in a new transaction"
        return Unavailable(message, rule="retry", details=details, hint=hint)
    if code[:2] in {"08", "53", "55", "57"}:
        return Unavailable(message, details=details)
    return None


def _facts(detail: str | None) -> dict[str, Any]:
    """The facts of a refusal. The DETAIL of this system's own refusals is a JSON object."""
    try:
        facts = json.loads(detail or "{}")
    except (TypeError, ValueError, RecursionError):
        facts = detail
    is_ours = isinstance(facts, dict) and isinstance(facts.get("rule", ""), str)
    return facts if is_ours else {"detail": facts}


def _sentence(message: str, facts: Mapping[str, Any]) -> str:
    """The database's own sentence, else the message with the facts that fit in a line: no objects."""
    if isinstance(facts.get("text"), str):
        return str(facts["text"])
    shown = []
    for name, value in facts.items():
        parts = value if isinstance(value, list) else [value]
        if name not in _DESCRIPTION and not any(part is None or isinstance(part, dict | list) for part in parts):
            words = [part if isinstance(part, str) else json.dumps(part) for part in parts]
            shown.append(f"{name}: {', '.join(words) or 'none'}")
    end = "." * message.endswith(".")
    return f"{message.removesuffix('.')} ({'; '.join(shown)}){end}" if shown else message
