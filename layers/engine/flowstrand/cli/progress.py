"""How far an execution or a standalone task has got, on one live line of a terminal."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from rich.spinner import Spinner
from rich.text import Text

from flowstrand.cli.cells import style
from flowstrand.cli.durations import clock

if TYPE_CHECKING:
    from flowstrand.client import Execution, HistoryEvent, TaskExecution

_SETTLED = frozenset({"TASK_COMPLETED", "TASK_CANCELLED"})


class Progress(ABC):
    """What is known, from a snapshot and the events since; rich draws it again and again."""

    def __init__(self, snapshot: Execution | TaskExecution, clock_s: Callable[[], float]) -> None:
        self._name = f"{snapshot.kind} {snapshot.id}"
        self._status = snapshot.status
        self._sequence = snapshot.current_sequence
        self._clock_s = clock_s
        self._begun_s = clock_s()
        self._spinner = Spinner("dots")

    @abstractmethod
    def see(self, event: HistoryEvent) -> None:
        """The next event."""
        self._sequence = event.sequence

    @abstractmethod
    def details(self) -> tuple[str, str]:
        """What to add to the status, and what else there is to say."""

    def text(self) -> Text:
        """`order 01J…  WAITING for TASK  event 12  2 open tasks  01:05`."""
        more, other = self.details()
        line = Text("  ", no_wrap=True, overflow="ellipsis")
        return line.join(
            [
                Text(self._name),
                Text(f"{self._status}{more}", style("status", self._status)),
                Text(f"event {self._sequence}"),
                Text(other),
                Text(clock(self._clock_s() - self._begun_s), "dim"),
            ]
        )

    def __rich__(self) -> Spinner:
        self._spinner.update(text=self.text())
        return self._spinner


class ExecutionProgress(Progress):
    """An execution, what it waits for, and its open tasks."""

    def __init__(
        self, snapshot: Execution, open_tasks: Iterable[str], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(snapshot, clock_s)
        self._for = ""
        self._open = set(open_tasks)

    def see(self, event: HistoryEvent) -> None:
        """See `Progress.see`."""
        super().see(event)
        match event.type:
            case "WORKFLOW_SUSPENDED":
                self._status, self._for = "WAITING", str(event.data.get("suspendType", ""))
            case "WORKFLOW_RESUMED":
                self._status, self._for = "RUNNING", ""
            case "CANCELLATION_REQUESTED":
                self._status, self._for = "CANCELLING", ""
            case "TASK_CREATED":
                self._open.add(str(event.data.get("taskExecutionId")))
            case type if type in _SETTLED or (type == "TASK_FAILED" and event.data.get("status") == "FAILED"):
                self._open.discard(str(event.data.get("taskExecutionId")))
            case _:
                pass

    def details(self) -> tuple[str, str]:
        """See `Progress.details`."""
        tasks = f"{len(self._open)} open {'task' if len(self._open) == 1 else 'tasks'}"
        return (f" for {self._for}" if self._for else ""), tasks


class TaskProgress(Progress):
    """A standalone task and its attempt."""

    def __init__(self, snapshot: TaskExecution, clock_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(snapshot, clock_s)
        self._attempt = snapshot.execution_count

    def see(self, event: HistoryEvent) -> None:
        """See `Progress.see`."""
        super().see(event)
        match event.type:
            case "TASK_STARTED":
                self._status, self._attempt = "RUNNING", self._attempt + 1
            case "TASK_FAILED":
                self._status = str(event.data.get("status", "PENDING"))
            case _:
                pass

    def details(self) -> tuple[str, str]:
        """See `Progress.details`."""
        return "", f"attempt {self._attempt}"
