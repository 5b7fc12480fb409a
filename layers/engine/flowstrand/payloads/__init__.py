"""Payloads too large for the log, stored under their content hash."""
