"""Every error Flowstrand raises, in one tree, grouped by who must act.

    FlowstrandError
    ├── AuthorError                 the workflow or task author must act
    │   ├── TaskFailed                  TASK_FAILED             a task used its last attempt
    │   │   └── TaskTimeout             TASK_TIMEOUT            … by a timeout, or passed its deadline
    │   ├── TaskCancelled               TASK_CANCELLED
    │   ├── ChildWorkflowFailed         CHILD_WORKFLOW_FAILED
    │   ├── WorkflowFailed              WORKFLOW_FAILED         a client asked for the result of a failed execution
    │   │   └── WorkflowTimeout         WORKFLOW_TIMEOUT        … that was open at its timeout
    │   ├── OperationFailed             OPERATION_FAILED        a `ctx.run` function raised
    │   ├── PromiseRejected             PROMISE_REJECTED
    │   ├── PromiseTimeout              PROMISE_TIMEOUT         nobody settled a promise in time
    │   ├── TimedOut                    TIMED_OUT               `with_timeout` or `wait_for_signal(timeout=)` gave up
    │   ├── MapFailed                   MAP_FAILED              too many items of a `ctx.map` failed
    │   ├── WorkflowCancelled           WORKFLOW_CANCELLED      the execution was asked to end
    │   ├── BranchCancelled             BRANCH_CANCELLED        what a branch was to give is no longer wanted
    │   ├── DeterminismViolation        DETERMINISM_VIOLATION   the code no longer matches its log
    │   ├── ForeignAwaitable            FOREIGN_AWAITABLE       awaited something the log does not record
    │   ├── NotSerializable             NOT_SERIALIZABLE
    │   ├── TooManyOpenOperations       TOO_MANY_OPEN_OPERATIONS
    │   ├── NonRetryableError           NON_RETRYABLE           raised by a task: no further attempt can help
    │   │   └── StreamLimitReached          STREAM_LIMIT_REACHED    … for it has streamed as much as it may
    │   ├── DeadContext                 DEAD_CONTEXT            the coroutine was dropped from memory
    │   ├── ExecutionStuck              EXECUTION_STUCK         a test waits for what can never happen
    │   └── InvalidDefinition           INVALID_DEFINITION
    ├── CallerError                 whoever called the API must act; each has an HTTP status
    │   ├── InvalidInput       400      Unauthenticated    401      WrongPrincipal  403
    │   ├── NotFound           404      Conflict           409      Gone            410
    │   ├── PayloadTooLarge    413      UnprocessableInput 422      QuotaExceeded   429
    │   └── Unavailable        503
    └── OperatorError               whoever runs the stack must act
        ├── ConfigurationError          CONFIGURATION_ERROR
        ├── LogCorrupted                LOG_CORRUPTED           a gap, a bad checksum, an unreadable commit
        ├── StoreUnavailable            STORE_UNAVAILABLE       throttled or failing; safe to repeat
        ├── HistoryRefused              HISTORY_REFUSED         an exported history cannot be read, or not be imported here
        └── CodecFailed                 CODEC_FAILED            a payload cannot be encoded or decoded: a wrong key

Nothing here signals suspension: a waiting workflow yields, it does not raise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flowstrand.jsonvalue import JsonObject, JsonValue


class FlowstrandError(Exception):
    """Base of every error here. `code` is stable: clients may branch on it."""

    code: str = "FLOWSTRAND_ERROR"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(
    cls: type[FlowstrandError], args: tuple[object, ...], attributes: dict[str, object]
) -> FlowstrandError:
    """Recreate a pickled error without calling its `__init__`, whose keywords pickle cannot know."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


# --- the author must act ------------------------------------------------------------------------


class AuthorError(FlowstrandError):
    """Raised in, or because of, workflow and task code."""

    code = "AUTHOR_ERROR"


