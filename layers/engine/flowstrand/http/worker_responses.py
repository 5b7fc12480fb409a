"""Response bodies of the routes of workers."""

from __future__ import annotations

from flowstrand.engine.schema import rfc3339
from flowstrand.http.response_body import ResponseBody
from flowstrand.service.presence import PresentWorker, WorkerPage, WorkerState
from flowstrand.service.workers import Registered


class WorkerRegistered(ResponseBody):
    """201: the worker's id, the kinds of its queue that it does not serve, and how often to heartbeat."""

    worker_id: str
    missing_kinds: list[str]
    heartbeat_ms: int

    @classmethod
    def of(cls, registered: Registered) -> WorkerRegistered:
        """What `registered` says."""
        return cls(
            worker_id=registered.worker_id,
            missing_kinds=list(registered.missing_kinds),
            heartbeat_ms=registered.heartbeat_ms,
        )


class WorkerView(ResponseBody):
    """A worker that was heard of lately."""

    worker_id: str
    name: str
    queues: list[str]
    task_kinds: list[str]
    workflow_kinds: list[str]
    state: WorkerState
    registered_at: str
    last_seen_at: str
    version: str | None = None

    @classmethod
    def of(cls, worker: PresentWorker) -> WorkerView:
        """What is known of it."""
        optional = {} if worker.version is None else {"version": worker.version}
        return cls(
            worker_id=worker.worker_id,
            name=worker.name,
            queues=list(worker.queues),
            task_kinds=list(worker.task_kinds),
            workflow_kinds=list(worker.workflow_kinds),
            state=worker.state,
            registered_at=rfc3339(worker.registered_at_ms),
            last_seen_at=rfc3339(worker.last_seen_at_ms),
            **optional,
        )


class WorkersFound(ResponseBody):
    """A page of workers, by id. `next_after` is there if there may be more."""

    workers: list[WorkerView]
    next_after: str | None = None

    @classmethod
    def of(cls, page: WorkerPage) -> WorkersFound:
        """What `page` holds."""
        optional = {} if page.next_after is None else {"next_after": page.next_after}
        return cls(workers=[WorkerView.of(worker) for worker in page.workers], **optional)


class WorkerSeen(ResponseBody):
    """200: it is known that the worker is there."""

    state: WorkerState
