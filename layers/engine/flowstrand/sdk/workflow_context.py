"""`WorkflowContext`: the first argument of every workflow, on one execution's driver."""

from __future__ import annotations

from flowstrand.sdk.cancellation import Cancellation
from flowstrand.sdk.determinism import Determinism
from flowstrand.sdk.endings import Endings
from flowstrand.sdk.mapping import Mapping
from flowstrand.sdk.operations import Operations
from flowstrand.sdk.promises import Promises
from flowstrand.sdk.signals import Signals
from flowstrand.sdk.versions import Versions
from flowstrand.sdk.workflow_state import WorkflowState


class WorkflowContext(
    Mapping, Operations, Signals, Promises, WorkflowState, Cancellation, Endings, Versions, Determinism
):
    """All that workflow code may wait for or ask of the world.

    Tasks, children and timers: `schedule`, `schedule_async`, `schedule_workflow`, `schedule_workflow_async`, `sleep`,
    `sleep_until`. From outside: `promise`, `wait_for_signal`, `has_signal`, `pending_signal_count`, `drain_signals`. Several
    at once: `gather`, `select`, `as_completed`, `with_timeout`, `map`. Side effects: `run`. What clients see: `get`, `set`,
    `clear`, `clear_all`, `state_keys`. Ending: `is_cancellation_requested`, `check_cancellation`, `shield`, `compensate`,
    `on_close`, `continue_as_new`. Changing code: `patched`, `deprecate_patch`. What replays alike: `current_time`, `random`,
    `random_uuid`, `logger`.
    """
