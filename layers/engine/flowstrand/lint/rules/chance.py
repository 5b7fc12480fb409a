"""FS102: random numbers that no replay draws again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from flowstrand.lint.place import Place
from flowstrand.lint.resolving import External
from flowstrand.lint.rules.named_calls import Advice, NamedCalls
from flowstrand.lint.rules.rule import Fault, call_text

_GENERATORS = frozenset({"random.Random", "numpy.random.default_rng", "numpy.random.RandomState"})
_USE = "use ctx.random"


class Chance(NamedCalls):
    id = "FS102"
    name = "chance"
    summary = "Draws random numbers: every replay would draw others."
    use = "`ctx.random`"
    functions: ClassVar[Advice] = {
        f"random.{function}": f"use ctx.random.{function}()"
        for function in (
            "betavariate", "binomialvariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits",
            "lognormvariate", "normalvariate", "paretovariate", "randbytes", "randint", "random", "randrange", "sample",
            "shuffle", "triangular", "uniform", "vonmisesvariate", "weibullvariate",
        )
    }  # fmt: skip
    packages: ClassVar[Advice] = {"random.": _USE, "numpy.random.": _USE}
    harmless = frozenset({"random.SystemRandom"})  # FS104

    def faults(self, place: Place) -> Iterator[Fault]:
        """A generator of one's own is fine where it is seeded, and shared with no other execution."""
        if not isinstance(place.node, ast.Call):
            yield from super().faults(place)
            return
        call, name = place.node, place.qualified(place.node.func) or ""
        generator = next((made for made in _GENERATORS if name.startswith(f"{made}()")), None)
        if generator is not None:
            if _is_shared(place, call.func):
                yield Fault(node=call, what=f"{call_text(call.func)} of a shared generator", use=_USE)
        elif name not in _GENERATORS or not (call.args or call.keywords):
            yield from super().faults(place)


def _is_shared(place: Place, expression: ast.expr) -> bool:
    """Whether it is a global: whatever drew from it before decides what it gives next."""
    while isinstance(expression, ast.Attribute):
        expression = expression.value
    if not isinstance(expression, ast.Name) or not isinstance(place.meaning(expression), External):
        return False
    owner = place.scope.owner(expression.id)
    return owner is not None and owner.is_module
