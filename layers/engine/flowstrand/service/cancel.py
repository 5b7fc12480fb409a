"""Cancelling an execution: asked for by a client, or by the execution whose child it is."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flowstrand.engine.decide import child as decide_child
from flowstrand.engine.events import ChildCancellationRequested, ErrorInfo, ParentRef
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.state import OpenChild
from flowstrand.errors import Conflict, LogCorrupted, NotFound
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import adoption, append, inbox, requests, succession
from flowstrand.service.container import Services
from flowstrand.service.waking import wake


def cancel(
    services: Services,
    org: OrgId,
    execution_id: str,
    *,
    reason: str | None = None,
    cascade: bool = True,
    force: bool = False,
    request_id: str | None = None,
) -> int:
    """Ask an execution, or the one that it has continued as, to end.

    There is at most one request in a log. Asking again changes nothing but may force the end; the answer is the same.

    Args:
        reason: for people; part of the events.
        cascade: whether its children are asked as well.
        force: end it now, without running its code.
        request_id: the client's name for this request; a repetition gets the first answer, even after the end.

    Returns:
        The sequence of `CANCELLATION_REQUESTED`.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`.
        Conflict: `EXECUTION_CLOSED`.
        Unavailable, StoreUnavailable: it may or may not have been recorded; ask again.
    """
    tip = succession.require_whole(services, LogKey(org, ExecutionId(execution_id)))
    request = requests.Cancellation(reason=reason, cascade=cascade, force=force, request_id=request_id)
    while True:
        try:
            return _cancel(services, tip, request, conflicts=services.settings.append_attempts_before_inbox)
        except append.Contended as contended:
            request = replace(request, request_id=request.request_id or services.random_bytes(12).hex())
            if not inbox.leave(services, contended.tip, request):
                raise append.unavailable(contended) from contended
            # There is one request in a log at most: asked once more, the log says where, or who goes on from it.
            tip, _ = append.catch_up(services, contended.tip)


def tell_child(services: Services, tip: append.Tip, child: OpenChild) -> None:
    """Tell a child that it is to end, as its parent's log says; once or again.

    Only a child of this parent is told: an id that its author chose may be another execution's. If there is none to tell,
    the parent's log says so.
    """
    parent = ParentRef(workflow_execution_id=tip.state.workflow_execution_id, position=child.position)
    try:
        found = append.require(services, LogKey(tip.key.org, ExecutionId(child.child_workflow_id)))
        if not adoption.is_child_of(child, found.state.parent, parent):
            raise NotFound("there is no such child workflow", code="EXECUTION_NOT_FOUND")
    except NotFound as missing:
        error = ErrorInfo(type="NotFound", message=missing.message)
        append.transact(services, tip.key, lambda draft: decide_child.cancel_failed(draft, child.position, error))
        return
    request = requests.Cancellation(
        reason=_reason(services, tip.key, child),
        cascade=True,
        force=child.is_forced,
        request_id=f"{parent.workflow_execution_id}/{child.position}/{child.cancel_at}",
    )
    try:
        _cancel(services, found, request, conflicts=append.MAX_CONFLICTS)  # nobody but the resumer drains inboxes
    except Conflict:  # it has ended; woken again, it tells its parent how
        last = succession.follow(services, found)
        wake(services, last.key, last.state.sequence)


def _cancel(services: Services, tip: append.Tip, request: requests.Cancellation, *, conflicts: int) -> int:
    """Record the request where the execution has got to, and wake it. Returns the sequence of its event.

    Raises:
        Conflict: `EXECUTION_CLOSED`.
        Contended: `tip` is contended.
    """
    while True:
        appended = append.transact(
            services, tip.key, partial(requests.decide, request=request), tip=tip, conflicts=conflicts
        )
        if appended.result is not None:
            wake(services, tip.key, appended.sequence or appended.result)
            return appended.result
        tip = succession.successor_of(services, appended.tip) or tip


def _reason(services: Services, key: LogKey, child: OpenChild) -> str | None:
    sequence = child.cancel_at or 0
    commit = services.log.commit_at(key, sequence)
    data = unpack_events(commit)[sequence - commit.sequence].data if commit else None
    if not isinstance(data, ChildCancellationRequested):
        raise LogCorrupted(f"{key} has no CHILD_WORKFLOW_CANCELLATION_REQUESTED at {sequence}")
    return data.reason
