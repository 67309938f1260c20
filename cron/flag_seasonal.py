"""Daily: sets and clears the seasons' flags.

Exit: 0 done or nothing to do, 1 failed, 2 could not start. The log is cron-flag_seasonal.log.
"""

import sys

from atlas_stage.ops.scheduled import main

sys.exit(main("flag_seasonal"))
