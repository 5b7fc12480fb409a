"""What this process is busy with: the ids that every log line of a request or message carries.

    with about(function="resumer", lambdaRequestId="…"):
        with about(org="acme", executionId="01JD…7Q", wakeSequence=4):
            logger.warning("…")          # carries all of them

They hang on the context, not on the process: threads and asyncio tasks that are busy with something else see nothing of them, and
nothing is left of them when the block ends. Only names and numbers belong here: whatever a caller or an author has
written freely (inputs, metadata, keys, tokens) does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TypeAlias

Ids: TypeAlias = Mapping[str, str | int]

FIELDS = (
    "function",
    "org",
    "executionId",
    "taskId",
    "attempt",
    "sequence",
    "wakeSequence",
    "scheduleId",
    "requestId",
    "lambdaRequestId",
    "messageId",
    "traceId",
)
"""Every name there is, in the order in which people read them."""

_NOTHING: Ids = MappingProxyType({})
_current: ContextVar[Ids] = ContextVar("flowstrand_about", default=_NOTHING)


def current() -> Ids:
    """What the code that asks is busy with."""
    return _current.get()


@contextmanager
def about(*, afresh: bool = False, **ids: str | int | None) -> Iterator[None]:
    """Within the block, it is about these as well; those that are None are left out. `note` ends with the block, too.

    Args:
        afresh: about these alone, whatever surrounds the block.
    """
    token = _current.set(_joined({} if afresh else _current.get(), ids))
    try:
        yield
    finally:
        _current.reset(token)


def note(**ids: str | int | None) -> None:
    """From here to the end of the enclosing block, it is about these as well: what was not known as it began. Outside of any, nothing."""
    if _current.get() is not _NOTHING:
        _current.set(_joined(_current.get(), ids))


def become(ids: Ids) -> None:
    """From here on, it is about these and nothing else, in a context that nobody else uses."""
    _current.set(ids)


def _joined(before: Ids, ids: Mapping[str, str | int | None]) -> Ids:
    return MappingProxyType({**before, **{name: id for name, id in ids.items() if id is not None}})
