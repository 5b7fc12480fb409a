"""`TaskOptions`: on which terms a task is done, as `@task` declares them and as a call may change them."""

from __future__ import annotations

from dataclasses import fields
from typing import TypedDict

from flowstrand.dataclass import dataclass
from flowstrand.engine.replay.commands import TaskTerms
from flowstrand.errors import InvalidDefinition
from flowstrand.sdk import names
from flowstrand.sdk.duration import Duration, to_positive_ms
from flowstrand.sdk.retry import RetryPolicy

MIN_HEARTBEAT_TIMEOUT_MS = 1_000
"""Workers heartbeat three times within it; a shorter one would mostly measure the network."""


class TaskKeywords(TypedDict, total=False):
    """The keywords of `@task(...)` and of `ctx.schedule(...)`; see `TaskOptions`."""

    retry: RetryPolicy | None
    timeout: Duration | None
    start_to_close: Duration | None
    heartbeat_timeout: Duration | None
    queue: str | None
    priority: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Each is None where it is not said.

    Attributes:
        retry: how often the task is tried; 4 attempts by default.
        timeout: seconds or a timedelta from its being asked for to its end, all attempts and the time in queues included.
            A task that is open by then has failed for good.
        start_to_close: how long one attempt may take; one that takes longer has failed, and may be retried.
        heartbeat_timeout: how long one attempt may be silent, at least a second, where that is to be less than a lease
            lasts anyway. Workers heartbeat by themselves.
        queue: where it waits for a worker; the execution's queue by default.
        priority: among tasks that wait in the queue, higher ones are claimed first; 0 by default. Queues on AWS (SQS) know
            no priorities: there it is only recorded.

    Raises:
        InvalidDefinition: a value is out of range.
    """

    retry: RetryPolicy | None = None
    timeout: Duration | None = None
    start_to_close: Duration | None = None
    heartbeat_timeout: Duration | None = None
    queue: str | None = None
    priority: int | None = None

    def __post_init__(self) -> None:
        if self.queue is not None:
            names.queue(self.queue)
        if self.priority is not None and type(self.priority) is not int:
            raise InvalidDefinition(f"priority must be a whole number, not {self.priority!r}")
        heartbeat_timeout_ms = self.terms().heartbeat_timeout_ms
        if heartbeat_timeout_ms is not None and heartbeat_timeout_ms < MIN_HEARTBEAT_TIMEOUT_MS:
            raise InvalidDefinition(f"heartbeat_timeout must be at least 1 second, not {self.heartbeat_timeout!r}")

    def over(self, defaults: TaskOptions) -> TaskOptions:
        """These, and what they do not say as `defaults` has it."""
        ours = {field.name: getattr(self, field.name) for field in fields(self)}
        return TaskOptions(
            **{name: getattr(defaults, name) if value is None else value for name, value in ours.items()}
        )

    def terms(self) -> TaskTerms:
        """What the engine records of them, beside the retry policy and the queue."""
        return TaskTerms(
            timeout_ms=_ms(self.timeout, "timeout"),
            start_to_close_ms=_ms(self.start_to_close, "start_to_close"),
            heartbeat_timeout_ms=_ms(self.heartbeat_timeout, "heartbeat_timeout"),
            priority=self.priority or None,
        )


def _ms(duration: Duration | None, what: str) -> int | None:
    return None if duration is None else to_positive_ms(duration, what)
