"""Every hour: sets and clears stuck.

Exit: 0 done or nothing to do, 1 failed, 2 could not start. The log is cron-stage_stuck_detector.log.
"""

import sys

from atlas_stage.ops.scheduled import main

sys.exit(main("stage_stuck_detector"))
