"""A setting that makes no sense is refused when it is written."""

from __future__ import annotations

import psycopg
import pytest

SENSELESS = [
    *(
        f"update stage_settings set time_zone = '{zone}'"
        for zone in (
            "posix/America/Chicago",
            "right/America/Chicago",
            "Etc/GMT+5",
            "EST5EDT",
            "-06",
            "CST",
            "america/chicago",
            "America/Nowhere",
            "localtime",
            "",
        )
    ),
    "update stage_settings set eom_open_at = '24:00'",
    "update stage_settings set catch_up_days = -1",
    "update stage_settings set sales_tax_due_day = 31",
    "delete from stage_settings",
    "update stages set max_days = 0 where stage = 'cleanup'",
    "update stages set max_days = 2147483647 where stage = 'cleanup'",
    "update stages set waiting_flags = '{nonsense}'",
    "update stages set waiting_flags = '{stuck}'",
    "update stages set waiting_flags = array[null]",
    "delete from stage_flags where flag = 'client_blocking'",
    "insert into stage_flags values ('Two words', 'x', '{anyone}')",
    "insert into stage_seasons values ('client_blocking', 1, 1, 2, 1)",
    "update stage_seasons set from_month = 2, from_day = 30",
    "insert into business_holidays values ('infinity', 'the end')",
    "insert into business_holidays values ('2026-07-08', ' ')",
]


@pytest.mark.parametrize("statement", SENSELESS)
def test_what_makes_no_sense_is_refused(db: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.Error) as refused, db.transaction():
        db.execute(statement)
    assert refused.value.sqlstate in {"23514", "PT422", "22023", "22008"}


@pytest.mark.parametrize(
    "statement",
    [
        "update stage_settings set time_zone = 'Europe/Berlin'",
        "update stage_settings set time_zone = 'America/Argentina/Buenos_Aires'",
        "update stage_settings set time_zone = 'UTC'",
        "update stages set waiting_flags = '{client_blocking,advisory_due}'",
        "update stages set max_days = null",
        "update stage_seasons set from_month = 2, from_day = 29",
    ],
)
def test_what_makes_sense_is_taken(db: psycopg.Connection, statement: str) -> None:
    with db.transaction():
        db.execute(statement)
