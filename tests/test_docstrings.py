"""Code in a docstring stays indented.

The formatter removes the indentation that all lines after the first share. If these are only code, the code is no
longer distinguishable from prose. A line of prose after the code prevents that.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("atlas_stage", "cron", "examples", "lab", "tests", "tools")
# A command, or the head of a block of Python.
CODE = re.compile(r"(python3?|make|atlas-stage|pip) \S.*[^.:,;]$|\$ |(async )?(with|for|def|class) .*:$")


def _docstrings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize("folder", FOLDERS)
def test_code_is_indented(folder: str) -> None:
    for file in (ROOT / folder).rglob("*.py"):
        found = [line for text in _docstrings(file) for line in text.splitlines() if CODE.match(line)]
        assert found == [], file
