"""The whole stack on one machine: the embedded server, what serves it, and the demo. Comes with `[local]`."""

from pathlib import Path

DEFAULT_DATA = Path(".atlas")
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8080
