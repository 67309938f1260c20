"""Gives clients back on the day when a cover ends.

Exit code: 0 done or nothing to do, 1 failed, 2 could not start.
Log: cron-covers_end.log. Options: --help.
"""

import logging
import sys
import tempfile

try:
    from atlas_stage.ops.scheduled import start
except ImportError:
    # pythonw can't show a traceback, so it goes to the temporary folder too.
    file = logging.FileHandler(f"{tempfile.gettempdir()}/cron-covers_end.log")
    logging.basicConfig(format="%(asctime)s %(message)s", handlers=[file, logging.StreamHandler()])
    logging.exception("could not start: %s lacks a package", sys.executable)
    sys.exit(2)

sys.exit(start("covers_end"))
