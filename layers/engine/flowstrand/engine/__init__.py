"""The functional core: events, state, decisions and replay. No I/O, no clock, no randomness, no AWS, no HTTP."""
