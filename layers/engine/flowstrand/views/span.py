"""`Span`: a stretch of an execution's time, as tracing systems know it, and its OTLP JSON form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import IntEnum

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue

_SCOPE = "flowstrand"
_OK, _ERROR = 1, 2
_NS = 1_000_000


class SpanKind(IntEnum):
    """OTLP's numbers."""

    INTERNAL = 1
    SERVER = 2
    PRODUCER = 4
    CONSUMER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span that has ended.

    Attributes:
        parent_span_id: empty where there is none.
        failure: why it did not go well, as a class of errors or a failure type, never as a message; None where it did.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: SpanKind
    start_ms: int
    end_ms: int
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    trace_state: str | None = None
    failure: str | None = None

    def otlp(self) -> JsonObject:
        """The span in OTLP's JSON encoding."""
        told: JsonObject = {
            "traceId": self.trace_id,
            "spanId": self.span_id,
            "name": self.name,
            "kind": int(self.kind),
            # 64 bits go as text.
            "startTimeUnixNano": str(self.start_ms * _NS),
            "endTimeUnixNano": str(self.end_ms * _NS),
            "attributes": _attributes(self.attributes),
            "status": {"code": _OK} if self.failure is None else {"code": _ERROR, "message": self.failure},
        }
        if self.parent_span_id:
            told["parentSpanId"] = self.parent_span_id
        if self.trace_state:
            told["traceState"] = self.trace_state
        return told


def otlp_request(spans: Iterable[Span], *, service: str) -> JsonObject:
    """What is posted to a collector's `/v1/traces`.

    Args:
        service: the resource's `service.name`.
    """
    listed: list[JsonValue] = [span.otlp() for span in spans]
    scope: JsonObject = {"scope": {"name": _SCOPE}, "spans": listed}
    resource: JsonObject = {"attributes": _attributes({"service.name": service})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _attributes(given: Mapping[str, str | int]) -> list[JsonValue]:
    return [{"key": name, "value": _value(value)} for name, value in given.items()]


def _value(value: str | int) -> JsonObject:
    return {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}
