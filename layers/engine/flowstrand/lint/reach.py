"""Which code runs as a workflow: its entry points, and within the module all that they refer to, step by step."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator

from flowstrand.dataclass import dataclass
from flowstrand.lint.entry_points import entry_points
from flowstrand.lint.finding import Step
from flowstrand.lint.module import Module
from flowstrand.lint.place import Place
from flowstrand.lint.resolving import Class, Function
from flowstrand.lint.scope import ScopeNode
from flowstrand.lint.walking import places

_MAKING = ("__new__", "__init__", "__post_init__")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A function that a workflow runs, with everything in it that runs.

    Attributes:
        where: the workflow, as findings call it.
        trace: the calls from the workflow to this function.
        places: its nodes.
    """

    where: str
    trace: tuple[Step, ...]
    places: tuple[Place, ...]


def reached(module: Module) -> Iterator[Reached]:
    """Each function that workflows run, once, by the shortest way from the first workflow that runs it."""
    seen: set[ScopeNode] = set()
    for entry in entry_points(module):
        pending: deque[tuple[ScopeNode, tuple[Step, ...]]] = deque([(entry.function, ())])
        while pending:
            function, trace = pending.popleft()
            if function in seen:
                continue
            seen.add(function)
            code = tuple(places(module, function))
            yield Reached(where=entry.where, trace=trace, places=code)
            for place in code:
                for target, name in _targets(place):
                    step = Step(function=name, line=getattr(place.node, "lineno", 0))
                    pending.append((target, (*trace, step)))


def _targets(place: Place) -> Iterator[tuple[ScopeNode, str]]:
    """The code of this module that a node runs, or hands to something that may run it."""
    match place.node:
        case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()) as reference:
            match place.meaning(reference):
                case Function(node=node) if not _runs_elsewhere(place, node):
                    yield node, ast.unparse(reference)
                case _:
                    pass
        case ast.Call(func=called):
            match place.meaning(called):
                case Class(node=made) if not place.module.is_definition(made):
                    yield from _making(place, made)
                case _:
                    pass
        case ast.FunctionDef() | ast.AsyncFunctionDef() as function:
            if function.decorator_list and not place.module.is_definition(function):
                yield function, function.name
        case _:
            pass


def _runs_elsewhere(place: Place, node: ScopeNode) -> bool:
    return place.module.is_definition(node) or place.module.belongs_to_task(node)


def _making(place: Place, node: ast.ClassDef) -> Iterator[tuple[ScopeNode, str]]:
    yield node, node.name
    for name in _MAKING:
        if (method := place.module.resolver.method(node, name)) is not None:
            yield method.node, f"{node.name}.{name}"
