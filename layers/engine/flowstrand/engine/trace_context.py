"""Trace contexts, as they are carried from whoever starts an execution through its tasks and children (W3C Trace Context, level 2).

They are part of the log, so that every look at it tells the same: the ids of spans within an execution derive from its id and from
positions, and a duplicate or a replay can never make a second span of one thing.

    caller's span ─▶ execution ─▶ task ─▶ attempt ─▶ (whatever the worker does)
                               └▶ child, an execution itself ─▶ …
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from flowstrand.dataclass import dataclass

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KNOWN_FLAGS = 0x03
"""Sampled, and a trace id drawn at random. What later versions mean by the others is not ours to pass on."""
_KEY = re.compile(r"[a-z0-9][a-z0-9_\-*/@]{0,255}")
_VALUE = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_MOST_MEMBERS = 32
_MOST_CHARACTERS, _LONG_MEMBER = 512, 128
"""Of a tracestate, how much is kept; what is beyond that goes as the standard says, long members first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """What a `traceparent` and a `tracestate` header say.

    Attributes:
        traceparent: version 00: trace id, the parent's span id, flags.
        tracestate: what tracing systems have to say to themselves; nobody else reads it.
    """

    traceparent: str
    tracestate: str | None = None

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return self.traceparent[3:35]

    @property
    def span_id(self) -> str:
        """Of the parent: 16 hexadecimal digits."""
        return self.traceparent[36:52]

    @property
    def is_sampled(self) -> bool:
        """Whether the caller may have recorded its part."""
        return bool(int(self.traceparent[53:], 16) & 1)

    def below(self, span_id: str) -> TraceContext:
        """The same trace, where `span_id` is the parent."""
        return replace(self, traceparent=f"{self.traceparent[:36]}{span_id}{self.traceparent[52:]}")


def parse(traceparents: Sequence[str], tracestates: Sequence[str] = ()) -> TraceContext | None:
    """What the headers of a request say; None where they are missing or not valid, which is then as if they were missing.

    Args:
        traceparents: every value of that header; more than one are none.
        tracestates: every value of that header, which together are one list.
    """
    found = _TRACEPARENT.fullmatch(traceparents[0].strip()) if len(traceparents) == 1 else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    known = int(flags, 16) & _KNOWN_FLAGS
    return TraceContext(traceparent=f"00-{trace_id}-{span_id}-{known:02x}", tracestate=_state(tracestates))


def trace_id_of(execution_id: str) -> str:
    """The id of the trace of an execution that nobody's trace has led to."""
    return _digest("trace", execution_id)[:32]


def execution_span(execution_id: str) -> str:
    """The id of the span of an execution, from its start to its end."""
    return _digest("execution", execution_id)[:16]


def operation_span(execution_id: str, family: str, position: int) -> str:
    """The id of the span of what workflow code has asked for at `position`; `family` is a letter of `engine.ids`."""
    return _digest("operation", execution_id, family, position)[:16]


def task_span(task_id: str) -> str:
    """The id of the span of a task, all its attempts included."""
    return _digest("task", task_id)[:16]


def attempt_span(task_id: str, attempt: int) -> str:
    """The id of the span of one attempt; what its worker does is below it."""
    return _digest("attempt", task_id, attempt)[:16]


def _digest(*names: str | int) -> str:
    # An id of nothing but zeros would be none. That a digest begins with sixteen of them is nothing to fear.
    return hashlib.sha256("\n".join(str(name) for name in names).encode()).hexdigest()


def _state(texts: Sequence[str]) -> str | None:
    """One list of members, within bounds; None where it is empty or not valid."""
    members = [member.strip(" \t") for text in texts for member in text.split(",")]
    members = [member for member in members if member]
    keys = [member.partition("=")[0] for member in members]
    if len(members) > _MOST_MEMBERS or len(set(keys)) < len(keys) or not all(map(_is_member, members)):
        return None
    if len(",".join(members)) > _MOST_CHARACTERS:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    while len(",".join(members)) > _MOST_CHARACTERS:
        members.pop()
    return ",".join(members) or None


def _is_member(text: str) -> bool:
    key, equals, value = text.partition("=")
    return bool(equals and _KEY.fullmatch(key) and _VALUE.fullmatch(value))
