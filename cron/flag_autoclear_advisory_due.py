"""Day 16: clears advisory_due.

Exit code: 0 done or nothing to do, 1 failed, 2 could not start.
Log: cron-flag_autoclear_advisory_due.log. Options: --help.
"""

import logging
import sys
import tempfile

try:
    from atlas_stage.ops.scheduled import start
except ImportError:
    # pythonw can't show a traceback, so it goes to the temporary folder too.
    file = logging.FileHandler(f"{tempfile.gettempdir()}/cron-flag_autoclear_advisory_due.log")
    logging.basicConfig(format="%(asctime)s %(message)s", handlers=[file, logging.StreamHandler()])
    logging.exception("could not start: %s lacks a package", sys.executable)
    sys.exit(2)

sys.exit(start("flag_autoclear_advisory_due"))
