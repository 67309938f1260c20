"""The jobs by name, without a database: each has a definition of its name."""

from pathlib import Path

_DEFINITIONS = Path(__file__).parents[2] / "sql" / "jobs" / "definitions"

JOBS = tuple(sorted(file.stem for file in _DEFINITIONS.glob("*.sql") if file.stem != "catalog"))
