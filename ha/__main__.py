"""`python ha`: see README.md."""

import runpy
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])
runpy.run_module("ha.run", run_name="__main__", alter_sys=True)
