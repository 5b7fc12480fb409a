"""`Place`: one node of workflow code, as rules see it."""

from __future__ import annotations

import ast

from flowstrand.dataclass import dataclass
from flowstrand.lint.module import Module
from flowstrand.lint.resolving import Meaning
from flowstrand.lint.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node that runs as part of a workflow.

    Attributes:
        node: what runs.
        scope: whose names it sees.
        module: the file.
        is_awaited: whether it is what an `await`, `async for` or `async with` waits for.
        is_passed: whether it is an argument of a call.
    """

    node: ast.AST
    scope: Scope
    module: Module
    is_awaited: bool = False
    is_passed: bool = False

    def meaning(self, expression: ast.expr) -> Meaning:
        """What an expression stands for here."""
        return self.module.meaning(expression, self.scope)

    def qualified(self, expression: ast.expr) -> str | None:
        """The full name of something imported or built in."""
        return self.module.resolver.qualified(expression, self.scope)

    def context_method(self, called: ast.expr) -> str | None:
        """`run` for `ctx.run`."""
        return self.module.context_method(called, self.scope)
