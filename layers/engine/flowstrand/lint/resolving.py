"""What an expression stands for: an imported thing by its full name, or code of this module."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.lint.scope import Assigned, Defined, FunctionNode, Imported, Parameter, Scope, ScopeNode

_DEPTH = 12
"""How many names an alias of an alias may go through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Something of another module: `datetime.datetime.now`; `boto3.client().put_object` for a call's result."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function or lambda of this module."""

    node: FunctionNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """A class of this module."""

    node: ast.ClassDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An object of a class of this module."""

    node: ast.ClassDef


Meaning: TypeAlias = External | Function | Class | Instance | None


class Resolver:
    """Follows imports, aliases, annotations and `self` within one module. Never wrong on purpose: in doubt, None."""

    def __init__(self, scopes: Mapping[ScopeNode, Scope]) -> None:
        self._scopes = scopes

    def meaning(self, expression: ast.expr, scope: Scope, depth: int = _DEPTH) -> Meaning:
        """What `expression` stands for in code of `scope`."""
        if depth == 0:
            return None
        match expression:
            case ast.Name(id=name):
                return self._name(name, scope, depth - 1)
            case ast.Attribute(value=value, attr=attribute):
                return self._attribute(self.meaning(value, scope, depth - 1), attribute)
            case ast.Call(func=called):
                return _result(self.meaning(called, scope, depth - 1))
            case ast.Await(value=value) | ast.NamedExpr(value=value) | ast.BinOp(left=value, op=ast.Div()):
                return self.meaning(value, scope, depth - 1)
            case ast.Lambda():
                return Function(node=expression)
            case _:
                return None

    def qualified(self, expression: ast.expr, scope: Scope) -> str | None:
        """The full name of something imported or built in; None for anything else."""
        meaning = self.meaning(expression, scope)
        return meaning.name if isinstance(meaning, External) else None

    def method(self, owner: ast.ClassDef, name: str, depth: int = _DEPTH) -> Function | None:
        """A method of a class, or of its bases in this module."""
        for statement in owner.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and statement.name == name:
                return Function(node=statement)
        for base in owner.bases if depth else ():
            match self.meaning(base, self._around(owner)):
                case Class(node=node) if found := self.method(node, name, depth - 1):
                    return found
                case _:
                    pass
        return None

    def _name(self, name: str, scope: Scope, depth: int) -> Meaning:
        owner = scope.owner(name)
        match scope.binding(name):
            case None:
                return External(name=f"builtins.{name}") if hasattr(builtins, name) else None
            case Imported(qualified=qualified):
                return External(name=qualified)
            case Defined(node=ast.ClassDef() as made):
                return Class(node=made)
            case Defined(node=(ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda()) as node):
                return Function(node=node)
            case Assigned(value=value) if owner is not None:
                return self.meaning(value, owner, depth)
            case Parameter(annotation=None, index=0) if owner is not None:
                return _receiver(owner)
            case Parameter(annotation=annotation) if annotation is not None and owner is not None:
                return self._annotated(annotation, owner, depth)
            case _:
                return None

    def _annotated(self, annotation: ast.expr, scope: Scope, depth: int) -> Meaning:
        """An object of the annotated class."""
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            try:
                annotation = ast.parse(annotation.value, mode="eval").body
            except SyntaxError:
                return None
        return _result(self.meaning(annotation, scope, depth)) if _is_dotted(annotation) else None

    def _attribute(self, base: Meaning, name: str) -> Meaning:
        match base:
            case External(name=qualified):
                return External(name=f"{qualified}.{name}")
            case Class(node=node) | Instance(node=node):
                return self.method(node, name)
            case _:
                return None

    def _around(self, owner: ast.ClassDef) -> Scope:
        scope = self._scopes[owner]
        return scope if scope.parent is None else scope.parent


def _result(called: Meaning) -> Meaning:
    match called:
        case External(name=name):
            return External(name=f"{name}()")
        case Class(node=node):
            return Instance(node=node)
        case _:
            return None


def _receiver(scope: Scope) -> Meaning:
    """What the first parameter of a method is."""
    owner = None if scope.parent is None else scope.parent.node
    if not isinstance(owner, ast.ClassDef) or isinstance(scope.node, ast.Lambda | ast.Module | ast.ClassDef):
        return None
    decorators = {node.id for node in scope.node.decorator_list if isinstance(node, ast.Name)}
    if "staticmethod" in decorators:
        return None
    return Class(node=owner) if "classmethod" in decorators else Instance(node=owner)


def _is_dotted(expression: ast.expr) -> bool:
    while isinstance(expression, ast.Attribute):
        expression = expression.value
    return isinstance(expression, ast.Name)
