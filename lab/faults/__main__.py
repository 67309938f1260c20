"""`python lab/faults`: see run.py."""

import runpy
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[2])
runpy.run_module("lab.faults.run", run_name="__main__", alter_sys=True)
