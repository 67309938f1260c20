"""`atlas-stage serve`: PostgREST and Caddy or nginx before a database, until a signal ends them."""

from atlas_stage.local.serving.serve import serve, serve_before, until_told_to_stop, write_env

__all__ = ["serve", "serve_before", "until_told_to_stop", "write_env"]
