"""What the listing keeps of an execution: one row, and two pointers to it by which pages find it.

    @execution#{org}#{id}               row                    how far its log is projected, and what the listing shows
    @listing#{org}#{group}              {newest first}#{id}    a pointer
    @listing#{org}#{group}#{kind}       {newest first}#{id}    a pointer

The group is `OPEN` or the status that it ended with, so a pointer is written when an execution begins, moved once, when it
ends, and never else. All three change in one transaction, which only the projector makes. Names never begin with `@`, so no
partition that begins with an org's name can be one of these.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Delete, Directory, Item, Put, Write
from flowstrand.engine.events import Event, SuspendType, WorkflowFailed, WorkflowStatus, WorkflowSuspended
from flowstrand.engine.ids import OrgId, is_standalone_task
from flowstrand.engine.schema import EpochMs, from_json, to_json
from flowstrand.engine.state import ExecutionState
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey

_ROW = "row"
_LAST_MS = 9_999_999_999_999
"""Beyond every creation, so that what is left until it sorts the newest first."""


class Group(StrEnum):
    """What pointers are kept apart by."""

    OPEN = "OPEN"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @classmethod
    def of(cls, status: WorkflowStatus) -> Group:
        """The group of the executions with this status."""
        return cls.__members__.get(status.value, cls.OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An execution as the listing shows it: as it stood at `current_sequence`.

    Attributes:
        updated_at_ms: the timestamp of the event there.
        suspend_type: what it waited for first when it last suspended.
        failure_type: why a failed one failed, for programs.
    """

    workflow_execution_id: str
    kind: str
    status: WorkflowStatus
    created_at_ms: EpochMs
    updated_at_ms: EpochMs
    closed_at_ms: EpochMs | None = None
    current_sequence: int
    queue: str
    version: str | None = None
    metadata: JsonObject | None = None
    parent_workflow_execution_id: str | None = None
    suspend_type: SuspendType | None = None
    failure_type: str | None = None
    continued_as: str | None = None
    retried_from: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How far a log is projected.

    Attributes:
        projected: the last sequence that the feed and the listing know of; 0 before any.
        listed: None before anything is projected, and once the execution has been removed from the listing.
        version: of the item; 0 where there is none.
    """

    key: LogKey
    projected: int = 0
    listed: Listed | None = None
    version: int = 0


def read(directory: Directory, keys: Collection[LogKey]) -> Mapping[LogKey, Row]:
    """The row of each log; an empty one for those that have none."""
    found = directory.get_many([(_partition(key), _ROW) for key in keys])
    return {key: _parse(key, found.get((_partition(key), _ROW))) for key in keys}


def listed_at(state: ExecutionState, events: Sequence[Event], before: Listed | None) -> Listed:
    """What is to be shown of a log at `state`, given what its newest events are and what was shown before them."""
    suspend_type = before.suspend_type if before else None
    failure_type = before.failure_type if before else None
    for event in events:
        if isinstance(event.data, WorkflowSuspended):
            suspend_type = event.data.suspend_type
        elif isinstance(event.data, WorkflowFailed):
            failure_type = event.data.failure_type
    return Listed(
        workflow_execution_id=state.workflow_execution_id,
        kind=state.kind,
        status=state.status,
        created_at_ms=EpochMs(state.created_at_ms),
        updated_at_ms=EpochMs(state.timestamp_ms),
        closed_at_ms=EpochMs(state.timestamp_ms) if state.closed else None,
        current_sequence=state.sequence,
        queue=state.queue,
        version=state.version,
        metadata=state.metadata,
        parent_workflow_execution_id=state.parent.workflow_execution_id if state.parent else None,
        suspend_type=suspend_type,
        failure_type=failure_type,
        continued_as=state.continued_as,
        retried_from=state.retry_of.workflow_execution_id if state.retry_of else None,
    )


def changing(row: Row, projected: int, listed: Listed) -> list[Write]:
    """The writes that take a row, and its pointers where they change, to `projected` and `listed`."""
    data: JsonObject = {"projected": projected, "listed": to_json(listed)}
    writes: list[Write] = [Put(partition=_partition(row.key), key=_ROW, data=data, expect=row.version)]
    old, new = _pointers(row.key, row.listed), _pointers(row.key, listed)
    writes += [Delete(partition=partition, key=key) for partition, key in old if (partition, key) not in new]
    writes += [Put(partition=partition, key=key, data={}) for partition, key in new if (partition, key) not in old]
    return writes


def keeping_from_projector(row: Row, projected: int) -> list[Write]:
    """The write that has the projector take a log for projected, before there is any of it; nothing is listed yet."""
    data: JsonObject = {"projected": projected}
    return [Put(partition=_partition(row.key), key=_ROW, data=data, expect=row.version)]


def removing(row: Row, expires_at_ms: int) -> list[Write]:
    """The writes that take an execution out of the listing. Its row is kept for a while, so that nobody projects it anew."""
    data: JsonObject = {"projected": row.projected}
    kept = Put(partition=_partition(row.key), key=_ROW, data=data, expect=row.version, expires_at_ms=expires_at_ms)
    return [kept, *(Delete(partition=partition, key=key) for partition, key in _pointers(row.key, row.listed))]


def pointers_of(org: OrgId, group: Group, kind: str | None) -> str:
    """The partition with the pointers of a group, of one kind or of all."""
    every = f"@listing#{org}#{group}"
    return every if kind is None else f"{every}#{kind}"


def position(created_at_ms: int) -> str:
    """What the pointers of executions created at this moment begin with; the later, the smaller."""
    return f"{min(max(_LAST_MS - created_at_ms, 0), _LAST_MS):013}"


def pointed_at(org: OrgId, pointer: str) -> LogKey:
    """Whose pointer has this key."""
    return LogKey.parse(f"{org}#{pointer.partition('#')[2]}")


def _pointers(key: LogKey, listed: Listed | None) -> list[tuple[str, str]]:
    if listed is None or is_standalone_task(key.execution_id):  # in the feed, but no execution
        return []
    group, name = Group.of(listed.status), f"{position(listed.created_at_ms)}#{key.execution_id}"
    return [(pointers_of(key.org, group, None), name), (pointers_of(key.org, group, listed.kind), name)]


def _partition(key: LogKey) -> str:
    return f"@execution#{key}"


def _parse(key: LogKey, item: Item | None) -> Row:
    if item is None:
        return Row(key=key)
    data: Any = item.data
    shown = data.get("listed")
    listed = None if shown is None else from_json(Listed, shown)
    return Row(key=key, projected=data["projected"], listed=listed, version=item.version)
