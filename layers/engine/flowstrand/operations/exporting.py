"""Exporting: which executions, and each as a `History`. Reads only, and takes no part in anything: a log may grow meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from flowstrand.engine.events import ChildInitiated
from flowstrand.engine.ids import ExecutionId, OrgId, is_standalone_task
from flowstrand.errors import Gone, LogCorrupted, NotFound
from flowstrand.histories.history import History, TaskLogBatch
from flowstrand.histories.writing import history_of
from flowstrand.log.port import LogKey
from flowstrand.service import listing, task_log_rows
from flowstrand.service.container import Services
from flowstrand.service.listing import Filter

_PAGE = 100


def export_one(services: Services, key: LogKey) -> History:
    """The log of one execution or standalone task, with its payloads and what its tasks have logged.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`: retention has left nothing of it but its ends.
        LogCorrupted: it has a gap, or a payload is missing or damaged.
        StoreUnavailable: it could not be read.
    """
    tail = services.log.tail(key)
    if tail is None:
        raise NotFound(f"there is no execution {key.execution_id} in {key.org}", code="EXECUTION_NOT_FOUND")
    if tail.expires_at_ms is not None:
        raise _expired(key)
    try:
        commits = services.log.read(key, after=0)
    except LogCorrupted:
        tail = services.log.tail(key)  # perhaps it has expired since its tail was read
        if tail is None or tail.expires_at_ms is None:
            raise
        raise _expired(key) from None
    history = history_of(key, commits, {})
    payloads = {sha256: services.payloads.get(key.org, sha256) for sha256 in sorted(history.references)}
    logged = tuple(
        TaskLogBatch(position=b.position, attempt=b.attempt, number=b.number, records=b.records)
        for b in task_log_rows.every(services.directory, key)
    )
    return replace(history, payloads=payloads, task_logs=logged)


def family(
    services: Services, roots: Iterable[LogKey], *, with_descendants: bool, may_be_gone: bool = False
) -> Iterator[History]:
    """Each of `roots` and, if wanted, its descendants behind it, each execution once.

    A descendant is a child, and what an execution or a child has continued as. One that has not begun yet is left out, and so is
    one that has expired.

    Args:
        may_be_gone: leave out roots, too, that are not there any more: a listing lags behind.

    Raises:
        NotFound, Gone: one of `roots` cannot be exported; see `export_one`.
    """
    seen: set[LogKey] = set()
    for root in roots:
        pending = [root]
        while pending:
            key = pending.pop()
            if key in seen:
                continue
            seen.add(key)
            try:
                history = export_one(services, key)
            except (NotFound, Gone):
                if key == root and not may_be_gone:
                    raise
                continue
            yield history
            if with_descendants:
                pending += reversed(_below(history))


def listed(services: Services, org: OrgId, wanted: Filter) -> Iterator[LogKey]:
    """The executions of an org that are listed, the newest first. Standalone tasks are in no listing: see `standalone_tasks`."""
    after: str | None = ""
    while after is not None:
        page = listing.page(services, org, wanted, after=after, limit=_PAGE)
        for execution in page.executions:
            yield LogKey(org, ExecutionId(execution.workflow_execution_id))
        after = page.next_after


def standalone_tasks(logs: Iterable[LogKey]) -> Iterator[LogKey]:
    """The standalone tasks among all logs of an org: there is no other list of them."""
    return (key for key in logs if is_standalone_task(key.execution_id))


def _below(history: History) -> list[LogKey]:
    children = [event.data.child_workflow_id for event in history.events if isinstance(event.data, ChildInitiated)]
    if history.state.continued_as is not None:
        children.append(history.state.continued_as)
    return [LogKey(history.key.org, ExecutionId(child)) for child in dict.fromkeys(children)]


def _expired(key: LogKey) -> Gone:
    return Gone(f"{key.execution_id} ended too long ago for its log to be kept", code="EXECUTION_EXPIRED")
