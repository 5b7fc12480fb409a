"""Timers: due messages sent at their time."""
