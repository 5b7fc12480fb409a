"""What the world outside does to an execution: signals it, settles its promises, cancels it, retries it.

The one place in the test kit that knows those use cases.
"""

from __future__ import annotations

from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.ids import ExecutionId
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import cancel as cancellation
from flowstrand.service import promises, retrying, signals
from flowstrand.testing.world import ORG, World


def signal(world: World, execution: ExecutionId, name: str, value: JsonValue) -> None:
    """Send a signal."""
    signals.signal(world.services, ORG, execution, name, value)


def resolve_promise(world: World, promise: str, value: JsonValue) -> bool:
    """Resolve a promise, named by its id or `key:<key>`; returns whether that settled it."""
    return not promises.resolve(world.services, ORG, promise, value).already_settled


def reject_promise(world: World, promise: str, error: ErrorInfo) -> bool:
    """Reject a promise, named by its id or `key:<key>`; returns whether that settled it."""
    return not promises.reject(world.services, ORG, promise, error).already_settled


def cancel(world: World, execution: ExecutionId, *, reason: str | None, cascade: bool, force: bool) -> None:
    """Ask an execution to end, or, with `force`, end it."""
    cancellation.cancel(world.services, ORG, execution, reason=reason, cascade=cascade, force=force)


def retry(world: World, execution: ExecutionId, *, reason: str | None, request_id: str) -> ExecutionId:
    """Begin an execution from the history of a failed one; returns its id."""
    retried = retrying.retry(world.services, ORG, execution, reason=reason, request_id=request_id)
    return ExecutionId(retried.snapshot.workflow_execution_id)
