"""Posts notices to a webhook until it is stopped.

    python watch.py           until SIGTERM or Ctrl-C
    python watch.py --once    what there is now

Exit code: 0 done, 1 failed, 2 could not start. Log: cron-watch.log.
"""

import logging
import sys
import tempfile

try:
    from atlas_stage.ops.scheduled import watch
except ImportError:
    # pythonw can't show a traceback, so it goes to the temporary folder too.
    file = logging.FileHandler(f"{tempfile.gettempdir()}/cron-watch.log")
    logging.basicConfig(format="%(asctime)s %(message)s", handlers=[file, logging.StreamHandler()])
    logging.exception("could not start: %s lacks a package", sys.executable)
    sys.exit(2)

sys.exit(watch(once="--once" in sys.argv[1:]))
