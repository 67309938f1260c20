"""Write what is made from asynchronous source: stage.py from async_stage.py, and the transport over HTTP.

    python tools/make_sync.py           write
    python tools/make_sync.py --check   exit 1 where a file is not what this program would write

Run it again whenever what it reads has changed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

PACKAGE = Path(__file__).resolve().parent.parent / "atlas_stage"
# source: (what is made of it, the words that differ)
MADE = {
    "async_stage.py": ("stage.py", {"AsyncStage": "Stage", "AsyncConnecting": "Connecting"}),
    "http/async_transport.py": (
        "http/transport.py",
        {
            "AsyncHttpTransport": "HttpTransport",
            "AsyncClient": "Client",
            "AsyncRetrying": "Retrying",
            "aclose": "close",
        },
    ),
}


def made(source: str) -> str:
    """What the made file should hold, formatted."""
    target, words = MADE[source]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, source)
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(PACKAGE / source, copy)
        rule = unasync.Rule(Path(source).name, Path(target).name, words)
        unasync.unasync_files([str(copy)], [rule])
        result = copy.with_name(Path(target).name)
        for arguments in (["check", "--fix", "--quiet", "--select", "I"], ["format", "--quiet"]):
            subprocess.run(
                [
                    shutil.which("ruff", path=Path(sys.executable).parent) or "ruff",
                    *arguments,
                    "--config",
                    PACKAGE.parent / "pyproject.toml",
                    result,
                ],
                check=True,
            )
        return result.read_text(encoding="utf-8")


def main() -> int:
    """Write or check."""
    stale = []
    for source, (target, _) in MADE.items():
        file, content = PACKAGE / target, made(source)
        if "--check" not in sys.argv[1:]:
            file.write_text(content, encoding="utf-8")
        elif file.read_text(encoding="utf-8") != content:
            stale.append(target)
    if stale:
        print(f"run tools/make_sync.py: {', '.join(stale)} is not what it makes", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
