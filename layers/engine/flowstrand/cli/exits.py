"""Exit statuses: what scripts may branch on. They are part of the interface: docs/command-line.md lists them."""

from __future__ import annotations

from enum import IntEnum

from flowstrand.errors import (
    CallerError,
    ConfigurationError,
    Gone,
    HistoryRefused,
    NotFound,
    QuotaExceeded,
    StoreUnavailable,
    TaskCancelled,
    TaskTimeout,
    Unauthenticated,
    Unavailable,
    WorkflowCancelled,
    WorkflowTimeout,
    WrongPrincipal,
)


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    """It did what it says; what was waited for has completed."""
    FAILED = 1
    """What was waited for has failed, a check has found something, or something else went wrong."""
    USAGE = 2
    """The command cannot mean that, or a setting is missing; or the doctor has found nothing and could not look at everything."""
    CANCELLED = 3
    """What was waited for was cancelled."""
    TIMED_OUT = 4
    """What was waited for was open at its own timeout."""
    STILL_OPEN = 5
    """What was waited for goes on: `--timeout` has passed."""
    NOT_FOUND = 6
    """There is no such thing, or not any more."""
    REFUSED = 7
    """The server refuses what was asked for, or the place what was to be imported, and would again."""
    NOT_ALLOWED = 8
    """The API key is not known, or may not do that."""
    UNAVAILABLE = 9
    """The server cannot be reached, or asks to be left alone for now: later may do."""
    INTERRUPTED = 130
    """Ctrl-C."""
    BROKEN_PIPE = 141
    """Whoever read the output has seen enough."""


_BY_ERROR: tuple[tuple[tuple[type[BaseException], ...], Exit], ...] = (
    ((WorkflowCancelled, TaskCancelled), Exit.CANCELLED),
    ((WorkflowTimeout, TaskTimeout), Exit.TIMED_OUT),
    ((TimeoutError,), Exit.STILL_OPEN),
    ((NotFound, Gone), Exit.NOT_FOUND),
    ((Unauthenticated, WrongPrincipal), Exit.NOT_ALLOWED),
    ((Unavailable, QuotaExceeded, StoreUnavailable), Exit.UNAVAILABLE),
    ((CallerError, HistoryRefused), Exit.REFUSED),
    ((ConfigurationError,), Exit.USAGE),
)


def exit_of(error: BaseException) -> Exit:
    """The status that an error ends a command with."""
    return next((status for classes, status in _BY_ERROR if isinstance(error, classes)), Exit.FAILED)
