"""What a firm can set: its settings, the days a client can be in a stage, its holidays."""

from __future__ import annotations

import re
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

_CHECK: LiteralString = (
    "select pg_get_constraintdef(oid) from pg_catalog.pg_constraint"
    " where conname = %s and connamespace = 'public'::regnamespace"
)
_SIGNS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than", "AND": "and"}


class FirmSettings:
    """The settings of one database, over a connection that can change them. The database checks the values."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def settings(self) -> dict[str, Any]:
        """Every setting, by name."""
        (row,) = self._rows("select * from public.stage_settings")
        return {name: value for name, value in row.items() if name != "only_row"}

    def change(self, name: str, value: str) -> None:
        """Change a setting. Raises InvalidInput."""
        names = list(self.settings())
        if name not in names:
            raise InvalidInput(f'"{name}" isn\'t a setting. Use {", ".join(names)}.')
        statement = sql.SQL("update public.stage_settings set {} = %s").format(sql.Identifier(name))
        with self._errors(name, value):
            self._connection.execute(statement, [value])

    def stages(self) -> Rows:
        """Each stage, the days a client can be in it, and the flags with which it doesn't become stuck."""
        return self._rows(
            "select stage, max_days, waiting_flags from public.stages order by position"
        )

    def set_max_days(self, stage: str, days: int | None) -> None:
        """Set the days a client can be in the stage; None is no limit. Raises NotFound, InvalidInput."""
        known = [each["stage"] for each in self.stages()]
        if stage not in known:
            raise NotFound(f'"{stage}" isn\'t a stage. Use {", ".join(known)}.')
        with self._errors("max_days", days):
            self._connection.execute(
                "update public.stages set max_days = %s where stage = %s", [days, stage]
            )

    def holidays(self, year: int) -> Rows:
        """The holidays of a year."""
        return self._rows(
            "select day, name from public.business_holidays where extract(year from day) = %s order by day",
            year,
        )

    def closes(self, year: int) -> Rows:
        """The last business day of each month of a year, when its close opens."""
        return self._rows(
            "select to_char(month, 'YYYY-MM') as month, rules.last_business_day(month) as day"
            " from (select make_date(%s, m, 1) as month from generate_series(1, 12) as m) as months",
            year,
        )

    def add_holiday(self, day: date, name: str) -> None:
        """Add a holiday, or rename it."""
        with self._errors("name", name):
            self._connection.execute(
                "insert into public.business_holidays (day, name) values (%s, %s)"
                " on conflict (day) do update set name = excluded.name",
                [day, name],
            )

    def remove_holiday(self, day: date) -> None:
        """Remove a holiday. Raises NotFound."""
        with self._errors():
            statement = "delete from public.business_holidays where day = %s"
            if self._connection.execute(statement, [day]).rowcount == 0:
                raise NotFound(f"{day} isn't a holiday. atlas-stage calendar show lists them.")

    def _rows(self, statement: LiteralString, *parameters: object) -> Rows:
        with self._errors(), self._connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement, parameters).fetchall()

    @contextmanager
    def _errors(self, name: str = "", value: object = None) -> Iterator[None]:
        """Turn what the database reports about a value into an error of this package."""
        try:
            yield
        except (psycopg.errors.CheckViolation, psycopg.DataError) as error:
            row = self._connection.execute(_CHECK, [error.diag.constraint_name]).fetchone()
            bounds = _bounds(str(row[0]), name) if row else None
            raise InvalidInput(
                f'"{value}" isn\'t a valid {name}.' + (f" Use {bounds}." if bounds else ""),
                rule="setting_not_valid",
                status=422,
            ) from error
        except psycopg.Error as error:
            raise translate(error) from error


def _bounds(check: str, name: str) -> str | None:
    """The bounds of a CHECK constraint in words; None if it checks anything else."""
    words = re.sub(r"::[a-z ]+|[()']|^CHECK", " ", check).split()
    text = " ".join(_SIGNS.get(word, word) for word in words if word != name)
    bound = "(at least|at most|more than|less than) [0-9][0-9:.]*( days?)?"
    return text if re.fullmatch(f"{bound}( and {bound})*", text) else None
