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

_NAME = re.compile(NAME_PATTERN)
_KIND = re.compile(KIND_PATTERN)
_SCHEDULE = re.compile(SCHEDULE_PATTERN)
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


def is_id(text: str) -> bool:
    """Whether `text` could be the id of an execution or of one of its operations."""
    return _ID.fullmatch(text) is not None
