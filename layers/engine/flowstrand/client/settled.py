"""`Settled`: what became of a promise."""

from __future__ import annotations

from collections.abc import Mapping

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A promise's end.

    Attributes:
        sequence: of the event that settled it.
        already_settled: whether an earlier call, somebody else or its timeout had settled it.
    """

    sequence: int
    already_settled: bool

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> Settled:
        """From the API's JSON."""
        sequence = body["sequence"]
        assert isinstance(sequence, int)
        return cls(sequence=sequence, already_settled=body["alreadyResolved"] is True)
