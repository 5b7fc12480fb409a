"""FS106: the order of a set, which differs between processes, deciding the order of commands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flowstrand.lint.place import Place
from flowstrand.lint.resolving import External
from flowstrand.lint.rules.rule import Fault, Rule
from flowstrand.lint.scope import Assigned, Parameter

_USE = "use sorted(...) to give it an order that every replay has"
_MAKERS = frozenset({"builtins.set", "builtins.frozenset"})
_SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
_SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
_ORDER_KEEPERS = frozenset(
    {"builtins.list", "builtins.tuple", "builtins.enumerate", "builtins.iter", "builtins.map"}
)
_ANNOTATIONS = frozenset(
    {
        *("builtins.set", "builtins.frozenset", "typing.Set", "typing.FrozenSet", "typing.AbstractSet"),
        *("collections.abc.Set", "collections.abc.MutableSet", "typing.MutableSet"),
    }
)
_DEPTH = 6


class SetOrder(Rule):
    id = "FS106"
    name = "set-order"
    summary = "Iterates over a set and commands something for each: another process iterates in another order."
    use = "`sorted(…)`"

    def faults(self, place: Place) -> Iterator[Fault]:
        """Loops with a context in them, comprehensions that use one, and sets handed to one."""
        match place.node:
            case ast.For(iter=iterated, body=body):
                if any(_commands(place, statement) for statement in body):
                    yield from _unordered(place, iterated)
            case ast.ListComp(elt=made) | ast.GeneratorExp(elt=made) | ast.DictComp(value=made):
                if _commands(place, made):
                    for generator in place.node.generators:
                        yield from _unordered(place, generator.iter)
            case ast.Call(func=called) as call if place.context_method(called) is not None:
                for argument in call.args:
                    yield from _passed(place, argument)
            case _:
                pass


def _passed(place: Place, argument: ast.expr) -> Iterator[Fault]:
    """What a command is given: its items, or data in the order of a set."""
    match argument:
        case ast.Starred(value=iterated):
            yield from _unordered(place, iterated)
        case ast.Call(func=called, args=[iterated, *_]) if place.qualified(called) in _ORDER_KEEPERS:
            yield from _unordered(place, argument)
        case ast.ListComp(generators=[first, *_], elt=made) if not _commands(place, made):
            yield from _unordered(place, first.iter)
        case _:
            yield from _unordered(place, argument)


def _unordered(place: Place, iterated: ast.expr) -> Iterator[Fault]:
    while isinstance(iterated, ast.Call) and place.qualified(iterated.func) in _ORDER_KEEPERS and iterated.args:
        iterated = iterated.args[-1]
    if _is_set(place, iterated, _DEPTH):
        yield Fault(node=iterated, what=f"the order of the set {_shown(iterated)}", use=_USE)


def _is_set(place: Place, expression: ast.expr, depth: int) -> bool:
    if depth == 0:
        return False
    match expression:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=called) if place.qualified(called) in _MAKERS:
            return True
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _SET_METHODS:
            return _is_set(place, value, depth - 1)
        case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, _SET_OPERATORS):
            return _is_set(place, left, depth - 1) or _is_set(place, right, depth - 1)
        case ast.Name(id=name):
            return _names_set(place, name, depth - 1)
        case _:
            return False


def _names_set(place: Place, name: str, depth: int) -> bool:
    match place.scope.binding(name):
        case Assigned(value=value):
            return _is_set(place, value, depth)
        case Parameter(annotation=ast.Subscript(value=annotation)) | Parameter(annotation=annotation):
            if annotation is None:
                return False
            match place.meaning(annotation):
                case External(name=qualified):
                    return qualified in _ANNOTATIONS
                case _:
                    return False
        case _:
            return False


def _commands(place: Place, code: ast.AST) -> bool:
    """Whether code awaits, or calls a context."""
    for node in ast.walk(code):
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(node, ast.Call):
            given = [node.func, *node.args]
            if place.context_method(node.func) not in {None, "current_time"}:
                return True
            if any(place.module.is_context(value, place.scope) for value in given):
                return True
    return False


def _shown(expression: ast.expr) -> str:
    text = ast.unparse(expression)
    return text if len(text) <= 40 else f"{text[:37]}..."
