"""The command line: every verb of the API, and what serves, checks and shows workflows on this machine."""

from flowstrand.cli.program import main

__all__ = ["main"]
