"""Schedules: when runs are due, and what becomes of each. Pure, like everything of the engine."""
