"""The projector's safety wakes (law 8): a handler that dies between its append and its send leaves nobody told.

Every commit comes by here a second time, through the table's stream. One that may have effects gets a delayed wake of its
own; mostly it finds nothing left to do.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.engine.events import Event, EventType, Family
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.queues.messages import Wake
from flowstrand.service.container import Services

_WITHOUT_EFFECT = frozenset(
    {EventType.WORKFLOW_SUSPENDED, EventType.WORKFLOW_RESUMED, EventType.CHILD_WORKFLOW_STARTED}
)


def on_commit(services: Services, commit: Commit, events: Sequence[Event] | None = None) -> None:
    """Send a delayed wake for the commit, unless none of its events can have an effect.

    Args:
        events: what it holds, if the caller has unpacked it.
    """
    held = unpack_events(commit) if events is None else events
    if all(event.family is Family.STREAM or event.type in _WITHOUT_EFFECT for event in held):
        return
    wake = Wake(org=commit.key.org, execution_id=commit.key.execution_id, sequence=commit.sequence)
    services.control.send([wake], delay_ms=services.settings.safety_wake_ms)


def on_inbox_item(services: Services, key: LogKey) -> None:
    """Send a delayed wake for an execution whose inbox got an item, as of where its log ends by now."""
    tail = services.log.tail(key)
    if tail is not None:
        wake = Wake(org=key.org, execution_id=key.execution_id, sequence=tail.last_sequence + 1)
        services.control.send([wake], delay_ms=services.settings.safety_wake_ms)
