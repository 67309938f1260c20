"""The whole stack on one machine: the embedded server, what serves it, and the demo. Comes with `[local]`."""
