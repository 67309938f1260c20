"""`atlas-stage serve`: PostgreSQL, PostgREST and Caddy, until somebody ends them."""

from atlas_stage.local.serving.before import serve_before
from atlas_stage.local.serving.serve import DEFAULT_HOST, DEFAULT_PORT, serve, write_env

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "serve", "serve_before", "write_env"]
