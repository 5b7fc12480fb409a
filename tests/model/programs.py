"""Random programs as workflow code: the steps, interpreted on the driver with everything user code may do."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Collection, Coroutine
from typing import Any, assert_never

from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.program import PLAIN_WIRE, Program
from flowstrand.engine.replay.waits import all_of, any_of
from flowstrand.errors import AuthorError
from flowstrand.jsonvalue import JsonValue
from tests.model.steps import (
    SUCCESSORS,
    TASK_KINDS,
    Book,
    Branches,
    Cancel,
    Child,
    Choose,
    Continue,
    Do,
    Fail,
    Gather,
    Guard,
    Hear,
    Join,
    Later,
    Leave,
    Linger,
    Operation,
    Promise,
    Race,
    Select,
    Sleep,
    Step,
    Steps,
    Task,
    Work,
)

BIG = "x" * 300


class Broken(Exception):
    """What programs raise by themselves."""


def is_even(out: list[Any]) -> bool:
    """What `Choose` goes by."""
    return zlib.crc32(json.dumps(out).encode()) % 2 == 0


class StepsProgram:
    """One kind of workflow; returns all that its code saw, in order.

    `leaked` is called with what a handler caught that no event had delivered (law 6).
    """

    wire = PLAIN_WIRE

    def __init__(self, kind: str, steps: Steps, leaked: Callable[[BaseException], None]) -> None:
        self._kind = kind
        self._steps = steps
        self._leaked = leaked

    @property
    def kind(self) -> str:
        return self._kind

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        run = _Run(driver, self._leaked)
        run.successors = input if isinstance(input, int) else 0
        return run.all(self._steps)


class StepsPrograms:
    """`Programs` of a book."""

    def __init__(self, book: Book, leaked: Callable[[BaseException], None]) -> None:
        self._programs = {kind: StepsProgram(kind, steps, leaked) for kind, steps in book.programs.items()}

    def program(self, kind: str) -> Program | None:
        return self._programs.get(kind)

    def kinds(self) -> Collection[str]:
        return self._programs

    def task_kinds(self) -> Collection[str]:
        return TASK_KINDS


class _Run:
    """One branch: what came out of it, and the handles it keeps."""

    def __init__(self, driver: Driver, leaked: Callable[[BaseException], None]) -> None:
        self._driver = driver
        self._leaked = leaked
        self._out: list[Any] = []
        self._handles: list[Future] = []
        self.successors = 0

    async def all(self, steps: Steps) -> JsonValue:
        for step in steps:
            await self._step(step)
        return self._out

    async def _step(self, step: Step) -> None:  # noqa: C901 - one flat case a step
        match step:
            case Do(work=work):
                self._out.append(await self._start(work))
            case Later(work=work):
                self._handles.append(self._start(work))
            case Join():
                if self._handles:
                    self._out.append(await self._handles.pop(0))
            case Race():
                if self._handles:
                    winner = await any_of(self._handles[::-1])
                    self._handles.remove(winner)
                    self._out.append(await winner)
            case Cancel():
                self._cancel(self._handles[-1:])
            case Gather():
                await self._gather(step)
            case Select():
                await self._select(step)
            case Guard():
                await self._guard(step)
            case Choose(even=even, odd=odd):
                await self.all(even if is_even(self._out) else odd)
            case Branches():
                await self._branches(step)
            case Leave(kind=kind, policy=policy):
                driver = self._driver
                driver.start_child(kind, None, name=kind, queue=driver.queue, parent_close_policy=policy)
            case Hear():
                self._out.append(await self._driver.wait_for_signal("word"))
            case Continue():
                if self.successors < SUCCESSORS:
                    await all_of([self._driver.continue_as(self.successors + 1)])
            case Linger():
                await self._driver.wait_for_signal("never")
            case Fail():
                raise Broken("on purpose")
            case _:
                assert_never(step)

    def _start(self, work: Work) -> Future:
        driver = self._driver
        match work:
            case Task(kind=kind, retries=retries, delay_ms=delay_ms, terms=terms):
                retry = RetryPolicy(max_retries=retries, initial_ms=delay_ms, max_ms=2_000_000)
                value: JsonValue = BIG if kind == "big" else kind
                return driver.schedule_task(kind, value, queue=driver.queue, retry=retry, terms=terms)
            case Sleep(duration_ms=duration_ms):
                return driver.start_timer(driver.now_ms + duration_ms)
            case Child(kind=kind, timeout_ms=timeout_ms):
                return driver.start_child(kind, None, name=kind, queue=driver.queue, timeout_ms=timeout_ms)
            case Promise(key=key, timeout_ms=timeout_ms):
                return driver.create_promise("promise", key=key, timeout_at_ms=driver.now_ms + timeout_ms)
            case Operation(name=name, fails=fails):
                return driver.run(name, _failing if fails else lambda: f"{name} known")
            case _:
                assert_never(work)

    async def _gather(self, step: Gather) -> None:
        handles = [self._start(work) for work in step.works]
        await all_of(handles, settled=step.settled)
        self._note_all(handles, settled=step.settled)

    def _note_all(self, handles: list[Future], *, settled: bool) -> None:
        failed = sorted((h for h in handles if h.failure is not None), key=lambda handle: handle.order)
        if failed and not settled:
            assert failed[0].failure is not None
            raise failed[0].failure
        self._out.append([type(h.failure).__name__ if h.failure else h.value for h in handles])

    async def _select(self, step: Select) -> None:
        handles = [self._start(work) for work in step.works]
        winner = await any_of(handles)
        if step.cancels_losers:
            self._cancel([handle for handle in handles if handle is not winner])
        self._out.append([handles.index(winner), await winner])

    async def _guard(self, step: Guard) -> None:
        try:
            await self.all(step.body)
        except BaseException as caught:
            if not isinstance(caught, AuthorError | Broken) and not self._driver.is_dead:
                self._leaked(caught)
            self._out.append(f"caught {type(caught).__name__}")
            await self.all(step.handler)
        finally:
            await self.all(step.last)

    async def _branches(self, step: Branches) -> None:
        runs = [_Run(self._driver, self._leaked).all(steps) for steps in step.branches]
        handles = [self._driver.spawn(run, "branch") for run in runs]
        await all_of(handles, settled=step.settled)
        self._note_all(handles, settled=step.settled)

    def _cancel(self, handles: list[Future]) -> None:
        for handle in handles:
            if handle.id.rpartition(".")[2][:1] in {"t", "m"}:
                self._driver.cancel(handle)


def _failing() -> JsonValue:
    raise Broken("an operation that fails")
