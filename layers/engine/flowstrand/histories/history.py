"""`History`: one execution's log as a file holds it: its commits, and the payloads that their events refer to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import Event, TaskCreated, WorkflowStarted
from flowstrand.engine.evolve import fold
from flowstrand.engine.ids import is_standalone_task
from flowstrand.engine.schema import PayloadRef, payload_fields
from flowstrand.engine.state import ExecutionState
from flowstrand.engine.task_log import LogRecord
from flowstrand.errors import HistoryRefused, LogCorrupted
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLogBatch:
    """What an attempt of a task has logged at once. It lies beside the log, and is no part of it.

    Attributes:
        position: of the task in the log; 0 of a standalone one.
        number: within the attempt, from 1.
    """

    position: int
    attempt: int
    number: int
    records: tuple[LogRecord, ...]


@dataclass(frozen=True, kw_only=True)
class History:
    """Made by `histories.reading` and by the exporter.

    Attributes:
        commits: all of them, in order; without checkpoints, which are no part of what happened.
        payloads: by their SHA-256, in hex; those that the file holds.
        sha256: over its lines, those of payloads and task logs left out; the same for every export of a log that has ended.
        task_logs: what its tasks have logged, in order.
    """

    key: LogKey
    commits: tuple[Commit, ...]
    payloads: Mapping[str, bytes] = field(default_factory=dict)
    sha256: str
    task_logs: tuple[TaskLogBatch, ...] = ()

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Every event; large payloads are references.

        Raises:
            LogCorrupted: a commit cannot be read, or was written by a newer version.
        """
        return tuple(event for commit in self.commits for event in unpack_events(commit))

    @cached_property
    def state(self) -> ExecutionState:
        """Where the log stands."""
        return fold(None, self.events)

    @property
    def is_closed(self) -> bool:
        """Whether the execution has ended: nothing can follow."""
        return self.events[-1].is_terminal

    @property
    def references(self) -> dict[str, int]:
        """The payloads that events refer to, and the bytes of each."""
        return {ref.sha256: ref.size for event in self.events for ref in references_of(event)}

    def with_values(self) -> list[Event]:
        """Every event, its payloads in it.

        Raises:
            HistoryRefused: the file does not hold one of them (`PAYLOAD_MISSING`).
        """
        return [self._with_values(event) for event in self.events]

    def require_sound(self) -> None:
        """Refuse what no execution can have written.

        Raises:
            HistoryRefused: `INVALID_EXPORT`: it is not 1..n, time runs backwards, it does not begin like a log, something follows
                the end, or it belongs to another execution. `PAYLOAD_MISSING`: an event refers to what is not there.
        """
        try:
            fault = self._fault()
        except (LogCorrupted, KeyError, ValueError) as error:
            raise refused(f"{self.key.execution_id} cannot be read: {error}") from error
        if fault is not None:
            raise refused(f"{self.key.execution_id} {fault}")
        if missing := self.references.keys() - self.payloads.keys():
            raise _missing(self.key, min(missing))

    def _fault(self) -> str | None:
        expected, written_at_ms = 1, 0
        for commit in self.commits:
            if commit.sequence != expected:
                return f"has a commit at {commit.sequence} where {expected} should be"
            if commit.written_at_ms < written_at_ms:
                return f"has a commit at {commit.sequence} that is earlier than the one before it"
            expected, written_at_ms = commit.last_sequence + 1, commit.written_at_ms
        if not self.commits:
            return "has no events"
        if (
            _owner(self.events[0]) != self.key.execution_id
            or self.state.workflow_execution_id != self.key.execution_id
        ):
            return "does not begin as a log of that id does"
        return None

    def _with_values(self, event: Event) -> Event:
        values: dict[str, Any] = {}
        for attribute, _ in payload_fields(type(event.data)):
            value = getattr(event.data, attribute)
            if isinstance(value, PayloadRef):
                if value.sha256 not in self.payloads:
                    raise _missing(self.key, value.sha256)
                values[attribute] = json.loads(self.payloads[value.sha256].decode("utf-8", "surrogatepass"))
        return replace(event, data=replace(event.data, **values)) if values else event


def references_of(event: Event) -> list[PayloadRef]:
    """What an event refers to in the payload store."""
    values = [getattr(event.data, attribute) for attribute, _ in payload_fields(type(event.data))]
    return [value for value in values if isinstance(value, PayloadRef)]


def refused(why: str, *, code: str = "INVALID_EXPORT") -> HistoryRefused:
    """What is said of a file that cannot be taken for what it claims to be."""
    return HistoryRefused(f"not an export that can be used: {why}", code=code)


def _missing(key: LogKey, sha256: str) -> HistoryRefused:
    return refused(
        f"{key.execution_id} refers to the payload {sha256}, which is not in it", code="PAYLOAD_MISSING"
    )


def _owner(first: Event) -> str | None:
    match first.data:
        case WorkflowStarted() as started:
            return started.workflow_execution_id
        case TaskCreated() as created if is_standalone_task(created.task_execution_id):
            return created.task_execution_id
        case _:
            return None
