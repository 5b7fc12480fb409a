"""`Evidence`: what each transport showed of one execution, and whether they agree (laws 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Seen:
    """One event, as far as every transport tells it."""

    sequence: int
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One execution over three transports, each list in the order of arrival."""

    id: str
    kind: str
    scenario: str
    status: str
    history: tuple[Seen, ...]
    long_poll: tuple[Seen, ...]
    sse: tuple[Seen, ...]

    @property
    def is_identical(self) -> bool:
        """Whether the transports showed the same events in the same order."""
        return self.history == self.long_poll == self.sse

    @property
    def is_dense(self) -> bool:
        """Whether each shows 1..n, and there is something."""
        return all(_is_dense(events) for events in (self.history, self.long_poll, self.sse))

    def as_json(self) -> JsonObject:
        """The execution's part of the document."""
        return {
            "id": self.id,
            "kind": self.kind,
            "scenario": self.scenario,
            "status": self.status,
            "history": _listed(self.history),
            "longPoll": _listed(self.long_poll),
            "sse": _listed(self.sse),
        }


def document(executions: Sequence[Evidence]) -> JsonObject:
    """The one JSON document of `--json`."""
    listed: list[JsonValue] = [execution.as_json() for execution in executions]
    return {
        "executions": listed,
        "identical": bool(executions) and all(execution.is_identical for execution in executions),
        "dense": bool(executions) and all(execution.is_dense for execution in executions),
    }


def _is_dense(events: Iterable[Seen]) -> bool:
    sequences = [event.sequence for event in events]
    return bool(sequences) and sequences == list(range(1, len(sequences) + 1))


def _listed(events: Iterable[Seen]) -> list[JsonValue]:
    return [{"sequence": event.sequence, "type": event.type} for event in events]
