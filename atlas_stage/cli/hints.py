"""What to do next after a refusal, on the command line. The database's own hints are for programs."""

from atlas_stage.errors import StageError

_HINTS = {
    "client_has_history": "atlas-stage client update CLIENT --inactive",
    "client_inactive": "atlas-stage client update CLIENT --active",
    "client_not_found": "atlas-stage client list --all shows every client",
    "expiry_required": "add --days N or --never-expires",
    "feed_not_in_order": "run: atlas-stage migrate",
    "history_not_found": "atlas-stage client history CLIENT shows the ids",
    "last_admin": "grant can_admin without --scope to someone else first",
    "operator_only": "grant atlas_operator to the database login, or leave out --as",
    "override_needs_admin": "leave out --override, or ask an admin",
    "permission_not_found": "atlas-stage permission list shows the ids",
    "reason_required": 'add --reason "…"',
    "rollback_blocked": "atlas-stage client history CLIENT shows the newer change",
    "run_not_found": "atlas-stage job runs shows the ids",
    "text_required": "give it a value that isn't blank",
    "token_not_found": "atlas-stage token list shows the ids",
    "transition_not_allowed": "an admin can add --override",
    "unknown_job": "atlas-stage job list",
    "version_conflict": "atlas-stage client show CLIENT shows its present version",
}


def hint_of(error: StageError) -> str | None:
    """What to do next; None if the sentence says it."""
    login = str(error.details.get("actor_id", ""))
    if login.startswith("system:db:"):
        return f"you act as {login}, your database login: add --as user:…, or set ATLAS_ACTOR"
    return _HINTS.get(error.rule) if "text" in error.details else error.hint
