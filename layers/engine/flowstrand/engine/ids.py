"""Ids: one is made per execution, and every other is derived from it.

The execution's comes from time and randomness given by the caller; those inside it add a letter for the family and a
position, so that replay can never make another.

    01JD…7Q          an execution (ULID: sortable by creation, 26 characters of Crockford base 32)
    01JD…7Q.t3       the task scheduled by its third command
    01JD…7Q.c4       its child workflow, itself an execution
    01JD…7Q.c4.m1    a timer of that child
    01JD…7Q.n1       the execution that continues the first, and 01JD…7Q.n2 the one after that
    01JD…7Q.r5c1e…   one that begins from the history of the first, or of another retry of it
    01JD…8M.t0       a standalone task: nobody's operation, the root of a log that has its own id
    @01JD…9P         the log of a channel, which is no execution's: no path can name it, for no id begins so
"""

from __future__ import annotations

import hashlib
import re
from typing import NewType

ExecutionId = NewType("ExecutionId", str)
OrgId = NewType("OrgId", str)

TASK, TIMER, CHILD, OPERATION, PROMISE = "t", "m", "c", "o", "p"

ROOT = 0
"""The position of a standalone task in its own log. What workflow code asks for counts from 1."""

_FAMILIES = frozenset({TASK, TIMER, CHILD, OPERATION, PROMISE})
_STANDALONE = f".{TASK}{ROOT}"
_CHANNEL = "@"
_CONTINUED = re.compile(r"(.+)\.n([1-9][0-9]*)")

_RETRIED = re.compile(r"(.+)\.r[0-9a-f]{16}")

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RANDOM_BYTES = 10


def execution_id(now_ms: int, random: bytes) -> ExecutionId:
    """A ULID (github.com/ulid/spec) from `now_ms` and ten random bytes."""
    if len(random) != _RANDOM_BYTES:
        raise ValueError(f"an execution id takes {_RANDOM_BYTES} random bytes, not {len(random)}")
    number = (now_ms << 80) | int.from_bytes(random, "big")
    return ExecutionId("".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5)))


def standalone_task_id(now_ms: int, random: bytes) -> ExecutionId:
    """The id of a task that no execution asks for, and of its log; takes what `execution_id` takes."""
    return ExecutionId(operation_id(execution_id(now_ms, random), TASK, ROOT))


def is_standalone_task(id: str) -> bool:
    """Whether `id` is a standalone task's, rather than an execution's or an operation's of one."""
    return id.endswith(_STANDALONE)


def channel_log_id(now_ms: int, random: bytes) -> ExecutionId:
    """The id of a channel's log; takes what `execution_id` takes."""
    return ExecutionId(_CHANNEL + execution_id(now_ms, random))


def is_channel_log(id: str) -> bool:
    """Whether `id` is that of a channel's log, which holds no events."""
    return id.startswith(_CHANNEL)


def operation_id(execution: str, family: str, position: int) -> str:
    """The id of the operation at `position`: `{execution}.{family}{position}`."""
    return f"{execution}.{family}{position}"


def owner_of(operation: str) -> tuple[ExecutionId, str, int]:
    """Split an operation's id into its log, family letter and position. A standalone task's log has the task's own id.

    Raises:
        ValueError: `operation` is not an operation's id.
    """
    if is_standalone_task(operation):
        return ExecutionId(operation), TASK, ROOT
    execution, _, tail = operation.rpartition(".")
    if not execution or tail[:1] not in _FAMILIES or not tail[1:].isdecimal():
        raise ValueError(f"not an operation id: {operation!r}")
    return ExecutionId(execution), tail[0], int(tail[1:])


def successor_id(execution: str, hops: int = 1) -> ExecutionId:
    """The id of the execution that `execution` continues as, or of the one that so many continuations lead to."""
    if hops == 0:
        return ExecutionId(execution)
    continued = _CONTINUED.fullmatch(execution)
    first, number = (continued[1], int(continued[2])) if continued else (execution, 0)
    return ExecutionId(f"{first}.n{number + hops}")


def retry_id(execution: str, request: str) -> ExecutionId:
    """The id of the execution that `request` has begin from the history of `execution`: always the same one.

    A retry of a retry is named like a sibling, so that ids do not grow.
    """
    retried = _RETRIED.fullmatch(execution)
    digest = hashlib.sha256(f"{execution}/{request}".encode()).hexdigest()[:16]
    return ExecutionId(f"{retried[1] if retried else execution}.r{digest}")
