"""Exported histories: the file that logs travel in, from one stack to another, or into a test."""
