"""Where the SQL and the gateway's configuration are: in an installed wheel, else in this package's checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def root() -> Path:
    """The folder that holds `migrations/`, `sql/`, `gateway/` and `board/`."""
    inside = _PACKAGE / "_resources"
    return inside if inside.is_dir() else _PACKAGE.parent
