"""FS107: changing what other executions in the process see, and replays on other processes do not."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flowstrand.lint.place import Place
from flowstrand.lint.rules.rule import Fault, Rule
from flowstrand.lint.scope import Assigned, Scope

_USE = "use ctx.set(key, value), or keep it in a local variable"
_MUTATORS = frozenset(
    {
        *(
            "add",
            "append",
            "appendleft",
            "clear",
            "discard",
            "extend",
            "insert",
            "pop",
            "popitem",
            "popleft",
            "remove",
        ),
        *("setdefault", "sort", "reverse", "update"),
    }
)
_CONTAINERS = frozenset(
    {
        *("builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray"),
        *("collections.deque", "collections.defaultdict", "collections.Counter", "collections.OrderedDict"),
    }
)


class SharedState(Rule):
    id = "FS107"
    name = "shared-state"
    summary = (
        "Changes a global: other executions in this process see it, and a replay in another process does not."
    )
    use = "`ctx.set(key, value)`, or a local variable"

    def faults(self, place: Place) -> Iterator[Fault]:
        """Assignments to globals, to their items, and calls that change containers."""
        match place.node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in place.scope.outer:
                if _is_global(place.scope, name):
                    yield Fault(node=place.node, what=f"assignment to the global {name}", use=_USE)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                if _is_global(place.scope, name):
                    yield Fault(node=place.node, what=f"change of the global {name}", use=_USE)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in _MUTATORS:
                if _is_global(place.scope, name) and _is_container(place, name):
                    yield Fault(node=place.node, what=f"{name}.{method}() of a global", use=_USE)
            case _:
                pass


def _is_global(scope: Scope, name: str) -> bool:
    owner = scope.owner(name)
    return (owner is not None and owner.is_module and not scope.is_module) or _is_declared_global(scope, name)


def _is_declared_global(scope: Scope, name: str) -> bool:
    """`global name`, of a name that only functions assign to."""
    return name in scope.outer and scope.owner(name) is None


def _is_container(place: Place, name: str) -> bool:
    match place.scope.binding(name):
        case Assigned(value=ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp()):
            return True
        case Assigned(value=ast.Call(func=made)):
            return place.qualified(made) in _CONTAINERS
        case _:
            return False
