"""Random steps as workflow code on the real `WorkflowContext`, which notes all that it observes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any, assert_never, cast

from flowstrand import RetryPolicy, WorkflowContext
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.program import PLAIN_WIRE
from flowstrand.errors import AuthorError, MapFailed, WorkflowCancelled
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.handles import Handle
from flowstrand.sdk.mapping import MapOutcome
from flowstrand.sdk.serde import Serde
from flowstrand.sdk.signature import Signature
from tests.properties import author_steps as s

_ANYTHING = Signature(what="a random workflow", input=Serde(), default=None, output=Serde())
_ONCE = RetryPolicy(max_attempts=1)
STEERED = 3
"""How often an agent's loop goes round at most."""


class Broken(Exception):
    """What programs raise by themselves."""


class AuthorProgram:
    """One execution's code, each time from its beginning.

    Attributes:
        seen: what the code has observed, in order, and what its handlers caught.
        leaks: what no event explains: an early handler, an exception of the engine's own.
        is_old: whether it is the code of before the patches.
        fails: whether the function of a `ctx.run` that is executed now raises.
    """

    kind = "random"
    wire = PLAIN_WIRE

    def __init__(self, steps: s.Steps, *, is_old: bool = False) -> None:
        self._steps = steps
        self.seen: list[Any] = []
        self.leaks: list[str] = []
        self.is_old = is_old
        self.fails: Callable[[], bool] = bool

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        ctx = WorkflowContext(driver, _ANYTHING)
        return ctx.ending.around(self._main(ctx, driver))

    async def _main(self, ctx: WorkflowContext, driver: Driver) -> JsonValue:
        self.seen.clear()
        await _Run(self, ctx, driver).all(self._steps)
        return len(self.seen)


