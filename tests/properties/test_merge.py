"""The causal merge: whatever tree of logs, read whenever and cut anywhere, comes out once, in order and by cause."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import Event, WorkflowStarted
from flowstrand.engine.ids import ExecutionId
from flowstrand.streams.consolidated.line import Line
from flowstrand.streams.consolidated.merge import Merge, Next, Reading, TooManyOpen, Wanted
from flowstrand.streams.consolidated.restoring import lines_of
from flowstrand.streams.consolidated.vector import Place, pack, unpack
from tests.properties.forest import ROOT, STRANGER, At, Forest

Logs = Mapping[ExecutionId, Sequence[Event]]


def read(line: Line, logs: Logs, page: int) -> Reading:
    """A page of a line's log, unless that is somebody else's."""
    log = logs.get(line.log, ())
    if line.origin is not None and log:
        first = log[0].data
        assert isinstance(first, WorkflowStarted)
        parent = first.parent
        if parent is None or (parent.workflow_execution_id, parent.position) != (
            line.origin.log,
            line.origin.position,
        ):
            return Reading(line, is_void=True)
    events = log[line.position : line.position + page]
    return Reading(line, events, line.position + len(events) == len(log))


def go_on(merge: Merge, logs: Logs, page: int = 2, most: int = 1_000_000) -> list[At]:
    """What comes next, until nothing follows for now or there are `most` of it."""
    told: list[At] = []
    while len(told) < most:
        match merge.step():
            case None:
                break
            case Next(line, event):
                told.append((line.log, event.sequence))
                merge.tell()
            case Wanted(lines):
                merge.feed(read(line, logs, page) for line in lines)
    return told


def stations(merge: Merge, logs: Logs, page: int) -> list[tuple[At, tuple[Place, ...]]]:
    """What comes next, and where whoever is told it stands then."""
    told: list[tuple[At, tuple[Place, ...]]] = []
    while one := go_on(merge, logs, page, most=1):
        told.append((one[0], merge.places))
    return told


def restored(places: tuple[Place, ...], logs: Logs, max_open: int = 100) -> Merge:
    """The merge of whoever comes with these places."""
    assert unpack(pack(places)) == places

    def look(log: ExecutionId, sequence: int) -> Event | None:
        return logs[log][sequence - 1]

    return Merge([line for line, is_open in lines_of(places, ROOT, look) if is_open], max_open=max_open)


def until(forest: Forest, count: int) -> dict[ExecutionId, list[Event]]:
    """The logs as they were when the first `count` events of the tree had happened."""
    ends = dict(forest.order[:count])
    return {log: events if log == STRANGER else events[: ends.get(log, 0)] for log, events in forest.logs.items()}


def assert_merged(told: list[At], forest: Forest, *, of: Logs | None = None) -> None:
    """Everything of the tree, each log in its order, no consequence before its cause."""
    logs = of or forest.logs
    happened = {at for at in forest.order if at[1] <= len(logs[at[0]])}
    assert sorted(told) == sorted(happened)
    places = {at: place for place, at in enumerate(told)}
    for log, sequence in told:
        assert sequence == 1 or places[log, sequence - 1] < places[log, sequence]
    for cause, consequence in forest.causes:
        if consequence in places:
            assert places[cause] < places[consequence], (cause, consequence)


forests = st.builds(
    lambda seed, steps, ends, skewed: _grown(seed, steps, ends=ends, is_skewed=skewed),
    st.integers(0, 2**32),
    st.integers(0, 70),
    st.booleans(),
    st.booleans(),
)


def _grown(seed: int, steps: int, *, ends: bool, is_skewed: bool) -> Forest:
    forest = Forest(random.Random(seed), is_skewed=is_skewed)
    forest.grow(steps)
    if ends:
        forest.finish()
    return forest


@given(forests, st.integers(1, 4))
def test_a_tree_comes_out_once_in_order_and_by_cause(forest: Forest, page: int) -> None:
    merge = Merge.of_root(ROOT)
    assert_merged(go_on(merge, forest.logs, page), forest)
    assert merge.is_over == forest.is_over


@given(forests, st.integers(1, 4), st.integers(1, 4))
def test_whoever_is_cut_off_anywhere_is_told_exactly_the_rest(forest: Forest, page: int, other: int) -> None:
    whole = stations(Merge.of_root(ROOT), forest.logs, page)
    for cut, (_, places) in enumerate(whole, 1):
        assert stations(restored(places, forest.logs), forest.logs, other) == whole[cut:]


@given(forests, st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.integers(0, 9)), max_size=12))
def test_a_tree_that_grows_meanwhile_comes_out_once_in_order_and_by_cause(
    forest: Forest, looks: list[tuple[float, bool, int]]
) -> None:
    merge = Merge.of_root(ROOT)
    told: list[At] = []
    for share, is_cut, most in sorted(looks, key=lambda look: look[0]):
        logs = until(forest, round(share * len(forest.order)))
        if is_cut:
            merge = restored(merge.places, logs)
        told += go_on(merge, logs, 3, most)
        merge.look_again(merge.lines.values())
    told += go_on(merge, forest.logs, 3)
    assert_merged(told, forest)


@given(forests, st.randoms(use_true_random=False))
def test_lines_may_be_looked_at_again_one_by_one(forest: Forest, dice: random.Random) -> None:
    merge, told, shown = Merge.of_root(ROOT), list[At](), 0
    while shown < len(forest.order):
        shown += dice.randint(1, 3)
        told += go_on(merge, until(forest, shown), 2)
        lines = list(merge.lines.values())
        merge.look_again(dice.sample(lines, min(len(lines), 1)))
    merge.look_again(merge.lines.values())
    assert_merged(told + go_on(merge, forest.logs), forest)


@given(st.integers(0, 2**32), st.integers(0, 70), st.integers(1, 4))
def test_as_many_as_were_ever_open_at_a_time_are_never_too_many(seed: int, steps: int, page: int) -> None:
    forest = _grown(seed, steps, ends=False, is_skewed=False)
    merge = Merge.of_root(ROOT, max_open=max(1, forest.most_open))
    assert_merged(go_on(merge, forest.logs, page), forest)


@given(forests, st.integers(1, 3))
def test_too_many_stop_a_merge_where_it_can_go_on_once_they_are_fewer(forest: Forest, max_open: int) -> None:
    merge, told = Merge.of_root(ROOT, max_open=max_open), list[At]()
    try:
        while more := go_on(merge, forest.logs, 3, most=1):
            told += more
    except TooManyOpen:
        assert sum(line.origin is not None for line in merge.lines.values()) == max_open
        with pytest.raises(TooManyOpen):
            go_on(restored(merge.places, forest.logs, max_open), forest.logs, 3, most=1)
    assert_merged(told + go_on(restored(merge.places, forest.logs), forest.logs), forest)


@given(st.integers(0, 2**32), st.integers(0, 400))
def test_a_vector_has_no_more_places_than_open_logs_and_their_parents(seed: int, steps: int) -> None:
    forest = _grown(seed, steps, ends=False, is_skewed=True)
    merge = Merge.of_root(ROOT)
    while go_on(merge, forest.logs, 5, most=1):
        places = merge.places
        leading = {place.parent for place in places}
        assert all(place.position is not None or number in leading for number, place in enumerate(places))
        assert sum(place.position is not None for place in places) == len(merge.lines)
