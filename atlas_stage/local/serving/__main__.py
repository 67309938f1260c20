"""For the installation: fetch the programs before the first start."""

import sys

from atlas_stage.local.serving import programs

try:
    print(programs.caddy(), programs.postgrest(print), sep="\n")
except programs.PartError as error:
    print(error.message, file=sys.stderr)
