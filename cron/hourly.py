"""Run every job that is due, one after the other: for a container, or any scheduler that can start one thing.

    python cron/hourly.py           once
    python cron/hourly.py --stay    at the first minute of every hour, until it is told to stop

Exit: as the jobs' wrappers, the worst of them.
"""

import sys

from atlas_stage.ops.jobs import JOBS
from atlas_stage.ops.scheduled import main, stay

sys.exit(stay(JOBS) if "--stay" in sys.argv[1:] else max(main(job) for job in JOBS))
