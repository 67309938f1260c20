"""Cases of a test of which `make test` runs one of each kind, and `make test-all` all on every version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def rare_except(fast: Iterable[str], cases: Iterable[str]) -> list[Any]:
    """The cases for `parametrize`: all but the `fast` ones are rare."""
    every, kept = list(cases), set(fast)
    assert kept <= set(every), f"no such case: {kept - set(every)}"
    return [each if each in kept else pytest.param(each, marks=pytest.mark.rare) for each in every]
