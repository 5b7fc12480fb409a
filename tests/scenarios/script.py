"""Scenarios as text: what happens to an execution, act by act, and the log that comes of it.

An act is what somebody outside does, after which the machinery settles; `a meanwhile b` does b during the turn that follows
upon a, when that has decided and is about to append:

    done charge=3     workers claim all they can, and complete `charge` with 3      fail charge      or fail it
    signal go=1       a client sends a signal                         cancel           or asks for the end
    resolve ok=1      somebody resolves the promise `ok`              reject ok        or rejects it
    wait 60           time passes                                     fire 60          and timers fire, but nothing else

A log is one word an event. What the code asked for begins with `+`; `-` is its cancellation, and `-?` that of a child that is
told to end:

    start wait resume end failed cancelled     of the execution
    +a >a =a !a ~a -a                          a task: asked for, claimed, completed, failed, to be retried, cancelled
    +timer =timer -timer                       a timer
    +ok? =ok? !ok? ~ok?                        a promise, the last where it timed out
    +kind* >kind* =kind* !kind* -kind*         a child workflow
    :name !:name                               a `ctx.run` function; patches are called `patch:...`
    key:= key:-                                a value of the workflow's state
    go. cancel.                                a signal, and a request to cancel
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from flowstrand.engine.decide import timer
from flowstrand.engine.evolve import Draft
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.queues.messages import Wake
from flowstrand.service import append
from tests.scenarios.author import KINDS
from tests.scenarios.world import ORG, World

_WORKFLOW = {
    "WORKFLOW_STARTED": "start",
    "WORKFLOW_SUSPENDED": "wait",
    "WORKFLOW_RESUMED": "resume",
    "WORKFLOW_COMPLETED": "end",
    "WORKFLOW_FAILED": "failed",
    "WORKFLOW_CANCELLED": "cancelled",
    "CANCELLATION_REQUESTED": "cancel.",
}
_FAMILIES = {
    "TASK": ("kind", ""),
    "TIMER": ("", "timer"),
    "PROMISE": ("name", "?"),
    "CHILD_WORKFLOW": ("name", "*"),
}
_SIGNS = {
    "TIMER_STARTED": "+",
    "CREATED": "+",
    "INITIATED": "+",
    "STARTED": ">",
    "COMPLETED": "=",
    "FIRED": "=",
    "RESOLVED": "=",
    "FAILED": "!",
    "REJECTED": "!",
    "TIMED_OUT": "~",
    "CANCELLED": "-",
    "CANCELLATION_REQUESTED": "-",
}

_VARYING = {"timestamp", "workerId", "stack"}


class Player:
    """Everybody outside of one execution: workers that hold all that they could claim, and clients."""

    def __init__(self, world: World, execution: str) -> None:
        self.world = world
        self.execution = execution
        self._held: dict[str, list[Any]] = defaultdict(list)

    def play(self, acts: str) -> None:
        """Do the acts, which commas separate."""
        for act in filter(None, map(str.strip, acts.split(","))):
            now, _, then = act.partition(" meanwhile ")
            self._act(now)
            if then:
                self.world.log.before_append = lambda _, then=then: self._act(then)
            self.world.settle()

    def _act(self, act: str) -> None:
        world, (verb, _, what) = self.world, act.partition(" ")
        name, _, written = what.partition("=")
        value: JsonValue = json.loads(written) if written else None
        match verb:
            case "done":
                world.complete(self._claimed(name), value)
            case "fail":
                world.fail(self._claimed(name))
            case "signal":
                assert world.signal(self.execution, name, value).status == 200
            case "resolve":
                assert world.settle_promise(self._promise(name), "resolve", {"value": value}).status == 200
            case "reject":
                error: JsonObject = {"error": {"type": "Refused", "message": "no"}}
                assert world.settle_promise(self._promise(name), "reject", error).status == 200
            case "cancel":
                assert world.cancel(self.execution, reason="enough").status == 200
            case "wait":
                world.jump(float(name))
            case "fire":
                world.clock.ms += round(float(name) * 1_000)
                self._append(_fire_all)
            case _:
                raise AssertionError(f"there is no act {verb!r}")

    def _claimed(self, kind: str) -> Any:
        if not self._held[kind]:
            for task in self.world.claim_all(*KINDS):
                self._held[task["kind"]].append(task)
        return self._held[kind].pop(0)

    def _append(self, decide: Callable[[Draft], object]) -> None:
        key = self.world.key(self.execution)
        sequence = append.transact(self.world.services, key, decide).sequence
        assert sequence
        self.world.services.control.send([Wake(org=ORG, execution_id=key.execution_id, sequence=sequence)])

    def _promise(self, name: str) -> str:
        log = events(self.world, self.execution)
        created = [event["data"] for event in log if event["type"] == "PROMISE_CREATED"]
        return next(str(data["promiseId"]) for data in created if data["name"] == name)


def _fire_all(draft: Draft) -> None:
    for position in sorted(draft.state.timers):
        timer.fire(draft, position)


def events(world: World, execution: str) -> list[Any]:
    """The log as clients read it."""
    path = f"/workflow-executions/{execution}/events"
    return list(world.request("GET", path, limit="1000").body["events"])


def compact(world: World, execution: str) -> str:
    """The log, one word an event."""
    return " ".join(_word(event["type"], event["data"]) for event in events(world, execution))


def comparable(world: World, execution: str) -> list[Any]:
    """The log without what differs from run to run: the execution's id, moments, workers and stacks."""
    log = json.dumps(events(world, execution)).replace(execution, "id")
    return [_timeless(event) for event in json.loads(log)]


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _timeless(item) for key, item in value.items() if key not in _VARYING and not key.endswith("At")
        }
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _word(type: str, data: Any) -> str:
    match type:
        case "SIGNAL_RECEIVED":
            return f"{data['name']}."
        case "OPERATION_COMPLETED":
            return f":{data['name']}"
        case "OPERATION_FAILED":
            return f"!:{data['name']}"
        case "STATE_SET":
            return f"{data['key']}:="
        case "STATE_CLEARED":
            return f"{data['key']}:-"
        case "TASK_FAILED" if data["status"] == "PENDING":
            return f"~{data['kind']}"
    if type in _WORKFLOW:
        return _WORKFLOW[type]
    family = next(family for family in _FAMILIES if type.startswith(family))
    field, mark = _FAMILIES[family]
    sign = _SIGNS.get(type) or _SIGNS[type.removeprefix(f"{family}_")]
    return f"{sign}{data[field] if field else ''}{mark}"
