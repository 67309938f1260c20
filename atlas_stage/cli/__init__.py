"""The command line `atlas-stage`."""

from atlas_stage.cli import access, client, deploy, job, report, serve, settings, verify  # noqa: F401
from atlas_stage.cli.base import app as app
