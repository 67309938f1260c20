"""Day 16: clears advisory_due.

Exit: 0 done or nothing to do, 1 failed, 2 could not start. The log is cron-flag_autoclear_advisory_due.log.
"""

import sys

from atlas_stage.ops.scheduled import main

sys.exit(main("flag_autoclear_advisory_due"))
