"""`TaskContext`: what an attempt of a task knows and can do."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable


class TaskContext:
    """The first argument of every task. Safe to use from any thread.

    Attributes:
        task_execution_id: the same for every attempt of this task: a good idempotency key for what it calls.
        workflow_execution_id: the execution that asked for it.
        kind: the task's name.
        attempt: which attempt this is, from 1.
        max_attempts: how many there are at most.
        logger: tells which attempt is speaking.
    """

    def __init__(
        self,
        *,
        task_execution_id: str,
        workflow_execution_id: str,
        kind: str,
        attempt: int,
        max_attempts: int,
        heartbeat: Callable[[], Awaitable[bool]],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Made by whoever runs the attempt.

        Args:
            heartbeat: begins a heartbeat; its awaitable may be ignored.
            is_cancelled: whether the attempt is no longer wanted.
        """
        self.task_execution_id = task_execution_id
        self.workflow_execution_id = workflow_execution_id
        self.kind = kind
        self.attempt = attempt
        self.max_attempts = max_attempts
        self._heartbeat = heartbeat
        self._is_cancelled = is_cancelled
        self.logger = _AttemptLogger(
            logging.getLogger(f"flowstrand.task.{kind}"),
            {
                "task_execution_id": task_execution_id,
                "workflow_execution_id": workflow_execution_id,
                "attempt": attempt,
            },
        )

    @property
    def is_cancelled(self) -> bool:
        """Whether the result is no longer wanted: the task was cancelled, or the attempt was given to another worker.

        A long-running task looks at this from time to time and returns early.
        """
        return self._is_cancelled()

    def heartbeat(self) -> Awaitable[bool]:
        """Renew the lease now. Workers do so by themselves; a task needs this only to learn of its cancellation sooner.

        Returns:
            An awaitable that may be ignored; awaited, it returns `is_cancelled` when the heartbeat has been answered.
        """
        return self._heartbeat()


class _AttemptLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds the attempt's ids to every record."""
