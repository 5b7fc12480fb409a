"""Building the scopes of a module from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from itertools import chain

from flowstrand.lint.scope import Assigned, Defined, FunctionNode, Imported, Opaque, Parameter, Scope, ScopeNode


def scopes_of(tree: ast.Module) -> Mapping[ScopeNode, Scope]:
    """Every scope of a module, by the node that opens it."""
    builder = _Builder(tree)
    for statement in tree.body:
        builder.visit(statement)
    return builder.scopes


class _Builder(ast.NodeVisitor):
    def __init__(self, tree: ast.Module) -> None:
        self._scope = Scope(node=tree, parent=None)
        self.scopes: dict[ScopeNode, Scope] = {tree: self._scope}

    # --- blocks

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._scope.bind(node.name, Defined(node=node))
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._function(node, node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scope.bind(node.name, Defined(node=node))
        for outside in chain(node.decorator_list, node.bases, node.keywords):
            self.visit(outside)
        self._block(Scope(node=node, parent=self._scope), node.body)

    def _function(self, node: FunctionNode, body: list[ast.stmt] | list[ast.expr]) -> None:
        arguments = node.args
        for default in chain(arguments.defaults, arguments.kw_defaults):
            if default is not None:
                self.visit(default)
        scope = Scope(node=node, parent=self._scope)
        positional = [*arguments.posonlyargs, *arguments.args]
        for index, argument in enumerate([*positional, *arguments.kwonlyargs]):
            scope.bind(argument.arg, Parameter(annotation=argument.annotation, index=index))
        for variadic in (arguments.vararg, arguments.kwarg):
            if variadic is not None:
                scope.bind(variadic.arg, Opaque())
        self._block(scope, body)

    def _block(self, scope: Scope, body: list[ast.stmt] | list[ast.expr]) -> None:
        self.scopes[scope.node] = scope
        outside, self._scope = self._scope, scope
        for declaration in _declarations(body):
            scope.outer.update(declaration.names)
        for node in body:
            self.visit(node)
        self._scope = outside

    # --- bindings

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._scope.bind(alias.asname or top, Imported(qualified=alias.name if alias.asname else top))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            name = f"{module}{'' if module.endswith('.') else '.'}{alias.name}"
            self._scope.bind(alias.asname or alias.name, Imported(qualified=name))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign(target, node.value)
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(node.target, node.value)
            self.visit(node.value)
        elif isinstance(node.target, ast.Name):
            self._scope.bind(node.target.id, Parameter(annotation=node.annotation, index=-1))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._assign(node.target, node.value)
        self.visit(node.value)

    def visit_withitem(self, node: ast.withitem) -> None:
        if node.optional_vars is not None:
            self._assign(node.optional_vars, node.context_expr)
        self.visit(node.context_expr)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._scope.bind(node.id, Opaque())

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name is not None:
            self._scope.bind(node.name, Opaque())
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._captured(node, node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._captured(node, node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._captured(node, node.rest)

    def _captured(self, node: ast.pattern, name: str | None) -> None:
        if name is not None:
            self._scope.bind(name, Opaque())
        self.generic_visit(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if not isinstance(target, ast.Name):
            self.visit(target)
        elif isinstance(value, ast.Lambda):
            self._scope.bind(target.id, Defined(node=value))
        else:
            self._scope.bind(target.id, Assigned(value=value))


def _declarations(body: list[ast.stmt] | list[ast.expr]) -> list[ast.Global | ast.Nonlocal]:
    """The `global` and `nonlocal` statements of a block, not those of blocks within."""
    found: list[ast.Global | ast.Nonlocal] = []
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Global | ast.Nonlocal):
            found.append(node)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))
    return found
