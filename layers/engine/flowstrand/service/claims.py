"""Claiming: received queue messages become leased attempts, one commit per execution and poll."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import StrEnum
from itertools import groupby

from flowstrand.dataclass import dataclass
from flowstrand.engine.decide import task
from flowstrand.engine.events import TaskCreated, TaskStatus
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import OrgId
from flowstrand.engine.state import OpenTask
from flowstrand.engine.trace_context import attempt_span
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events_at
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import TaskMessage
from flowstrand.queues.port import ReceivedTask
from flowstrand.service import append, leases, queue_limits
from flowstrand.service.container import Services
from flowstrand.service.inputs import Inputs
from flowstrand.service.tokens import Lease
from flowstrand.service.waking import wake


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedTask:
    """An attempt that now is a worker's, until `lease_ends_at_ms` or as long as it heartbeats.

    Attributes:
        workflow_execution_id: whose task it is; None for a standalone one.
        heartbeat_ms: how often it should.
        non_retryable: names of error classes after which no further attempt is wanted. Only the worker can tell whether
            what was raised is of a class derived from one of them.
        heartbeat_details: what an earlier attempt said with its last heartbeat.
        input_url: where the input is to be had, if that is too large to be told here; then `input` stands for it.
        traceparent, tracestate: whose trace the attempt belongs to, if anybody's.
    """

    task_execution_id: str
    workflow_execution_id: str | None
    kind: str
    input: JsonValue
    attempt: int
    max_retries: int
    lease_token: str
    lease_ends_at_ms: int
    heartbeat_ms: int
    non_retryable: tuple[str, ...] = ()
    heartbeat_details: JsonValue = None
    input_url: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None


def claim_all(
    services: Services,
    org: OrgId,
    queue: str,
    received: Sequence[ReceivedTask],
    worker_id: str,
    kinds: Collection[str],
) -> list[ClaimedTask]:
    """Claim what can be claimed of `received`, and delete from the queue what is dealt with.

    Raises:
        StoreUnavailable: some attempts may have been claimed; their leases end by themselves.
    """
    counted_in = queue if queue_limits.is_counted(services, org, queue) else None
    inputs = Inputs(services, org)
    claimed: list[ClaimedTask] = []
    by_execution = sorted(received, key=lambda item: item.message.execution_id)
    for _, group in groupby(by_execution, key=lambda item: item.message.execution_id):
        items = list(group)
        claim = _Claim(services, items[0].message.key, worker_id, kinds, counted_in, inputs)
        claimed += claim.make(items)
        for item in claim.settled:
            services.tasks.delete(org, queue, item)
    return claimed


class Unclaimed(StrEnum):
    """Why an attempt was not claimed."""

    SETTLED = "settled"
    """There is nothing to claim: it was started before, or is not wanted any more. The message is dealt with."""
    OTHERS = "others"
    """Its kind is none of those that were asked for."""
    EARLY = "early"
    """Its moment has not come."""


def claim_one(
    services: Services, queue: str, message: TaskMessage, worker_id: str, kinds: Collection[str]
) -> ClaimedTask | Unclaimed:
    """Claim the attempt that one message of `queue` names.

    Raises:
        StoreUnavailable: it may have been claimed; then its lease ends by itself.
    """
    item = ReceivedTask(message=message, receipt="")
    counted_in = queue if queue_limits.is_counted(services, message.org, queue) else None
    claim = _Claim(services, message.key, worker_id, kinds, counted_in, Inputs(services, message.org))
    claimed = claim.make([item])
    if claimed:
        return claimed[0]
    if claim.settled or claim.is_gone:
        return Unclaimed.SETTLED
    return Unclaimed.OTHERS if claim.others else Unclaimed.EARLY


class _Claim:
    """The attempts of one execution that one poll received: claimed in one commit.

    Attributes:
        settled: what can be deleted from the queue: claimed now, started before, or no longer wanted.
        others: what is for whoever serves its kind.
        is_gone: whether there is no such log.
    """

    def __init__(
        self,
        services: Services,
        key: LogKey,
        worker_id: str,
        kinds: Collection[str],
        counted_in: str | None,
        inputs: Inputs,
    ) -> None:
        self._services = services
        self._key = key
        self._worker_id = worker_id
        self._kinds = kinds
        self._counted_in = counted_in
        self._inputs = inputs
        self.settled: list[ReceivedTask] = []
        self.others: list[ReceivedTask] = []
        self.is_gone = False

    def make(self, items: list[ReceivedTask]) -> list[ClaimedTask]:
        """Claim what can be claimed, wake the execution, and say what was claimed."""
        tip = append.load(self._services, self._key)
        self.is_gone = tip is None
        if tip is None:
            return []
        appended = append.transact(self._services, self._key, lambda draft: self._decide(draft, items), tip=tip)
        taken = appended.result
        if appended.sequence is not None:
            wake(self._services, self._key, appended.sequence)
        for item in items:
            if item not in taken:
                self._dispose(appended.tip, item)
        self.settled += taken
        starts = {item.message.position: n for n, item in enumerate(taken, start=appended.sequence or 0)}
        tasks = {position: appended.tip.state.tasks[position] for position in starts}
        created = self._created({known.created_at for known in tasks.values()})
        return [
            self._claimed(appended.tip, known, starts[position], created[known.created_at])
            for position, known in tasks.items()
        ]

    def _decide(self, draft: Draft, items: list[ReceivedTask]) -> list[ReceivedTask]:
        return [item for item in items if self._claim_one(draft, item)]

    def _claim_one(self, draft: Draft, item: ReceivedTask) -> bool:
        position, attempt = item.message.position, item.message.attempt
        wanted = draft.state.tasks.get(position)
        if draft.state.closed or wanted is None or wanted.kind not in self._kinds:
            return False
        lease_ms = self._services.settings.lease_ms
        return task.claim(draft, position, attempt=attempt, worker_id=self._worker_id, lease_ms=lease_ms)

    def _dispose(self, tip: append.Tip, item: ReceivedTask) -> None:
        """Drop a message that names nothing to claim; one for a started attempt sends that commit's wake again."""
        known = tip.state.tasks.get(item.message.position)
        if known is not None and item.message.attempt == known.attempts + 1:
            if known.kind not in self._kinds:
                self.others.append(item)
            return  # not due yet, or another worker's kind: it comes again
        if known is not None and known.status is TaskStatus.RUNNING:
            wake(self._services, self._key, known.changed_at)
        self.settled.append(item)

    def _claimed(self, tip: append.Tip, known: OpenTask, sequence: int, created: TaskCreated) -> ClaimedTask:
        lease = Lease(
            org=self._key.org,
            task_id=known.task_execution_id,
            attempt=known.attempts,
            sequence=sequence,
            counted_in=self._counted_in,
        )
        given = self._inputs.give(created.input)
        trace = tip.state.trace and tip.state.trace.below(attempt_span(known.task_execution_id, known.attempts))
        return ClaimedTask(
            task_execution_id=known.task_execution_id,
            workflow_execution_id=None if tip.state.is_task else tip.state.workflow_execution_id,
            kind=known.kind,
            input=given.value,
            input_url=given.url,
            attempt=known.attempts,
            max_retries=known.retry.max_retries,
            lease_token=self._services.tokens.sign(lease),
            lease_ends_at_ms=known.due_at_ms,
            heartbeat_ms=self._heartbeat_ms(known),
            non_retryable=known.retry.non_retryable or (),
            heartbeat_details=self._details_of(known),
            traceparent=trace.traceparent if trace else None,
            tracestate=trace.tracestate if trace else None,
        )

    def _heartbeat_ms(self, known: OpenTask) -> int:
        """Three times within its heartbeat timeout, so that one that is late or lost does not end the attempt."""
        usual_ms = self._services.settings.heartbeat_ms
        return min(usual_ms, max(1, (known.heartbeat_timeout_ms or 3 * usual_ms) // 3))

    def _details_of(self, known: OpenTask) -> JsonValue:
        if known.attempts == 1:
            return None
        return leases.last_details(self._services.directory, known.task_execution_id)

    def _created(self, sequences: set[int]) -> dict[int, TaskCreated]:
        """The `TASK_CREATED` at each sequence. Tasks that were asked for together are in one commit, which is read once."""
        found: dict[int, TaskCreated] = {}
        for sequence in sorted(sequences):
            if sequence in found:
                continue
            commit = self._services.log.commit_at(self._key, sequence)
            for event in unpack_events_at(commit, sequences) if commit else ():
                if isinstance(event.data, TaskCreated):
                    found[event.sequence] = event.data
            if sequence not in found:
                raise LogCorrupted(f"{self._key} has no TASK_CREATED at {sequence}")
        return found
