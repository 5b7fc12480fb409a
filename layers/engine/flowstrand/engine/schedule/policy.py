"""What a schedule does when a run meets the one before it, and when runs were missed."""

from __future__ import annotations

from enum import StrEnum


class OverlapPolicy(StrEnum):
    """What becomes of a run that is due while the one before it is still open."""

    ALLOW = "ALLOW"
    """It starts all the same."""
    SKIP = "SKIP"
    """It does not start."""
    BUFFER_ONE = "BUFFER_ONE"
    """It starts when the other has ended; while one waits so, further ones do not start."""
    CANCEL_OTHER = "CANCEL_OTHER"
    """The other is asked to end, and then it starts; of several that wait for that, the newest."""
    TERMINATE_OTHER = "TERMINATE_OTHER"
    """The other is ended without running its code, and it starts at once."""


class MissedRunPolicy(StrEnum):
    """What becomes of runs whose moment is further back than the schedule's grace when it is looked at."""

    SKIP = "SKIP"
    """None starts."""
    RUN_ONCE = "RUN_ONCE"
    """The newest starts, for all of them."""
    RUN_ALL = "RUN_ALL"
    """All start, the oldest first, or as many of the newest as the schedule's limit allows."""
