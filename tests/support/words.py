"""The words of the design page, written down once for the tests. Not read from the database."""

from __future__ import annotations

WORKING = ("onboarding", "cleanup", "weekly", "eom_close", "eom_review")
PAUSES = ("paused_client", "paused_internal")
STAGES = (*WORKING, *PAUSES, "offboarding")

# Section 4, first table; where a pause leads depends on the client and is not here.
MOVES = {
    "onboarding": {"cleanup", "weekly"},
    "cleanup": {"weekly"},
    "weekly": {"eom_close", "cleanup"},
    "eom_close": {"eom_review"},
    "eom_review": {"weekly", "eom_close"},
}

FLAGS_OF_ANYONE = ("client_blocking", "advisory_due")
SEASONAL_FLAGS = ("season_year_end", "season_1099", "season_tax")
FLAGS = (*FLAGS_OF_ANYONE, "sales_tax_due", "stuck", *SEASONAL_FLAGS)

SETTER_OF_FLAG = {
    "stuck": "stage_stuck_detector",
    "sales_tax_due": "flag_sales_tax_due",
    **dict.fromkeys(SEASONAL_FLAGS, "flag_seasonal"),
}

PERMISSIONS = (
    "can_read_clients",
    "can_set_stage",
    "can_set_flag",
    "can_sign_off_eom_review",
    "can_offboard",
    "can_act_for",
    "can_admin",
)

CADENCES = ("monthly", "quarterly", "annual", "none")
SCHEDULES = ("none", "monthly", "quarterly", "annual")
TIERS = ("recurring_only", "recurring_plus_advisory", "cleanup_only", "full_service")


def stages_after(stage: str, returning_to: str | None = None) -> set[str]:
    """Where a client may go from `stage`, by the transitions alone."""
    if stage in PAUSES:
        (other,) = set(PAUSES) - {stage}
        return {other, "offboarding"} | ({returning_to} if returning_to else set())
    if stage == "offboarding":
        return set()
    return MOVES[stage] | set(PAUSES) | {"offboarding"}


def permission_for(from_stage: str, to_stage: str) -> str:
    """The permission that a move needs, whether or not the transitions allow it."""
    if to_stage == "offboarding":
        return "can_offboard"
    if from_stage == "eom_review" and to_stage in ("weekly", "eom_close"):
        return "can_sign_off_eom_review"
    return "can_set_stage"


# What some version of PostgreSQL reads as a number, and what it doesn't although it looks similar.
NUMBERS = (
    *("7", "247", "007", "24_7", "0x18", "0X1f", "0x_1f", "0b1", "0o7", " 7 ", "+7", "-7"),
    *("1e5", "1.5", ".5", "5.", "-1_000.5E-3", "9" * 30),
)
NO_NUMBERS = (
    *("24-7", "7-eleven", "1e", "e5", "0xg", "0b2", "0beef", "24__7", "_7", "7_", "1.2.3", "24 7"),
    *("٢٤", "²", "nan", "client-24", "x0x18"),
)
