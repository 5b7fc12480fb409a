"""What runs when workflow code runs: each node of a function, without the side effects that it hands to `ctx.run`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from flowstrand.lint.module import Module
from flowstrand.lint.place import Place
from flowstrand.lint.scope import ScopeNode

_ELSEWHERE = frozenset({"schedule", "schedule_async", "schedule_workflow", "schedule_workflow_async"})
"""Their first argument runs elsewhere."""

_PARTIAL = "functools.partial"


def places(module: Module, function: ScopeNode) -> Iterator[Place]:
    """Everything that runs when `function` is called, in the order of the text.

    Functions within it run only when something refers to them, so they are not entered; lambdas are, where they are not
    given a name. Of a class, what runs is the factories of its fields.
    """
    walk = _Walk(module)
    place = Place(node=function, scope=module.scopes[function], module=module)
    match function:
        case ast.ClassDef(body=body):
            yield from walk.factories(body, place)
        case ast.Lambda(body=body):
            yield from walk.visit(replace(place, node=body))
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            yield from walk.each(body, place)
        case ast.Module():
            pass


class _Walk:
    def __init__(self, module: Module) -> None:
        self._module = module

    def visit(self, place: Place) -> Iterator[Place]:
        """A node, then what is within it."""
        yield place
        match place.node:
            case ast.Call() as call:
                yield from self._call(call, place)
            case ast.Await(value=awaited):
                yield from self.visit(_within(place, awaited, is_awaited=True))
            case ast.AsyncFor(iter=awaited):
                yield from self.visit(_within(place, awaited, is_awaited=True))
                yield from self.each(_children(place.node, awaited), place)
            case ast.AsyncWith(items=items, body=body):
                for item in items:
                    yield from self.visit(_within(place, item.context_expr, is_awaited=True))
                yield from self.each(body, place)
            case ast.FunctionDef() | ast.AsyncFunctionDef() as function:
                yield from self.each([*function.decorator_list, *_defaults(function.args)], place)
            case ast.Lambda(args=arguments, body=body) as function:
                yield from self.each(_defaults(arguments), place)
                yield from self.visit(Place(node=body, scope=self._module.scopes[function], module=self._module))
            case ast.ClassDef(decorator_list=decorators, bases=bases, body=body) as node:
                yield from self.each([*decorators, *bases], place)
                yield from self.each(body, replace(place, scope=self._module.scopes[node]))
            case ast.Assign(value=ast.Lambda()) | ast.AnnAssign(value=ast.Lambda()):
                pass  # a function with a name, entered where something refers to it
            case ast.AnnAssign(target=target, value=value):  # annotations of local names are never evaluated
                yield from self.each([target, *([] if value is None else [value])], place)
            case node:
                yield from self.each(ast.iter_child_nodes(node), place)

    def each(
        self, nodes: Iterator[ast.AST] | list[ast.AST] | list[ast.stmt] | list[ast.expr], place: Place
    ) -> Iterator[Place]:
        """Nodes of the same scope as `place`."""
        for node in nodes:
            yield from self.visit(_within(place, node))

    def factories(self, body: list[ast.stmt], place: Place) -> Iterator[Place]:
        """`field(default_factory=make)`: called whenever an object of the class is made."""
        for statement in body:
            if not isinstance(statement, ast.Assign | ast.AnnAssign) or not isinstance(statement.value, ast.Call):
                continue
            for keyword in statement.value.keywords:
                if keyword.arg in {"default_factory", "factory"}:
                    yield from self.visit(_within(place, keyword.value, is_passed=True))

    def _call(self, call: ast.Call, place: Place) -> Iterator[Place]:
        yield from self.visit(_within(place, call.func))
        method = place.context_method(call.func)
        elsewhere = 1 if method == "run" else 0 if method in _ELSEWHERE else None
        for index, argument in enumerate(call.args):
            if index == elsewhere:
                yield from self._elsewhere(argument, place)
            else:
                yield from self.visit(_within(place, argument, is_passed=True))
        for keyword in call.keywords:
            yield from self.visit(_within(place, keyword.value, is_passed=True))

    def _elsewhere(self, function: ast.expr, place: Place) -> Iterator[Place]:
        """A function that may do anything; what is evaluated in order to name it still runs here."""
        match function:
            case ast.Lambda() | ast.Name() | ast.Attribute():
                return
            case ast.IfExp(test=test, body=body, orelse=orelse):
                yield from self.visit(_within(place, test))
                yield from self._elsewhere(body, place)
                yield from self._elsewhere(orelse, place)
            case ast.Call(func=called, args=[wrapped, *arguments], keywords=keywords) if (
                place.qualified(called) == _PARTIAL
            ):
                yield from self._elsewhere(wrapped, place)
                yield from self.each([*arguments, *(keyword.value for keyword in keywords)], place)
            case _:
                yield from self.visit(_within(place, function, is_passed=True))


def _within(place: Place, node: ast.AST, *, is_awaited: bool = False, is_passed: bool = False) -> Place:
    return replace(place, node=node, is_awaited=is_awaited, is_passed=is_passed)


def _children(node: ast.AST, *seen: ast.AST) -> Iterator[ast.AST]:
    return (child for child in ast.iter_child_nodes(node) if child not in seen)


def _defaults(arguments: ast.arguments) -> list[ast.expr]:
    return [default for default in [*arguments.defaults, *arguments.kw_defaults] if default is not None]
