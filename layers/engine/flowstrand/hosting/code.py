"""`TaskCode`: the tasks that a process can run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from flowstrand.sdk.app import Task
from flowstrand.sdk.payload_codecs import PayloadCodecs


@runtime_checkable
class TaskCode(Protocol):
    """What an app is to whoever runs its tasks."""

    @property
    def payloads(self) -> PayloadCodecs:
        """How its values are encoded."""
        ...

    def task(self, kind: str) -> Task | None:
        """The task of this kind, or None."""
        ...

    def task_kinds(self) -> Collection[str]:
        """Every kind it can run."""
        ...
