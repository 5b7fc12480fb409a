"""Replay: the driver that runs workflow code by delivering log events to it, one at a time, and nothing else."""
