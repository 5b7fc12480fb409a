"""Traces: of what clients and workers do, by OpenTelemetry, and of what logs tell, by themselves."""
