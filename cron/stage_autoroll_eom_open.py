"""Month-end, last business day 06:00: weekly -> eom_close.

Exit: 0 done or nothing to do, 1 failed, 2 could not start. The log is cron-stage_autoroll_eom_open.log.
"""

import sys

from atlas_stage.ops.scheduled import main

sys.exit(main("stage_autoroll_eom_open"))
