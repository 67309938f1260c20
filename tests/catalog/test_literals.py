"""What the stored logic's texts mean does not depend on a setting of the host's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SQL = Path(__file__).parents[2] / "sql"
# A comment, a text with escapes, a plain text: whichever begins first.
_PARTS = re.compile(r"--[^\n]*|E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'", re.DOTALL)


@pytest.mark.parametrize("file", sorted(SQL.rglob("*.sql")), ids=lambda file: str(file.relative_to(SQL)))
def test_a_backslash_stands_only_where_it_means_the_same_always(file: Path) -> None:
    plain = [part for part in _PARTS.findall(file.read_text()) if part.startswith("'")]

    assert [part for part in plain if "\\" in part] == []
