"""The command line: `flowstrand dev`, `worker`, `start`, `get`, `events`, `tail`, `lint`, `replay` and `demo`."""

from flowstrand.cli.program import main

__all__ = ["main"]
