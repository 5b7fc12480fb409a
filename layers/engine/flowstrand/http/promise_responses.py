"""Response bodies of the routes of promises."""

from __future__ import annotations

from flowstrand.http.response_body import ResponseBody
from flowstrand.service.promises import Settled


class PromiseSettled(ResponseBody):
    """The sequence of the event that settled a promise, and whether that was not this call's."""

    sequence: int
    already_resolved: bool

    @classmethod
    def of(cls, settled: Settled) -> PromiseSettled:
        """What `settled` says."""
        return cls(sequence=settled.sequence, already_resolved=settled.already_settled)
