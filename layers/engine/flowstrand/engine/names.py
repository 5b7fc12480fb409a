"""What names may look like: of orgs, queues, workers and kinds.

`#` separates the parts of storage keys, so no name may hold it (law 10: a name must never reach into another org's
keys). A kind may also hold `/`, because no URL path holds a kind.
"""

from __future__ import annotations

import re

NAME_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$"
"""Orgs, queues and workers."""

KIND_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_./:-]{0,127}$"
"""Kinds of workflows and tasks."""

SCHEDULE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"
"""Schedules: part of the ids of the executions that they start."""

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,511}$"
"""Executions and their operations."""

LABEL_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
"""Signals, idempotency keys, and what else people write as they like, on one line: no control characters."""

_NAME = re.compile(NAME_PATTERN)
_KIND = re.compile(KIND_PATTERN)
_SCHEDULE = re.compile(SCHEDULE_PATTERN)
_LABEL = re.compile(LABEL_PATTERN)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ID = re.compile(ID_PATTERN)


def is_name(text: str) -> bool:
    """Whether `text` can name an org, a queue or a worker."""
    return _NAME.fullmatch(text) is not None


def is_kind(text: str) -> bool:
    """Whether `text` can name a kind of workflow or task."""
    return _KIND.fullmatch(text) is not None


def is_schedule_id(text: str) -> bool:
    """Whether `text` can name a schedule."""
    return _SCHEDULE.fullmatch(text) is not None


def is_label(text: str) -> bool:
    """Whether `text` can be a label: whole characters, none of them a control character."""
    return _LABEL.fullmatch(text) is not None and _SURROGATE.search(text) is None


def is_id(text: str) -> bool:
    """Whether `text` could be the id of an execution or of one of its operations."""
    return _ID.fullmatch(text) is not None
