"""`Module`: one parsed file, and what its names mean."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from flowstrand.dataclass import dataclass
from flowstrand.lint.resolving import External, Meaning, Resolver
from flowstrand.lint.scope import Parameter, Scope, ScopeNode
from flowstrand.lint.scoping import scopes_of

WORKFLOW_DECORATORS = frozenset(
    {"flowstrand.workflow", "flowstrand.sdk.workflow.workflow", "flowstrand.App().workflow"}
)
TASK_DECORATORS = frozenset({"flowstrand.task", "flowstrand.sdk.task.task", "flowstrand.App().task"})
_CONTEXTS = frozenset(
    {"flowstrand.WorkflowContext()", "flowstrand.sdk.workflow_context.WorkflowContext()"},
)
_CONTEXT_NAMES = frozenset({"ctx", "_ctx", "context", "_context"})
"""What a context is taken to be called where no annotation says so."""

DefinitionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A file's syntax tree with its scopes."""

    path: str
    tree: ast.Module
    scopes: Mapping[ScopeNode, Scope]
    resolver: Resolver

    @classmethod
    def parse(cls, path: str, text: str) -> Module:
        """Read a file's text.

        Raises:
            SyntaxError: it is not Python.
        """
        tree = ast.parse(text, filename=path)
        scopes = scopes_of(tree)
        return cls(path=path, tree=tree, scopes=scopes, resolver=Resolver(scopes))

    def meaning(self, expression: ast.expr, scope: Scope) -> Meaning:
        """What an expression stands for."""
        return self.resolver.meaning(expression, scope)

    def around(self, node: ScopeNode) -> Scope:
        """The scope that a function or class is defined in."""
        scope = self.scopes[node]
        return scope if scope.parent is None else scope.parent

    def decorated(self, node: ScopeNode, decorators: frozenset[str]) -> ast.expr | None:
        """The decorator of `node` that is one of `decorators`, with or without arguments."""
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return None
        return next(
            (found for found in node.decorator_list if self.is_one_of(found, self.around(node), decorators)), None
        )

    def is_one_of(self, expression: ast.expr, scope: Scope, names: frozenset[str]) -> bool:
        """Whether an expression is one of `names`, or a call of one."""
        called = expression.func if isinstance(expression, ast.Call) else expression
        return self.resolver.qualified(called, scope) in names

    def is_definition(self, node: ScopeNode) -> bool:
        """Whether it is a task or a workflow: something the engine runs, whoever refers to it."""
        return self.decorated(node, WORKFLOW_DECORATORS | TASK_DECORATORS) is not None

    def belongs_to_task(self, node: ScopeNode) -> bool:
        """Whether it is a method of a task: whatever it does, no workflow runs it."""
        return self.decorated(self.around(node).node, TASK_DECORATORS) is not None

    def is_context(self, expression: ast.expr, scope: Scope) -> bool:
        """Whether an expression is a workflow's context: by annotation, by place, or by its name."""
        match self.meaning(expression, scope):
            case External(name=name):
                return name in _CONTEXTS
            case None:
                pass
            case _:
                return False
        match expression:
            case ast.Attribute(attr=name):
                return name in _CONTEXT_NAMES
            case ast.Name(id=name):
                return name in _CONTEXT_NAMES or self._is_first_of_workflow(name, scope)
            case _:
                return False

    def context_method(self, called: ast.expr, scope: Scope) -> str | None:
        """`run` for `ctx.run`; None for anything but a method of a context."""
        if isinstance(called, ast.Attribute) and self.is_context(called.value, scope):
            return called.attr
        return None

    def _is_first_of_workflow(self, name: str, scope: Scope) -> bool:
        owner = scope.owner(name)
        if owner is None or not isinstance(binding := scope.binding(name), Parameter):
            return False
        around = owner.parent
        if around is not None and around.is_class:
            return binding.index == 1 and self.decorated(around.node, WORKFLOW_DECORATORS) is not None
        return binding.index == 0 and self.decorated(owner.node, WORKFLOW_DECORATORS) is not None
