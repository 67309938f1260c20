"""Daily: sets sales_tax_due before a filing is due.

Exit: 0 done or nothing to do, 1 failed, 2 could not start. The log is cron-flag_sales_tax_due.log.
"""

import sys

from atlas_stage.ops.scheduled import main

sys.exit(main("flag_sales_tax_due"))
