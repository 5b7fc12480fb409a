"""`Rule`: what every rule says of itself and does."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.lint.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A broken rule: the node to point at, what it is, and what to write instead."""

    node: ast.AST
    what: str
    use: str


class Rule(ABC):
    """One kind of mistake.

    Attributes:
        id: stable; what `--select`, `--ignore` and suppressions name.
        name: stable; the same for readers.
        summary: what is wrong with it.
        use: what to write instead, for the table of rules.
        is_default: whether it is on unless selected otherwise.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str]
    use: ClassVar[str]
    is_default: ClassVar[bool] = True

    @abstractmethod
    def faults(self, place: Place) -> Iterator[Fault]:
        """What is wrong with one node of workflow code."""


def call_text(called: ast.expr) -> str:
    """`datetime.now()` for a call, however long its arguments are."""
    match called:
        case ast.Attribute(value=value, attr=name):
            return f"{call_text(value).removesuffix('()') if not isinstance(value, ast.Call) else call_text(value)}.{name}()"
        case ast.Call(func=inner):
            return call_text(inner)
        case ast.Name(id=name):
            return f"{name}()"
        case _:
            return f"{ast.unparse(called)[:40]}()"
