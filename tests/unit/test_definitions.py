"""`@task`, `@workflow` and `RetryPolicy`: what may be declared, and what is refused when it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from flowstrand import (
    InvalidDefinition,
    NotSerializable,
    RetryPolicy,
    TaskContext,
    WorkflowContext,
    task,
    workflow,
)
from flowstrand.engine.events.vocabulary import RetryPolicy as EngineRetryPolicy
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.task import TaskDefinition
from tests.unit.fake_emitter import FakeEmitter

if TYPE_CHECKING:
    from flowstrand import TaskContext as OnlyForTypeCheckers


class Order(BaseModel):
    amount: int


class Receipt(BaseModel):
    paid: int


@task
async def pay(_ctx: TaskContext, order: Order) -> Receipt:
    return Receipt(paid=order.amount)


@task(name="pay-in-thread", retry=RetryPolicy(max_attempts=2), queue="slow")
def pay_in_thread(_ctx: TaskContext, order: Order) -> tuple[int, bool]:
    return order.amount, threading.current_thread() is threading.main_thread()


@task
async def no_input(ctx: TaskContext) -> int:
    return ctx.attempt


@task
async def with_default(_ctx: TaskContext, name: str = "world") -> str:
    return name


@task(name="class-task")
class PayClass:
    def __init__(self) -> None:
        self.runs = 0

    async def run(self, _ctx: TaskContext, order: Order) -> Receipt:
        self.runs += 1
        return Receipt(paid=order.amount * self.runs)


pay_class: Any = PayClass  # for type checkers it is still the class


@task
async def context_typed_for_checkers_only(_ctx: OnlyForTypeCheckers, order: Order) -> Receipt:
    return Receipt(paid=order.amount)


def execute(definition: TaskDefinition[Any, Any], input: JsonValue = None) -> JsonValue:
    async def no_heartbeat(_details: JsonValue) -> bool:
        return False

    ctx = TaskContext(
        task_execution_id="e.t1",
        workflow_execution_id="e",
        kind=definition.kind,
        attempt=2,
        max_attempts=4,
        heartbeat=no_heartbeat,
        is_cancelled=lambda: False,
        emit=FakeEmitter(),
    )
    return asyncio.run(definition.execute(ctx, input))


def test_a_task_is_named_by_its_function_or_by_its_author() -> None:
    assert pay.kind == "pay"
    assert pay_in_thread.kind == "pay-in-thread"
    assert pay_class.kind == "class-task"


def test_a_task_keeps_its_options_and_has_defaults() -> None:
    assert (pay_in_thread.queue, pay_in_thread.retry.max_attempts) == ("slow", 2)
    assert (pay.queue, pay.retry.max_attempts) == (None, 4)


def test_executing_a_task_decodes_its_input_and_encodes_its_output() -> None:
    assert execute(pay, {"amount": 5}) == {"paid": 5}
    assert execute(context_typed_for_checkers_only, {"amount": 5}) == {"paid": 5}


def test_a_task_that_is_not_async_runs_in_a_thread() -> None:
    assert execute(pay_in_thread, {"amount": 5}) == [5, False]


def test_a_class_is_made_anew_for_each_attempt() -> None:
    assert [execute(pay_class, {"amount": 5}) for _ in range(2)] == [{"paid": 5}, {"paid": 5}]


def test_a_task_without_input_sees_its_attempt() -> None:
    assert execute(no_input) == 2


def test_an_input_with_a_default_may_be_left_out() -> None:
    assert execute(with_default) == "world"
    assert execute(with_default, "moon") == "moon"
    assert with_default.signature.encode_input(None) == "world"


def test_an_input_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(NotSerializable, match="the input of task 'pay' is not Order: /amount"):
        execute(pay, {"sum": 5})
    with pytest.raises(NotSerializable, match="task 'no_input' takes no input"):
        no_input.signature.encode_input(1)


def _no_arguments() -> None: ...
def _three_arguments(_ctx: TaskContext, _a: int, _b: int) -> None: ...
def _keyword_only(_ctx: TaskContext, *, _a: int) -> None: ...
def _any_arguments(*_args: int) -> None: ...


@pytest.mark.parametrize("code", [_no_arguments, _three_arguments, _keyword_only, _any_arguments])
@pytest.mark.parametrize("decorate", [task, workflow])
def test_code_that_cannot_be_called_with_a_context_and_an_input_is_refused(
    decorate: Callable[..., Any], code: Callable[..., Any]
) -> None:
    with pytest.raises(InvalidDefinition, match=r"must take \(ctx\) or \(ctx, input\)"):
        decorate(code)


def test_a_class_without_run_or_with_a_demanding_constructor_is_refused() -> None:
    class Empty:
        pass

    class Demanding:
        def __init__(self, database: str) -> None:
            self.database = database

        async def run(self, _ctx: TaskContext) -> None: ...

    declare: Callable[..., Any] = task
    for code, reason in ((Empty, "method `run`"), (Demanding, "constructor")):
        with pytest.raises(InvalidDefinition, match=reason):
            declare(code)


def test_a_workflow_that_is_not_async_is_refused() -> None:
    def sync(_ctx: WorkflowContext) -> None: ...

    declare: Callable[..., Any] = workflow
    with pytest.raises(InvalidDefinition, match="must be `async def`"):
        declare(sync)


@pytest.mark.parametrize("name", ["", "a#b", "a b", "/a", "é", "a" * 129, "a\n", 7])
def test_a_bad_name_is_refused(name: Any) -> None:
    async def fine(_ctx: TaskContext) -> None: ...

    with pytest.raises(InvalidDefinition, match="cannot name"):
        task(name=name)(fine)


def test_a_kind_may_hold_a_slash_and_a_queue_may_not() -> None:
    async def fine(_ctx: TaskContext) -> None: ...

    assert task(name="parent/child")(fine).kind == "parent/child"
    with pytest.raises(InvalidDefinition, match="a queue"):
        task(queue="a/b")(fine)


def test_an_annotation_that_cannot_be_resolved_is_reported_when_checked() -> None:
    @task
    async def broken(_ctx: TaskContext, order: Missing) -> None:  # type: ignore[name-defined]  # noqa: F821 - on purpose
        del order

    with pytest.raises(InvalidDefinition, match=r"task 'broken': the annotation 'Missing'"):
        broken.check()


def test_attempts_become_retries_and_durations_milliseconds() -> None:
    policy = RetryPolicy(max_attempts=4, initial=0.25, maximum=timedelta(minutes=2), jitter=0)
    assert policy.engine() == EngineRetryPolicy(
        max_retries=3, initial_ms=250, multiplier=2.0, max_ms=120_000, jitter=0
    )
    assert RetryPolicy().engine() == EngineRetryPolicy()


@pytest.mark.parametrize(
    "options",
    [
        {"max_attempts": 0},
        {"max_attempts": True},
        {"max_attempts": 1.5},
        {"multiplier": 0.5},
        {"multiplier": float("inf")},
        {"jitter": -0.1},
        {"jitter": 2},
        {"initial": -1},
        {"initial": float("nan")},
        {"maximum": "soon"},
        {"maximum": timedelta.max},
    ],
    ids=str,
)
def test_a_retry_policy_out_of_range_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidDefinition):
        RetryPolicy(**options)
