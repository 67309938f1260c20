"""The tests of everything. `Stage` is generated before the first of them imports it."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[1] / "tools" / "generate.py"), run_name="__main__")
