"""Generate the synchronous modules from their asynchronous sources: `Stage`, and its transport over HTTP.

They aren't committed. Every build makes them (a hook of hatch, also for an editable install), and so does every run
of the tests. Alone: python tools/make_sync.py
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import unasync
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path(__file__).resolve().parent.parent / "atlas_stage"
MADE = {"async_stage.py": "stage.py", "transports/async_http.py": "transports/sync_http.py"}
WORDS = {
    "AsyncStage": "Stage",
    "AsyncConnecting": "Connecting",
    "Later": "Now",
    "AsyncHttpTransport": "HttpTransport",
    "AsyncClient": "Client",
    "aclose": "close",
    "anyio": "time",
}


def make() -> None:
    """Write the modules that are out of date."""
    with TemporaryDirectory() as folder:
        for source, target in MADE.items():
            copy = Path(folder, source)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes((PACKAGE / source).read_bytes())
            unasync.unasync_files([str(copy)], [unasync.Rule(source, target, WORDS)])
            content, file = Path(folder, target).read_bytes(), PACKAGE / target
            if not file.exists() or file.read_bytes() != content:
                # In one step: other processes of a test run do the same.
                new = file.with_suffix(f".{os.getpid()}")
                new.write_bytes(content)
                new.replace(file)


class Hook(BuildHookInterface[Any]):
    """What hatch runs before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Generate them, and let the build take them although git ignores them."""
        make()
        build_data["artifacts"] += [f"/atlas_stage/{each}" for each in MADE.values()]


if __name__ == "__main__":
    make()
