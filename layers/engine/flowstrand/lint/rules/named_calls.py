"""`NamedCalls`: rules that know their mistakes by the names of functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import ClassVar, TypeAlias

from flowstrand.lint.place import Place
from flowstrand.lint.rules.rule import Fault, Rule, call_text

Advice: TypeAlias = Mapping[str, str]
"""Names, each with what to write instead."""

_HARMLESS_ENDINGS = ("Error", "Exception", "Warning")


class NamedCalls(Rule):
    """Calls of functions, or of anything in a package, and functions passed on to be called.

    Attributes:
        functions: full names, each with what to write instead.
        packages: what full names begin with, ending in a dot, each with what to write instead.
        harmless: names in those packages that do nothing by themselves, and all that is made of them.
    """

    functions: ClassVar[Advice] = {}
    packages: ClassVar[Advice] = {}
    harmless: ClassVar[frozenset[str]] = frozenset()

    def faults(self, place: Place) -> Iterator[Fault]:
        """A call, or a function given as an argument."""
        match place.node:
            case ast.Call(func=called) as call if (use := self.advice(place, called)) is not None:
                if self.applies(place, call):
                    yield Fault(node=call, what=call_text(called), use=use)
            case ast.Name() | ast.Attribute() as passed if place.is_passed:
                use = self.functions.get(place.qualified(passed) or "")
                if use is not None:
                    yield Fault(node=passed, what=f"{ast.unparse(passed)} passed on", use=use)
            case _:
                pass

    def advice(self, place: Place, called: ast.expr) -> str | None:
        """What to write instead of a call of `called`; None where there is nothing wrong with it."""
        name = place.qualified(called)
        if name is None:
            return None
        if (use := self.functions.get(name)) is not None:
            return use
        if name.endswith(_HARMLESS_ENDINGS) or any(f"{name}(".startswith(f"{ok}(") for ok in self.harmless):
            return None
        return next((use for package, use in self.packages.items() if name.startswith(package)), None)

    def applies(self, place: Place, call: ast.Call) -> bool:  # noqa: ARG002 - for rules that look at more than the name
        """Whether this call of a named function is wrong."""
        return True
