"""A schedule as it is stored: one row of the directory, which is written at the version it was read at or not at all.

{org}#schedules    {schedule id}    the schedule's state, and what its runs start
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Item
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schedule.state import ScheduleState, ScheduleStatus
from flowstrand.engine.schema import PayloadRef, from_json, to_json
from flowstrand.errors import NotFound
from flowstrand.jsonvalue import JsonObject
from flowstrand.queues.messages import ScheduleDue
from flowstrand.service import payloads
from flowstrand.service.container import Services
from flowstrand.service.executions import StartRequest

_KEPT_DELETED_MS = 3_600_000
"""How long a deleted schedule is kept at least; then the store removes it by itself. For as long, the versions of a new one
of the same id go on from it, so that whoever still holds the old one cannot write over the new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A schedule.

    Attributes:
        request: what each run starts.
        version: of the row; 0 before it is written.
    """

    org: OrgId
    schedule_id: str
    state: ScheduleState
    request: StartRequest
    version: int = 0

    @property
    def due(self) -> ScheduleDue:
        """The message that has it looked at."""
        return ScheduleDue(org=self.org, schedule_id=self.schedule_id, uid=self.state.uid)


def find(services: Services, org: OrgId, schedule_id: str) -> Schedule | None:
    """The schedule, even a deleted one; None if there is none."""
    item = services.directory.get(_partition(org), schedule_id)
    return _parse(services, org, item) if item else None


def require(services: Services, org: OrgId, schedule_id: str) -> Schedule:
    """A schedule that must exist.

    Raises:
        NotFound: `SCHEDULE_NOT_FOUND`.
    """
    found = find(services, org, schedule_id)
    if found is None or found.state.status is ScheduleStatus.DELETED:
        raise NotFound("there is no such schedule", code="SCHEDULE_NOT_FOUND")
    return found


def listed(services: Services, org: OrgId, *, after: str, limit: int) -> Sequence[Schedule]:
    """Schedules with an id beyond `after`, deleted ones among them."""
    items = services.directory.scan(_partition(org), after=after, limit=limit)
    return [_parse(services, org, item) for item in items]


def reference(services: Services, org: OrgId, schedule_id: str) -> PayloadRef | None:
    """The stored value that the runs of a schedule are given, if there is one. It is not fetched."""
    item = services.directory.get(_partition(org), schedule_id)
    data: Any = {} if item is None else item.data["start"]
    return PayloadRef(**data["inputRef"]) if "inputRef" in data else None


def write(services: Services, schedule: Schedule, state: ScheduleState) -> Schedule:
    """Put `state` in place of what was read.

    Raises:
        PreconditionFailed: somebody else has.
    """
    is_deleted = state.status is ScheduleStatus.DELETED
    item = services.directory.put(
        _partition(schedule.org),
        schedule.schedule_id,
        {"schedule": to_json(state), "start": _dump(services, schedule.org, schedule.request)},
        expect=schedule.version,
        expires_at_ms=services.clock.now_ms() + _KEPT_DELETED_MS if is_deleted else None,
    )
    return replace(schedule, state=state, version=item.version)


def _dump(services: Services, org: OrgId, request: StartRequest) -> JsonObject:
    stored = payloads.store(services, org, request.input)
    given: JsonObject = {
        "kind": request.kind,
        "queue": request.queue,
        "version": request.version,
        "metadata": request.metadata,
        "timeoutMs": request.timeout_ms,
    }
    if isinstance(stored, PayloadRef):
        return {**given, "inputRef": {"sha256": stored.sha256, "size": stored.size}}
    return {**given, "input": stored}


def _parse(services: Services, org: OrgId, item: Item) -> Schedule:
    data: Any = item.data
    start = data["start"]
    reference = start.get("inputRef")
    stored = PayloadRef(**reference) if reference else start["input"]
    return Schedule(
        org=org,
        schedule_id=item.key,
        state=from_json(ScheduleState, data["schedule"]),
        request=StartRequest(
            kind=start["kind"],
            input=payloads.fetch(services, org, stored),
            queue=start["queue"],
            version=start["version"],
            metadata=start["metadata"],
            timeout_ms=start["timeoutMs"],
        ),
        version=item.version,
    )


def _partition(org: OrgId) -> str:
    return f"{org}#schedules"
