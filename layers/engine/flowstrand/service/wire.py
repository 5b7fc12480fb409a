"""Between the log's form of values and the code's: an app's payload codecs, applied where a strand meets its log.

The log and everything that serves it keep values as they were encoded. Only what code can observe is decoded; what code asks
for is encoded when it is about to be appended.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowstrand.engine.events import (
    ChildCompleted,
    Event,
    OperationCompleted,
    PromiseResolved,
    SignalReceived,
    TaskCompleted,
    WorkflowStarted,
)
from flowstrand.engine.replay.commands import Command, ScheduleTask, SetState, StartChild
from flowstrand.engine.replay.outcome import Continued, Outcome, Returned
from flowstrand.engine.replay.program import Wire
from flowstrand.engine.schema import payload_fields

_OBSERVED = (WorkflowStarted, TaskCompleted, ChildCompleted, PromiseResolved, SignalReceived, OperationCompleted)


def decoded(wire: Wire, event: Event) -> Event:
    """`event`, whose payloads must have been fetched, as code is to see it.

    Raises:
        CodecFailed: a value cannot be decoded here.
    """
    if not isinstance(event.data, _OBSERVED):
        return event
    changed: dict[str, Any] = {}
    for attribute, _ in payload_fields(type(event.data)):
        value = getattr(event.data, attribute)
        plain = wire.from_wire(value)
        if plain is not value:
            changed[attribute] = plain
    return replace(event, data=replace(event.data, **changed)) if changed else event


def encoded_command(wire: Wire, command: Command) -> Command:
    """`command` as it is to be recorded.

    Raises:
        CodecFailed: a value cannot be encoded here.
    """
    match command:
        case ScheduleTask(input=value) | StartChild(input=value):
            return replace(command, input=wire.to_wire(value))
        case SetState(value=value):
            return replace(command, value=wire.to_wire(value))
        case _:
            return command


def encoded_outcome(wire: Wire, outcome: Outcome) -> Outcome:
    """`outcome` as it is to be recorded.

    Raises:
        CodecFailed: a value cannot be encoded here.
    """
    match outcome:
        case Returned(output=value):
            return Returned(wire.to_wire(value))
        case Continued(input=value, untaken=untaken):
            return Continued(wire.to_wire(value), untaken)
        case _:
            return outcome
