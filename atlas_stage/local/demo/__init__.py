"""A month-end close of a firm with 52 clients, played under the rules. See `play`."""

from atlas_stage.local.demo.play import play

__all__ = ["play"]
