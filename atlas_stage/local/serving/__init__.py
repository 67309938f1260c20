"""`atlas-stage serve`: PostgREST and Caddy before a database, until a signal ends them."""

from atlas_stage.local.serving.before import serve_before
from atlas_stage.local.serving.serve import serve, write_env

__all__ = ["serve", "serve_before", "write_env"]
