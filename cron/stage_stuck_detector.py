"""Sets stuck where a client is longer in its stage than its SLA; clears it elsewhere.

Exit code: 0 done or nothing to do, 1 failed, 2 could not start.
Log: cron-stage_stuck_detector.log. Options: --help.
"""

import logging
import sys
import tempfile

try:
    from atlas_stage.ops.scheduled import start
except ImportError:
    # pythonw can't show a traceback, so it goes to the temporary folder too.
    file = logging.FileHandler(f"{tempfile.gettempdir()}/cron-stage_stuck_detector.log")
    logging.basicConfig(format="%(asctime)s %(message)s", handlers=[file, logging.StreamHandler()])
    logging.exception("could not start: %s lacks a package", sys.executable)
    sys.exit(2)

sys.exit(start("stage_stuck_detector"))
