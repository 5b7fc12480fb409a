"""`WorkflowContext`: the first argument of every workflow, on one execution's driver."""

from __future__ import annotations

from flowstrand.sdk.combinators import Combinators
from flowstrand.sdk.determinism import Determinism
from flowstrand.sdk.operations import Operations
from flowstrand.sdk.scheduling import Scheduling


class WorkflowContext(Scheduling, Combinators, Operations, Determinism):
    """All that workflow code may wait for or ask of the world.

    Tasks, children and timers: `schedule`, `schedule_async`, `schedule_workflow`, `schedule_workflow_async`, `sleep`,
    `sleep_until`. Several at once: `gather`, `select`, `as_completed`. Side effects: `run`. What replays alike:
    `current_time`, `random`, `random_uuid`, `logger`.
    """
