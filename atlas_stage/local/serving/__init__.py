"""`atlas-stage serve`: PostgreSQL, PostgREST and Caddy, until somebody ends them."""

from atlas_stage.local.serving.before import serve_before
from atlas_stage.local.serving.serve import serve, write_env

__all__ = ["serve", "serve_before", "write_env"]
