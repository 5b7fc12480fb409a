"""`Violation`: what the model finds, and how a check says so."""

from __future__ import annotations


class Violation(AssertionError):
    """A law does not hold."""


def require(condition: object, message: str) -> None:
    """Raise a violation unless `condition` holds."""
    if not condition:
        raise Violation(message)
