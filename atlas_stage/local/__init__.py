"""The whole stack on one machine: the embedded server, and the programs that serve it. Comes with `[local]`."""
