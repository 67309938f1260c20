"""`atlas-stage serve`: PostgreSQL, PostgREST and Caddy, until somebody ends them."""

from atlas_stage.local.serving.serve import DEFAULT_PORT, serve, write_env

__all__ = ["DEFAULT_PORT", "serve", "write_env"]