class RemoteFailure(AuthorError):
    """Work that ran elsewhere failed. `error_type` and `stack` are those of the original exception."""

    def __init__(
        self, message: str, *, kind: str, error_type: str, stack: str | None = None, id: str = ""
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.error_type = error_type
        self.stack = stack
        self.id = id


class TaskFailed(RemoteFailure):
    """A task failed for good: no attempt is left, or the failure was not retryable."""

    code = "TASK_FAILED"


class TaskTimeout(TaskFailed):
    """A task was open at its deadline, or its last attempt took too long or was silent for too long.

    `error_type` says which: DeadlineExceeded, StartToCloseTimeout or HeartbeatTimeout.
    """

    code = "TASK_TIMEOUT"


class TaskCancelled(RemoteFailure):
    """A task was cancelled before it finished."""

    code = "TASK_CANCELLED"


class TimerCancelled(RemoteFailure):
    """A timer was cancelled before it fired."""

    code = "TIMER_CANCELLED"


class ChildWorkflowFailed(RemoteFailure):
    """A child workflow failed or was cancelled; `failure_type` says which."""

    code = "CHILD_WORKFLOW_FAILED"

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        error_type: str,
        failure_type: str = "FAILED",
        stack: str | None = None,
        id: str = "",
    ) -> None:
        super().__init__(message, kind=kind, error_type=error_type, stack=stack, id=id)
        self.failure_type = failure_type


class WorkflowFailed(RemoteFailure):
    """The execution whose result a client asked for failed or was cancelled."""

    code = "WORKFLOW_FAILED"


class WorkflowTimeout(WorkflowFailed):
    """The execution was still open when its timeout had passed."""

    code = "WORKFLOW_TIMEOUT"


class OperationFailed(RemoteFailure):
    """The function given to `ctx.run` raised; the failure is recorded and raised again on every replay.

    `is_retryable` is false where it raised a `NonRetryableError`.
    """

    code = "OPERATION_FAILED"

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        error_type: str,
        stack: str | None = None,
        id: str = "",
        is_retryable: bool = True,
    ) -> None:
        super().__init__(message, kind=kind, error_type=error_type, stack=stack, id=id)
        self.is_retryable = is_retryable


class PromiseRejected(RemoteFailure):
    """Somebody rejected a promise; `kind` is its name, `error_type` what they called the reason."""

    code = "PROMISE_REJECTED"


class TimedOut(AuthorError):
    """What was awaited did not come within the time that workflow code gave it."""

    code = "TIMED_OUT"


class PromiseTimeout(TimedOut):
    """Nobody settled a promise before its timeout."""

    code = "PROMISE_TIMEOUT"

    def __init__(self, message: str, *, id: str = "") -> None:
        super().__init__(message)
        self.id = id


class MapFailed(AuthorError):
    """More items of a `ctx.map` failed than it tolerates. `outcome`, a `MapOutcome`, holds what came of each item."""

    code = "MAP_FAILED"

    def __init__(self, message: str, *, outcome: Any) -> None:
        super().__init__(message)
        self.outcome = outcome


class WorkflowCancelled(AuthorError):
    """The execution was asked to end.

    In workflow code, raised once at the next wait that is not shielded: let it through, after cleaning up, to end the
    execution as CANCELLED. Elsewhere, the execution whose result was asked for ended so.
    """

    code = "WORKFLOW_CANCELLED"


class BranchCancelled(AuthorError):
    """Raised at the wait of a branch whose result is no longer wanted: its `ctx.map` is over."""

    code = "BRANCH_CANCELLED"


class DeterminismViolation(AuthorError):
    """The code asked for something else than its log records. The message holds a readable diff."""

    code = "DETERMINISM_VIOLATION"


class ForeignAwaitable(AuthorError):
    """Workflow code awaited something that no event can answer."""

    code = "FOREIGN_AWAITABLE"


