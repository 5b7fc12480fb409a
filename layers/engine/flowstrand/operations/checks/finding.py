"""`Finding`: something that an operator should know, with a code that programs may branch on; and `Probe`, one look at one thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from flowstrand.dataclass import dataclass


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "ERROR"
    """Something does not work, or will not when it is needed."""
    WARNING = "WARNING"
    """It works, and should be looked at."""
    UNCHECKED = "UNCHECKED"
    """It cannot be said how it stands."""
    INFO = "INFO"
    """Nothing is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing.

    Attributes:
        code: stable; docs/doctor.md lists them all.
        subject: which table, queue or execution.
        remedy: what to do.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    remedy: str


def error(code: str, subject: str, message: str, remedy: str) -> Finding:
    """A finding of this severity."""
    return Finding(code=code, severity=Severity.ERROR, subject=subject, message=message, remedy=remedy)


def warning(code: str, subject: str, message: str, remedy: str) -> Finding:
    """A finding of this severity."""
    return Finding(code=code, severity=Severity.WARNING, subject=subject, message=message, remedy=remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One look, which is allowed or refused as a whole.

    Attributes:
        subject: what is looked at.
        look: yields what is found; may raise what boto3 and the stores raise.
    """

    subject: str
    look: Callable[[], Iterable[Finding]]
