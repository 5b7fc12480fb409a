"""`Scope`: the names that a module, class, function or lambda binds, and what each stands for."""

from __future__ import annotations

import ast
from dataclasses import field
from typing import TypeAlias

from flowstrand.dataclass import dataclass

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
ScopeNode: TypeAlias = ast.Module | ast.ClassDef | FunctionNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An import: `from datetime import datetime as dt` binds `dt` to `datetime.datetime`."""

    qualified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """A `def`, `class` or lambda of this module."""

    node: FunctionNode | ast.ClassDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """`name = value`, or `with value as name`."""

    value: ast.expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a function."""

    annotation: ast.expr | None
    index: int


@dataclass(frozen=True, slots=True)
class Opaque:
    """Bound by something that says nothing about its value: a loop, an unpacking, a pattern."""


Binding: TypeAlias = Imported | Defined | Assigned | Parameter | Opaque


@dataclass(slots=True, kw_only=True)
class Scope:
    """What one block of code binds. Comprehensions count as part of the block around them."""

    node: ScopeNode
    parent: Scope | None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    """Names that it declares `global` or `nonlocal`."""

    @property
    def is_class(self) -> bool:
        """Whether functions within cannot see its names."""
        return isinstance(self.node, ast.ClassDef)

    @property
    def is_module(self) -> bool:
        """Whether its names are globals."""
        return self.parent is None

    def bind(self, name: str, binding: Binding) -> None:
        """Record one of possibly many bindings of `name`."""
        if name not in self.outer:
            self.bindings.setdefault(name, []).append(binding)

    def owner(self, name: str) -> Scope | None:
        """The scope whose `name` code in this one sees; None for a builtin or a star import's."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bindings and (scope is self or not scope.is_class):
                return scope
            scope = scope.parent
        return None

    def binding(self, name: str) -> Binding | None:
        """What `name` stands for here: an import where there is one (as in `try: import x`), else its only binding."""
        owner = self.owner(name)
        if owner is None:
            return None
        bindings = owner.bindings[name]
        imported = next((bound for bound in bindings if isinstance(bound, Imported)), None)
        if imported is not None:
            return imported
        return bindings[0] if len(bindings) == 1 else Opaque()
