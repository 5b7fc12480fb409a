"""Use cases: load, decide, append, dispatch. What handlers call; knows ports, never adapters."""
