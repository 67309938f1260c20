"""The examples of docs/python.md run, in their order."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from atlas_stage import AsyncStage, Stage, errors
from tests.support.stack import ADMIN, stack

TEXT = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")


def test_the_examples_run(fresh_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_DATABASE_URL", fresh_dsn)
    monkeypatch.setenv("ATLAS_ACTOR", ADMIN)
    with Stage.connect() as stage, stack(fresh_dsn) as running:
        for number in range(7):
            slug = f"c{number}" if number else "blue-heron"
            stage.move(stage.create_client(f"C{number}", slug).client, "weekly", "set up")
        known: dict[str, Any] = {
            "stage": stage,
            "asyncio": asyncio,
            "AsyncStage": AsyncStage,
            "ids": [1, 2],
        }
        for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
            if "await" in code:
                known["stage"].close()  # of the first example; the others opened it again
                monkeypatch.setenv("ATLAS_URL", running.url)
                monkeypatch.setenv("ATLAS_TOKEN", running.token())
            made = eval(compile(code, "docs/python.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), known)
            if inspect.iscoroutine(made):
                asyncio.run(made)
        assert len(known["views"]) == 2


def test_every_exception_is_named() -> None:
    kinds = {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, errors.StageError)
    }
    assert {name for name in kinds if f"`{name}`" not in TEXT} == set()