class NotSerializable(AuthorError):
    """A value cannot be written to the log, or a recorded one does not fit the declared type.

    Attributes:
        path: a JSON pointer to the part of the value that is at fault, e.g. `/lines/0/price`; empty for all of it.
        python_type: the type of what is there; empty where nothing is known of it.
    """

    code = "NOT_SERIALIZABLE"

    def __init__(self, message: str, *, path: str = "", python_type: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.python_type = python_type


class TooManyOpenOperations(AuthorError):
    """An execution asked for more operations at once than one execution may have open."""

    code = "TOO_MANY_OPEN_OPERATIONS"


class NonRetryableError(AuthorError):
    """Raised by task code to fail at once, whatever attempts are left. Subclass it for failures of your own."""

    code = "NON_RETRYABLE"


class StreamLimitReached(NonRetryableError):
    """An attempt has streamed more than one may. Raised by what it emits next; whatever it does then, it has failed for good."""

    code = "STREAM_LIMIT_REACHED"


class DeadContext(AuthorError):
    """A context was used after its coroutine had been dropped from memory, or outside its workflow."""

    code = "DEAD_CONTEXT"


class ExecutionStuck(AuthorError):
    """In a test: nothing can happen any more, and what was waited for has not happened."""

    code = "EXECUTION_STUCK"


class InvalidDefinition(AuthorError):
    """A workflow or task is declared wrongly: a bad name, signature or option."""

    code = "INVALID_DEFINITION"


# --- the caller must act ------------------------------------------------------------------------


class CallerError(FlowstrandError):
    """An API request was refused, and changed nothing.

    Attributes:
        status: the HTTP status.
        details: one object per fault, e.g. `{"pointer": "/input/amount", "message": "…"}`.
        retry_after_s: seconds, sent as `Retry-After`, where repeating later can help.
        headers: what the answer's head tells besides, where a protocol has it there.
    """

    status: ClassVar[int] = 400
    code = "BAD_REQUEST"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Sequence[JsonObject] = (),
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.details = list(details)
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})

    def body(self) -> JsonObject:
        """The response body: `{"error", "code", "details"?}`."""
        body: JsonObject = {"error": self.message, "code": self.code}
        if self.details:
            details: list[JsonValue] = list(self.details)
            body["details"] = details
        return body


class InvalidInput(CallerError):
    status = 400
    code = "INVALID_INPUT"


class Unauthenticated(CallerError):
    status = 401
    code = "UNAUTHENTICATED"


class WrongPrincipal(CallerError):
    status = 403
    code = "WRONG_PRINCIPAL"


class NotFound(CallerError):
    """Unknown, or another org's: the two are not told apart."""

    status = 404
    code = "NOT_FOUND"


class Conflict(CallerError):
    status = 409
    code = "CONFLICT"


class Gone(CallerError):
    status = 410
    code = "GONE"


class PayloadTooLarge(CallerError):
    status = 413
    code = "PAYLOAD_TOO_LARGE"


class UnprocessableInput(CallerError):
    status = 422
    code = "UNPROCESSABLE_INPUT"


class QuotaExceeded(CallerError):
    status = 429
    code = "QUOTA_EXCEEDED"


class Unavailable(CallerError):
    status = 503
    code = "UNAVAILABLE"


# --- the operator must act ----------------------------------------------------------------------


class OperatorError(FlowstrandError):
    """Something about the deployment, not about one request or one workflow."""

    code = "OPERATOR_ERROR"


class ConfigurationError(OperatorError):
    code = "CONFIGURATION_ERROR"


class LogCorrupted(OperatorError):
    """A log that is not 1..n, or a commit that cannot be read. Never taken for an empty history."""

    code = "LOG_CORRUPTED"


class StoreUnavailable(OperatorError):
    """The store throttled or failed. What was asked for may or may not have happened; repeat it."""

    code = "STORE_UNAVAILABLE"


class HistoryRefused(OperatorError):
    """An export is damaged, or too new, or does not go with what is there already. Nothing of it was changed."""

    code = "HISTORY_REFUSED"


class CodecFailed(OperatorError):
    """A payload codec failed, or the one that a value was encoded with is not configured here.

    Attributes:
        codec: its name.
    """

    code = "CODEC_FAILED"

    def __init__(self, message: str, *, codec: str = "") -> None:
        super().__init__(message)
        self.codec = codec
