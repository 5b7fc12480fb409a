"""Comparing recorded turns raises no false alarm: the code that wrote a log agrees with it, whatever happened meanwhile."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flowstrand.engine.events import WorkflowCompleted, WorkflowFailed, WorkflowSuspended
from flowstrand.testing.recorded import events_of
from flowstrand.testing.replay import compare_turns
from flowstrand.views.history_item import history_item
from tests.properties.test_replay import lived

seeds = st.integers(1_000_000, 2_000_000)


@given(seeds, st.data())
@settings(max_examples=40)
def test_the_code_that_wrote_a_log_agrees_with_every_turn_of_it(seed: int, data: st.DataObject) -> None:
    for log in lived(seed):
        recorded = events_of([history_item(event) for event in log.events])
        turns = [e for e in recorded if isinstance(e.data, WorkflowSuspended | WorkflowCompleted | WorkflowFailed)]
        assert compare_turns(recorded, log.program) == len(turns)
        length = data.draw(st.integers(1, len(recorded)))
        assert compare_turns(recorded[:length], log.program) <= len(turns)
