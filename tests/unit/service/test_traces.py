"""A trace is carried from an execution's start through its tasks, children and successors, and is told from the log alone."""

from __future__ import annotations

from flowstrand.engine.events import ErrorInfo, RetryPolicy, WorkflowStarted
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.trace_context import TraceContext, attempt_span, operation_span
from flowstrand.jsonvalue import JsonValue
from flowstrand.operations.tracing import traces_of
from flowstrand.service import executions, tasks
from flowstrand.service.executions import StartRequest
from flowstrand.views.span import Span
from tests.unit.operations.exported import exported
from tests.unit.service.service_world import ORG, ServiceWorld, work

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = TraceContext(traceparent=f"00-{TRACE}-b7ad6b7169203331-01", tracestate="congo=t61rcWkgMzE")
TWICE = RetryPolicy(max_retries=1, initial_ms=1_000, jitter=0)


async def parent(driver: Driver, input: JsonValue) -> JsonValue:
    await driver.start_timer(driver.now_ms + 1_000)
    return await driver.start_child("child", input, name="the-child", queue="default")


async def child(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver, input, retry=TWICE)


def begun(trace: TraceContext | None) -> tuple[ServiceWorld, str]:
    """A parent whose child waits for its task."""
    world = ServiceWorld()
    world.code.deployed |= {"parent": parent, "child": child}
    snapshot = executions.start(world.services, ORG, StartRequest(kind="parent", input=1, trace=trace))
    world.settle()
    world.jump(1_000)
    return world, snapshot.workflow_execution_id


def test_it_is_in_the_first_event_and_in_those_of_children() -> None:
    world, id = begun(CALLER)

    [first, below] = [world.events(execution)[0].data for execution in (id, f"{id}.c2")]
    assert isinstance(first, WorkflowStarted)
    assert isinstance(below, WorkflowStarted)
    assert first.trace == CALLER
    assert below.trace == CALLER.below(operation_span(id, "c", 2))


def test_a_claimed_task_has_its_attempts_span_for_parent() -> None:
    world, id = begun(CALLER)

    [task] = world.claim()

    assert task.traceparent == f"00-{TRACE}-{attempt_span(f'{id}.c2.t1', 1)}-01"
    assert task.tracestate == CALLER.tracestate


def test_without_a_caller_s_there_is_none() -> None:
    world, id = begun(None)

    [task] = world.claim()

    assert (task.traceparent, task.tracestate) == (None, None)
    assert [world.events(execution)[0].data.trace for execution in (id, f"{id}.c2")] == [None, None]  # type: ignore[union-attr]


def finished(trace: TraceContext | None) -> tuple[dict[str, Span], str]:
    """Every span of a parent whose child's task failed once, by name."""
    world, id = begun(trace)
    [task] = world.claim()
    error = ErrorInfo(type="ValueError", message="a secret")
    tasks.fail(world.services, ORG, task.task_execution_id, lease_token=task.lease_token, error=error)
    world.settle()
    world.jump(1_000)
    [again] = world.claim()
    world.complete(again, "done")
    world.settle()
    told = [span for spans in traces_of(exported(world, id)) for span in spans]
    by_name = {span.name: span for span in told}
    assert len(by_name) == len(told)
    return by_name, id


def test_one_execution_is_one_trace() -> None:
    spans, id = finished(CALLER)

    assert {span.trace_id for span in spans.values()} == {TRACE}
    assert spans["workflow parent"].parent_span_id == CALLER.span_id
    above = {
        name: next((other.name for other in spans.values() if other.span_id == span.parent_span_id), None)
        for name, span in spans.items()
    }
    assert above == {
        "workflow parent": None,
        "timer": "workflow parent",
        "child child": "workflow parent",
        "workflow child": "child child",
        "task work": "workflow child",
        "attempt 1 of work": "task work",
        "attempt 2 of work": "task work",
    }
    assert spans["timer"].end_ms - spans["timer"].start_ms == 1_000
    assert spans["attempt 1 of work"].failure == "ValueError"
    assert "a secret" not in str(spans)
    assert [span.name for span in spans.values() if span.failure] == ["attempt 1 of work"]
    assert spans["attempt 2 of work"].span_id == attempt_span(f"{id}.c2.t1", 2)


def test_so_is_one_that_nobodys_trace_led_to() -> None:
    spans, _ = finished(None)

    assert len({span.trace_id for span in spans.values()}) == 1
    assert [span.name for span in spans.values() if not span.parent_span_id] == ["workflow parent"]


def test_telling_it_twice_tells_the_same() -> None:
    world, id = begun(CALLER)

    first, second = ([*traces_of(exported(world, id))] for _ in range(2))

    assert first == second
