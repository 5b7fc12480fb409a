"""FS201 and FS202: waiting that the log knows nothing of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from flowstrand.lint.place import Place
from flowstrand.lint.rules.named_calls import Advice, NamedCalls
from flowstrand.lint.rules.rule import Fault

_SLEEP = "use await ctx.sleep(...)"


class BlockingSleep(NamedCalls):
    id = "FS201"
    name = "blocking-sleep"
    summary = "Blocks the process, on every replay again, and is gone when the process is."
    use = "`ctx.sleep(…)`"
    functions: ClassVar[Advice] = {"time.sleep": _SLEEP, "gevent.sleep": _SLEEP, "eventlet.sleep": _SLEEP}


_CONCURRENTLY = "use ctx.gather(...) or ctx.schedule_async(...)"
_TIMEOUT = "use ctx.with_timeout(...)"
_SIGNALS = "use signals: ctx.wait_for_signal(name)"
_ONE_AT_A_TIME = (
    "not needed: one branch of a workflow runs at a time, until it awaits; to limit a fan-out, use ctx.map(...)"
)
_RECORDED = "use await ctx.run(name, fn) or a task"


class EventLoop(NamedCalls):
    id = "FS202"
    name = "event-loop"
    summary = "Waits for an event loop: a workflow is resumed by its log alone, and refuses this when it runs."
    use = "`ctx.sleep`, `ctx.gather`, `ctx.select`, `ctx.as_completed`, `ctx.with_timeout`, `ctx.shield`, signals"
    functions: ClassVar[Advice] = {
        "asyncio.sleep": _SLEEP,
        "asyncio.gather": "use ctx.gather(...)",
        "asyncio.wait": "use ctx.select(...) or ctx.gather(...)",
        "asyncio.as_completed": "use ctx.as_completed(...)",
        "asyncio.wait_for": _TIMEOUT,
        "asyncio.timeout": _TIMEOUT,
        "asyncio.timeout_at": _TIMEOUT,
        "asyncio.shield": "use ctx.shield(...)",
        "asyncio.create_task": _CONCURRENTLY,
        "asyncio.ensure_future": _CONCURRENTLY,
        "asyncio.TaskGroup": _CONCURRENTLY,
        "asyncio.Future": "use ctx.promise(name)",
        "asyncio.Event": "use ctx.promise(name) or a signal",
        "asyncio.Queue": _SIGNALS,
        "asyncio.LifoQueue": _SIGNALS,
        "asyncio.PriorityQueue": _SIGNALS,
        "asyncio.Condition": _SIGNALS,
        "asyncio.Lock": _ONE_AT_A_TIME,
        "asyncio.Semaphore": _ONE_AT_A_TIME,
        "asyncio.BoundedSemaphore": _ONE_AT_A_TIME,
        "asyncio.Barrier": "use ctx.gather(...)",
        "asyncio.to_thread": _RECORDED,
        "asyncio.run": "await the coroutine",
    }
    packages: ClassVar[Advice] = {
        "asyncio.": _RECORDED,
        "anyio.": "use the methods of ctx",
        "trio.": "use the methods of ctx",
        "curio.": "use the methods of ctx",
    }
    harmless = frozenset({"asyncio.iscoroutinefunction", "asyncio.iscoroutine", "asyncio.isfuture"})

    def faults(self, place: Place) -> Iterator[Fault]:
        """What has no method of a context to replace it is advised on where it is made, not at each of its uses."""
        for fault in super().faults(place):
            name = place.qualified(fault.node.func) if isinstance(fault.node, ast.Call) else None
            if name is None or "()" not in name or _is_global(place, fault.node):
                yield fault
        match place.node:
            case ast.Name(id=name) if place.is_awaited and _is_global(place, place.node):
                if (place.qualified(place.node) or "").startswith("asyncio."):
                    yield Fault(node=place.node, what=f"await of {name}", use=_RECORDED)
            case _:
                pass


def _is_global(place: Place, node: ast.AST) -> bool:
    """Whether what is called was made outside of the workflow, where this check did not see it."""
    expression = node.func if isinstance(node, ast.Call) else node
    while isinstance(expression, ast.Attribute | ast.Call):
        expression = expression.value if isinstance(expression, ast.Attribute) else expression.func
    owner = place.scope.owner(expression.id) if isinstance(expression, ast.Name) else None
    return owner is not None and owner.is_module