class _Run:
    """The whole of an execution's code."""

    def __init__(self, program: AuthorProgram, ctx: WorkflowContext, driver: Driver) -> None:
        self._program = program
        self._ctx = ctx
        self._driver = driver
        self._kept: list[Handle[Any]] = []
        self._patches = count(1)
        self._guards = count(1)

    def note(self, *what: object) -> None:
        """Note what the code observes; code that is dropped from memory observes nothing."""
        if not self._driver.is_dead:
            self._program.seen.append((self._driver.delivered_to, *what))

    async def all(self, steps: s.Steps) -> None:
        for step in steps:
            await self._step(step)

    async def _step(self, step: s.Step) -> None:  # noqa: C901 - one flat case a step
        ctx = self._ctx
        match step:
            case s.Await(work=work):
                self.note("got", await self._awaited(work))
            case s.Later(work=work):
                self._kept.append(self._handle(work))
            case s.Join():
                if self._kept:
                    self.note("joined", await self._kept.pop(0))
            case s.Cancel():
                if self._kept and self._kept[-1].is_cancellable:
                    self._kept[-1].cancel("no longer needed")
            case s.Gather(works=works, settled=settled):
                got = await ctx.gather(*map(self._start, works), return_exceptions=settled)
                self.note("gathered", [shown(one) for one in got])
            case s.Select() | s.Completed() | s.Steer() | s.WithTimeout() | s.Map():
                await self._several(step)
            case s.Guard():
                await self._guard(step)
            case s.SetState() | s.ClearState() | s.Look() | s.Drain() | s.Check():
                self._at_once(step)
            case s.Compensate(steps=steps):
                ctx.compensate(self._cleaning, "compensation", steps)
            case s.OnClose(steps=steps):
                ctx.on_close(self._cleaning, "closer", steps)
            case s.Patched(old=old, new=new):
                name = f"patch {next(self._patches)}"
                await self.all(new if not self._program.is_old and ctx.patched(name) else old)
            case s.Fail():
                raise Broken("on purpose")
            case s.Continue():
                await ctx.continue_as_new(1)
            case _:
                assert_never(step)

    def _at_once(self, step: s.SetState | s.ClearState | s.Look | s.Drain | s.Check) -> None:
        ctx = self._ctx
        match step:
            case s.SetState(name=name):
                ctx.set(name, int(ctx.get(name, default=0)) + 1)
                self.note("state", name, ctx.get(name))
            case s.ClearState():
                ctx.clear_all()
            case s.Look():
                pending = [(ctx.has_signal(name), ctx.pending_signal_count(name)) for name in s.NAMES]
                done = [handle.is_done for handle in self._kept]
                self.note(
                    "look", ctx.current_time(), ctx.is_cancellation_requested, pending, done, ctx.state_keys()
                )
                self.note("drew", ctx.random.random(), ctx.random_uuid())
            case s.Drain(name=name):
                self.note("drained", ctx.drain_signals(name))
            case s.Check():
                ctx.check_cancellation()
            case _:
                assert_never(step)

    async def _several(self, step: s.Select | s.Completed | s.Steer | s.WithTimeout | s.Map) -> None:
        ctx = self._ctx
        match step:
            case s.Select(works=works):
                await self._select(works)
            case s.Completed(works=works, most=most):
                handles = [self._handle(work) for work in works]
                left = most
                async for handle in ctx.as_completed(*handles):
                    self.note("completed", handles.index(handle), shown(handle.outcome()))
                    left -= 1
                    if not left:
                        break
            case s.Steer(name=name, work=work):
                for _ in range(STEERED):
                    if ctx.has_signal(name):
                        self.note("steered", await ctx.wait_for_signal(name))
                        break
                    self.note("went on", await self._start(work))
            case s.WithTimeout(work=work, seconds=seconds):
                self.note("in time", await ctx.with_timeout(self._start(work), seconds))
            case s.Map():
                await self._map(step)
            case _:
                assert_never(step)

    async def _select(self, works: tuple[s.Work, ...]) -> None:
        handles = [self._handle(work) for work in works]
        winner = await self._ctx.select(*handles)
        self.note("won", handles.index(winner), [handle.is_done for handle in handles])
        for handle in handles:
            if handle is not winner and handle.future.signal and handle.is_done:
                self._program.leaks.append("a signal that lost a select was taken")
        self.note("prize", await winner)

    async def _map(self, step: s.Map) -> None:
        try:
            outcome = await self._ctx.map(
                step.works,
                self._start,
                max_concurrency=step.at_once,
                min_successful=step.enough,
                tolerated_failures=step.tolerated,
            )
        except MapFailed as failed:
            outcome = cast("MapOutcome[Any]", failed.outcome)
        failures = {index: shown(failure) for index, failure in outcome.failures.items()}
        self.note("mapped", outcome.successes, failures, outcome.skipped, outcome.reason)

    async def _guard(self, step: s.Guard) -> None:
        guard, has_ended = next(self._guards), False
        try:
            await self.all(step.body)
            has_ended = True
        except BaseException as caught:
            has_ended = self._explains(caught)
            self.note("caught", guard, *evidence(caught))
            await self.all(step.handler)
            if step.rethrows:
                raise
        finally:
            self.note("finally", guard)
            if not has_ended and not self._driver.is_dead:
                self._program.leaks.append(f"the finally of guard {guard} ran before its body had ended")
            await self.all(step.last)

    def _explains(self, caught: BaseException) -> bool:
        explained = isinstance(caught, AuthorError | Broken)
        if not explained and not self._driver.is_dead:
            self._program.leaks.append(repr(caught))
        return explained

    async def _cleaning(self, name: str, steps: s.Steps) -> None:
        self.note(name)
        await self.all(steps)

    async def _awaited(self, work: s.Work) -> object:
        try:
            return await self._start(work)
        except WorkflowCancelled:
            if is_out_of_reach(work):
                self._program.leaks.append(f"a cancellation came through a shield around {work}")
            raise

    # --- works --------------------------------------------------------------------------------

    def _handle(self, work: s.Work) -> Handle[Any]:
        started = self._start(work)
        assert isinstance(started, Handle)
        return started

    def _start(self, work: s.Work) -> Awaitable[Any]:
        ctx = self._ctx
        match work:
            case s.Task():
                return ctx.schedule("work", retry=_ONCE)
            case s.Timer(seconds=seconds):
                return ctx.sleep(seconds)
            case s.Child():
                return ctx.schedule_workflow("child")
            case s.Promise(timeout=timeout):
                return ctx.promise("promise", timeout=timeout)
            case s.Signal(name=name, timeout=timeout):
                return ctx.wait_for_signal(name, timeout=timeout)
            case s.Operation(name=name, attempts=attempts):
                return self._operation(name, attempts)
            case s.Branch(steps=steps):
                return self._branch(steps)
            case s.Shielded(work=inner):
                return ctx.shield(self._start(inner))
            case _:
                assert_never(work)

    def _operation(self, name: str, attempts: int) -> Handle[Any]:
        def function() -> str:
            if self._program.fails():
                raise Broken("an operation that fails")
            return f"{name} known"

        if attempts == 1:
            return self._ctx.run(name, function)
        return self._ctx.run(name, function, retry=RetryPolicy(max_attempts=attempts))

    async def _branch(self, steps: s.Steps) -> str:
        await self.all(steps)
        return "a branch"


def is_out_of_reach(work: s.Work) -> bool:
    """Whether no cancellation can be raised where it is awaited; workflow code under a shield can raise it by itself."""
    is_shielded = isinstance(work, s.Shielded)
    while isinstance(work, s.Shielded):
        work = work.work
    return is_shielded and not isinstance(work, s.Branch)


def shown(outcome: object) -> object:
    """A value, or a failure as a value that can be compared."""
    return evidence(outcome) if isinstance(outcome, BaseException) else outcome


def evidence(caught: BaseException) -> tuple[str, str, str]:
    """An exception, and what it says that it came from."""
    with suppress(AttributeError):
        return type(caught).__name__, str(caught), str(caught.id)  # type: ignore[attr-defined]  # of those that have one
    return type(caught).__name__, str(caught), ""
