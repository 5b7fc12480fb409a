"""FS205: a task or workflow called like a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flowstrand.lint.module import TASK_DECORATORS
from flowstrand.lint.place import Place
from flowstrand.lint.resolving import Class, Function
from flowstrand.lint.rules.rule import Fault, Rule, call_text


class DirectCall(Rule):
    id = "FS205"
    name = "direct-call"
    summary = "Calls a task or a workflow like a function: it is not one, and nothing would be recorded."
    use = "`ctx.schedule(task, …)`, `ctx.schedule_workflow(workflow, …)`"

    def faults(self, place: Place) -> Iterator[Fault]:
        """A call of something decorated."""
        if not isinstance(place.node, ast.Call):
            return
        match place.meaning(place.node.func):
            case Function(node=node) | Class(node=node) if place.module.is_definition(node):
                name = getattr(node, "name", "it")
                is_task = place.module.decorated(node, TASK_DECORATORS) is not None
                method = "schedule" if is_task else "schedule_workflow"
                yield Fault(
                    node=place.node, what=call_text(place.node.func), use=f"use await ctx.{method}({name}, ...)"
                )
            case _:
                pass
