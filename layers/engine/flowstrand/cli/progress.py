"""`Progress`: how far an execution has got, on one live line of a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from rich.spinner import Spinner
from rich.text import Text

from flowstrand.cli.cells import style
from flowstrand.cli.durations import clock
from flowstrand.client import Execution, HistoryEvent

_SETTLED = frozenset({"TASK_COMPLETED", "TASK_CANCELLED"})


class Progress:
    """What is known of an execution, from a snapshot and the events since; rich draws it again and again."""

    def __init__(
        self, snapshot: Execution, open_tasks: Iterable[str], clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._id = snapshot.id
        self._kind = snapshot.kind
        self._status = snapshot.status
        self._for = ""
        self._sequence = snapshot.current_sequence
        self._open = set(open_tasks)
        self._clock_s = clock_s
        self._begun_s = clock_s()
        self._spinner = Spinner("dots")

    def see(self, event: HistoryEvent) -> None:
        """The next event."""
        self._sequence = event.sequence
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

    def text(self) -> Text:
        """`order 01J…  WAITING for TASK  event 12  2 open tasks  01:05`."""
        status = f"{self._status} for {self._for}" if self._for else self._status
        tasks = f"{len(self._open)} open {'task' if len(self._open) == 1 else 'tasks'}"
        return Text("  ").join(
            [
                Text(f"{self._kind} {self._id}"),
                Text(status, style("status", self._status)),
                Text(f"event {self._sequence}"),
                Text(tasks),
                Text(clock(self._clock_s() - self._begun_s), "dim"),
            ]
        )

    def __rich__(self) -> Spinner:
        self._spinner.update(text=self.text())
        return self._spinner
