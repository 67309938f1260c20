"""What a firm may set: its settings, the days a client may be in a stage, its holidays. Rows, not code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from atlas_stage.errors import InvalidInput, NotFound
from atlas_stage.transports.psycopg import translate

Rows = list[dict[str, Any]]

_LOOK = "atlas-stage settings show, and calendar show, have what is there"


class FirmSettings:
    """The settings of one database, over a connection with the right to change them. What a value may be, the database
    says.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def settings(self) -> dict[str, Any]:
        """Every setting by its name."""
        (row,) = self._rows("select * from public.stage_settings")
        return {name: value for name, value in row.items() if name != "only_row"}

    def change(self, name: str, value: str) -> None:
        """Set a setting. Raises InvalidInput."""
        names = list(self.settings())
        if name not in names:
            raise InvalidInput(f"there is no setting {name}", hint="settings: " + ", ".join(names))
        statement = sql.SQL("update public.stage_settings set {} = %s").format(sql.Identifier(name))
        with self._said():
            self._connection.execute(statement, [value])

    def stages(self) -> Rows:
        """Each stage with the days that a client may be in it, and the flags with which it only waits."""
        return self._rows(
            "select stage, max_days, waiting_flags from public.stages order by position"
        )

    def set_max_days(self, stage: str, days: int | None) -> None:
        """Let clients be in the stage for so many days; None: for good. Raises NotFound, InvalidInput."""
        self._one("update public.stages set max_days = %s where stage = %s", days, stage)

    def holidays(self, year: int) -> Rows:
        """The holidays of a year."""
        return self._rows(
            "select day, name from public.business_holidays where extract(year from day) = %s order by day",
            year,
        )

    def closes(self, year: int) -> Rows:
        """The last business day of each month of a year, on which its close opens."""
        return self._rows(
            "select to_char(month, 'YYYY-MM') as month, rules.last_business_day(month) as day"
            " from (select make_date(%s, m, 1) as month from generate_series(1, 12) as m) as months",
            year,
        )

    def add_holiday(self, day: date, name: str) -> None:
        """Have the firm closed on a day; one that is there gets the name."""
        with self._said():
            self._connection.execute(
                "insert into public.business_holidays (day, name) values (%s, %s)"
                " on conflict (day) do update set name = excluded.name",
                [day, name],
            )

    def remove_holiday(self, day: date) -> None:
        """Have the firm open on a day. Raises NotFound."""
        self._one("delete from public.business_holidays where day = %s", day)

    def _rows(self, statement: LiteralString, *parameters: object) -> Rows:
        with self._said(), self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, parameters).fetchall()

    def _one(self, statement: LiteralString, *parameters: object) -> None:
        with self._said():
            if self._connection.execute(statement, parameters).rowcount == 0:
                raise NotFound(f"there is none: {parameters[-1]}", hint=_LOOK)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """What the database says of a value, as an error of this package."""
        try:
            yield
        except psycopg.errors.CheckViolation as error:
            named = error.diag.constraint_name
            (expected,) = self._connection.execute(
                "select string_agg(pg_get_constraintdef(oid), '; ') from pg_catalog.pg_constraint"
                " where conname = %s and connamespace = 'public'::regnamespace",
                [named],
            ).fetchone() or (None,)
            raise InvalidInput(
                "a setting that makes no sense",
                rule="setting_not_valid",
                status=422,
                details={"constraint": named, "expected": expected},
                hint="write what is expected",
            ) from error
        except psycopg.Error as error:
            said = translate(error)
            said.hint = said.hint or _LOOK
            raise said from error
