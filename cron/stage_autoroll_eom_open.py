"""Last business day, 06:00, then hourly: clients that owe the month's close go from weekly to eom_close.

Exit code: 0 done or nothing to do, 1 failed, 2 could not start.
Log: cron-stage_autoroll_eom_open.log. Options: --help.
"""

import logging
import sys
import tempfile

try:
    from atlas_stage.ops.scheduled import start
except ImportError:
    # pythonw can't show a traceback, so it goes to the temporary folder too.
    file = logging.FileHandler(f"{tempfile.gettempdir()}/cron-stage_autoroll_eom_open.log")
    logging.basicConfig(format="%(asctime)s %(message)s", handlers=[file, logging.StreamHandler()])
    logging.exception("could not start: %s lacks a package", sys.executable)
    sys.exit(2)

sys.exit(start("stage_autoroll_eom_open"))
