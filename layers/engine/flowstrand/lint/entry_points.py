"""Where workflow code begins: decorated functions and classes, and every function that is given a workflow's context."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flowstrand.dataclass import dataclass
from flowstrand.lint.module import WORKFLOW_DECORATORS, Module
from flowstrand.lint.resolving import Class, Function
from flowstrand.lint.scope import ScopeNode

_MADE_AND_RUN = ("__init__", "__post_init__", "run")
"""What the engine calls of a workflow class: it is made anew for each execution, by replayed code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """A function that the engine runs as workflow code.

    Attributes:
        function: the code.
        where: what to call it in a finding: `workflow "order"`.
    """

    function: ScopeNode
    where: str


def entry_points(module: Module) -> Iterator[EntryPoint]:
    """Every workflow of a module, then the functions that other modules' workflows may hand their context to."""
    for node in module.scopes:
        if (decorator := module.decorated(node, WORKFLOW_DECORATORS)) is not None:
            yield from _workflow(module, node, decorator)
    yield from _declared_by_call(module)
    for node, scope in module.scopes.items():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not module.is_definition(node):
            if any(module.is_context(ast.Name(id=argument.arg), scope) for argument in _annotated(node)):
                yield EntryPoint(function=node, where=f"workflow function {node.name}()")


def _workflow(module: Module, node: ScopeNode, declaration: ast.expr | None) -> Iterator[EntryPoint]:
    where = f'workflow "{_kind(node, declaration)}"'
    if not isinstance(node, ast.ClassDef):
        yield EntryPoint(function=node, where=where)
        return
    for name in _MADE_AND_RUN:
        if (method := module.resolver.method(node, name)) is not None:
            yield EntryPoint(function=method.node, where=where)


def _declared_by_call(module: Module) -> Iterator[EntryPoint]:
    """`order = workflow(name="order")(place_order)`."""
    top = module.scopes[module.tree]
    for call in ast.walk(module.tree):
        if isinstance(call, ast.Call) and call.args and module.is_one_of(call.func, top, WORKFLOW_DECORATORS):
            match module.meaning(call.args[0], top):
                case Function(node=node) | Class(node=node):
                    yield from _workflow(module, node, call.func)
                case _:
                    pass


def _kind(node: ScopeNode, declaration: ast.expr | None) -> str:
    for keyword in declaration.keywords if isinstance(declaration, ast.Call) else ():
        match keyword:
            case ast.keyword(arg="name", value=ast.Constant(value=str() as kind)):
                return kind
            case _:
                pass
    return getattr(node, "name", "lambda")


def _annotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [argument for argument in arguments if argument.annotation is not None]
