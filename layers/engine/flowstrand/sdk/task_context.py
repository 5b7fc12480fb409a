"""`TaskContext`: what an attempt of a task knows and can do."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Generator
from typing import Any

from flowstrand.engine.chunk import MAX_CHUNK_BYTES, Chunk, ChunkType
from flowstrand.engine.task_log import LogRecord
from flowstrand.errors import NotSerializable
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.attempt_logger import AttemptLogger
from flowstrand.sdk.serde import Serde

_DETAILS_BYTES = 8_000
_TOKEN_CHARACTERS = 16_384
"""Longer texts are streamed as several tokens, whose concatenation they are."""


class TaskContext:
    """The first argument of every task. Safe to use from any thread.

    Attributes:
        task_execution_id: the same for every attempt of this task: a good idempotency key for what it calls.
        workflow_execution_id: the execution that asked for it; None for a standalone task.
        kind: the task's name.
        attempt: which attempt this is, from 1.
        max_attempts: how many there are at most.
        traceparent, tracestate: the trace that the attempt belongs to, as headers for whatever it calls (W3C Trace Context);
            None where whoever started the execution had none. With OpenTelemetry there is no need to look at them.
        heartbeat_details: what an earlier attempt has said with `heartbeat`, so that this one can go on from there; or None.
        logger: tells which attempt is speaking. What it says, from INFO on, is also kept with the task, to be asked for.
    """

    def __init__(
        self,
        *,
        task_execution_id: str,
        workflow_execution_id: str | None,
        kind: str,
        attempt: int,
        max_attempts: int,
        heartbeat: Callable[[JsonValue], Awaitable[bool]],
        is_cancelled: Callable[[], bool],
        emit: Callable[[Chunk], Awaitable[None]],
        note_progress: Callable[[float], None] = lambda _: None,
        heartbeat_details: JsonValue = None,
        keep_log: Callable[[LogRecord], None] | None = None,
        log_level: int = logging.INFO,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> None:
        """Made by whoever runs the attempt.

        Args:
            heartbeat: begins a heartbeat with these details, if they are not None; its awaitable may be ignored.
            is_cancelled: whether the attempt is no longer wanted.
            note_progress: keeps it for the heartbeats that follow.
            emit: takes a chunk at once, from any thread; what it returns may be ignored, and awaited waits for room.
            keep_log: takes what `logger` says from `log_level` on, at once and from any thread; None where nothing is kept.
        """
        self.task_execution_id = task_execution_id
        self.workflow_execution_id = workflow_execution_id
        self.kind = kind
        self.attempt = attempt
        self.max_attempts = max_attempts
        self.traceparent = traceparent
        self.tracestate = tracestate
        self._heartbeat = heartbeat
        self._is_cancelled = is_cancelled
        self._emit = emit
        self._note_progress = note_progress
        self.heartbeat_details = heartbeat_details
        self.logger = AttemptLogger(
            f"flowstrand.task.{kind}",
            {
                "task_execution_id": task_execution_id,
                "workflow_execution_id": workflow_execution_id,
                "attempt": attempt,
            },
            keep=keep_log,
            level=log_level,
        )

    @property
    def is_cancelled(self) -> bool:
        """Whether the result is no longer wanted: the task was cancelled, or the attempt was given to another worker.

        A long-running task looks at this from time to time and returns early.
        """
        return self._is_cancelled()

    def heartbeat(self, details: object = None, *, progress: float | None = None) -> Awaitable[bool]:
        """Renew the lease now, and leave `details` for the next attempt.

        Workers renew by themselves; without details, a task needs this only to learn of its cancellation sooner.

        Args:
            details: how far the work has got; the next attempt, if there is one, has it as `heartbeat_details`. At most
                8 KB of JSON.
            progress: from 0 to 1, for whoever looks at the task; unlike `report_progress`, it is not streamed.

        Returns:
            An awaitable that may be ignored; awaited, it returns `is_cancelled` when the heartbeat has been answered.

        Raises:
            ValueError: the progress is out of range.
            NotSerializable: `details` have no JSON form, or are too large.
        """
        if progress is not None:
            self._note_progress(_fraction(progress))
        return self._heartbeat(_encoded(details, "the details of a heartbeat", most=_DETAILS_BYTES))

    # --- streaming ----------------------------------------------------------------------------
    #
    # Each call is an event in the execution's log, seen at once by whoever follows it and never by workflow code. What was
    # emitted before the task ends is in the log before its end. Calls take their value at once: awaiting them is optional,
    # and waits while too much is queued. In tasks that are not `async`, the call itself waits.

    def stream_token(self, text: str) -> Awaitable[None]:
        """Emit a piece of text, as of a model's answer. Watchers concatenate the pieces; an empty one is none.

        Raises:
            NotSerializable: it is not text that JSON can hold.
            TaskCancelled: the attempt is no longer this worker's (of this and the methods below).
            StreamLimitReached: the attempt has streamed as much as one may (likewise).
        """
        if not isinstance(text, str):
            raise NotSerializable(f"a token is text, not {type(text).__name__}")
        Serde().encode(text, "a token")
        emitted: Awaitable[None] = _Nothing()
        for start in range(0, len(text), _TOKEN_CHARACTERS):
            emitted = self._emit(Chunk(type=ChunkType.TOKEN, payload=text[start : start + _TOKEN_CHARACTERS]))
        return emitted

    def stream_progress(self, fraction: float, details: object = None) -> Awaitable[None]:
        """Say how much of the work is done, from 0 to 1, with whatever else watchers are to know.

        Raises:
            ValueError: `fraction` is out of range.
            NotSerializable: `details` have no JSON form, or are too large.
        """
        _fraction(fraction)
        encoded = _encoded(details, "the details of a progress")
        return self._emit(Chunk(type=ChunkType.PROGRESS, payload=float(fraction), details=encoded))

    def report_progress(self, fraction: float, details: object = None) -> Awaitable[None]:
        """`stream_progress`; and the task is shown with this progress from the next heartbeat on, until its attempt ends."""
        emitted = self.stream_progress(fraction, details)
        self._note_progress(float(fraction))
        return emitted

    def stream_data(self, value: object) -> Awaitable[None]:
        """Emit a value: plain JSON, a pydantic model or a dataclass.

        Raises:
            NotSerializable: it has no JSON form, or is too large.
        """
        return self._emit(Chunk(type=ChunkType.DATA, payload=_encoded(value, "streamed data")))

    def stream_error(self, message: str) -> Awaitable[None]:
        """Tell watchers that something went wrong. The task goes on; to fail it, raise.

        Raises:
            NotSerializable: it is not text that JSON can hold, or is too large.
        """
        return self._emit(Chunk(type=ChunkType.ERROR, payload=_encoded({"message": str(message)}, "an error")))


class _Nothing(Awaitable[None]):
    """Done already."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from ()


def _fraction(progress: float) -> float:
    if not 0 <= progress <= 1:
        raise ValueError(f"a progress is a number from 0 to 1, not {progress!r}")
    return float(progress)


def _encoded(value: object, what: str, *, most: int = MAX_CHUNK_BYTES) -> JsonValue:
    encoded = Serde().encode(value, what)
    size = len(json.dumps(encoded, ensure_ascii=False).encode())
    if size > most:
        raise NotSerializable(f"{what} has {size} bytes, and may have {most}")
    return encoded
