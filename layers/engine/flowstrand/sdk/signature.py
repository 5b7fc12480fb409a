"""How a task's or workflow's code is called: `(ctx)` or `(ctx, input)`, on a function or a class's `run`."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

from flowstrand.dataclass import dataclass
from flowstrand.errors import InvalidDefinition, NotSerializable
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.serde import Serde

_OUTPUTS: WeakKeyDictionary[Callable[..., object], Serde] = WeakKeyDictionary()
"""The codec of what each function returns: a loop over `ctx.run` asks for the same one at every step."""

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Omitted:
    """Stands for an input that was not given, where None is a value."""


OMITTED = Omitted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What goes into a piece of author code and what comes out.

    Attributes:
        what: names the code in errors, e.g. `"task 'charge-card'"`.
        input: the codec of its input; None if it takes none.
        default: the value for an input that is not given, or `OMITTED`.
        output: the codec of what it returns.
    """

    what: str
    input: Serde | None
    default: object
    output: Serde

    def encode_input(self, value: object) -> JsonValue:
        """The JSON that the code will be given. A None that does not fit is an input not given.

        Raises:
            NotSerializable: the value does not fit, is missing, or is not wanted.
        """
        if self.input is None:
            if value is None or value is OMITTED:
                return None
            raise NotSerializable(f"{self.what} takes no input")
        if value is OMITTED:
            value = self.default
        if value is OMITTED:
            raise NotSerializable(f"{self.what} takes an input: {self.input}")
        try:
            return self.input.encode(value, f"the input of {self.what}")
        except NotSerializable:
            if value is None and self.default is not OMITTED:
                return self.input.encode(self.default, f"the default input of {self.what}")
            raise

    def decode_input(self, data: JsonValue) -> tuple[Any, ...]:
        """The arguments that follow the context. A null that does not fit is an input not given.

        Raises:
            NotSerializable: `data` does not fit.
        """
        if self.input is None:
            return ()
        try:
            return (self.input.decode(data, f"the input of {self.what}"),)
        except NotSerializable:
            if data is None and self.default is not OMITTED:
                return (self.default,)
            raise

    def encode_output(self, value: object) -> JsonValue:
        """What is recorded as the result. Raises `NotSerializable`."""
        return self.output.encode(value, f"the output of {self.what}")

    def decode_output(self, data: JsonValue) -> Any:
        """The result, for the code that waits for it. Raises `NotSerializable`."""
        return self.output.decode(data, f"the output of {self.what}")

    def check(self) -> None:
        """Make sure that both types have codecs. Raises `InvalidDefinition`."""
        if self.input is not None:
            self.input.check()
        self.output.check()


def signature_of(code: Callable[..., object], what: str) -> Signature:
    """The signature of a function, or of the `run` of a class.

    Raises:
        InvalidDefinition: it takes something else than a context and at most one input, or an annotation
            cannot be resolved.
    """
    function, parameters = body_of(code, what), parameters_of(code, what)
    wanted = {"return", *(p.name for p in parameters[1:])}
    hints = _hints(function, wanted, what)
    output = Serde(hints.get("return", Any))
    if len(parameters) == 1:
        return Signature(what=what, input=None, default=OMITTED, output=output)
    given = parameters[1]
    default = OMITTED if given.default is inspect.Parameter.empty else given.default
    return Signature(what=what, input=Serde(hints.get(given.name, Any)), default=default, output=output)


def parameters_of(code: Callable[..., object], what: str) -> list[inspect.Parameter]:
    """The context's parameter and, if there is one, the input's.

    Raises:
        InvalidDefinition: it takes something else, or is a class that needs arguments to be made.
    """
    function = body_of(code, what)
    parameters = list(inspect.signature(function).parameters.values())
    if inspect.isclass(code):
        parameters = parameters[1:]
        _check_constructible(code, what)
    if not 1 <= len(parameters) <= 2 or any(p.kind not in _POSITIONAL for p in parameters):
        raise InvalidDefinition(f"{what} must take (ctx) or (ctx, input), not {inspect.signature(function)}")
    return parameters


def body_of(code: Callable[..., object], what: str) -> Callable[..., object]:
    """The function that runs: `code` itself, or its `run` if it is a class.

    Raises:
        InvalidDefinition: there is none.
    """
    body = getattr(code, "run", None) if inspect.isclass(code) else code
    if not inspect.isfunction(body):
        raise InvalidDefinition(f"{what} must be a function, or a class with a method `run`")
    return body


def output_of(function: Callable[..., object], what: str) -> Serde:
    """The codec of what any callable returns; plain JSON where it does not say.

    Raises:
        InvalidDefinition: its return annotation cannot be resolved.
    """
    if not inspect.isroutine(function):
        return Serde()
    if not inspect.isfunction(function):  # made anew for each access, or not weakly referable
        return Serde(_hints(function, {"return"}, what).get("return", Any))
    known = _OUTPUTS.get(function)
    if known is None:
        known = _OUTPUTS[function] = Serde(_hints(function, {"return"}, what).get("return", Any))
    return known


def _check_constructible(code: type, what: str) -> None:
    try:
        inspect.signature(code).bind()
    except TypeError as error:
        raise InvalidDefinition(
            f"{what} is made anew for each run, so its constructor must need nothing"
        ) from error


def _hints(function: Callable[..., object], wanted: set[str], what: str) -> dict[str, Any]:
    """Only the annotations in `wanted`: the context's type may be imported for type checkers alone."""
    annotations = {name: hint for name, hint in getattr(function, "__annotations__", {}).items() if name in wanted}
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        return typing.get_type_hints(
            SimpleNamespace(__annotations__=annotations), globalns=namespace, include_extras=True
        )
    except NameError as error:
        raise InvalidDefinition(
            f"{what}: the annotation {error.name!r} cannot be resolved; define or import it at module level"
        ) from error
