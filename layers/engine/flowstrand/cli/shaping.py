"""`shaped`: a command with a function's own parameters, and others that many commands have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import Parameter, Signature, signature
from typing import get_type_hints


def shaped(
    command: Callable[..., None], function: Callable[..., None], shared: Sequence[Parameter]
) -> Callable[..., None]:
    """`command`, as typer is to see it: documented and named as `function`, whose first parameter it supplies by itself."""
    parameters = [*_own_parameters(function), *shared]
    command.__doc__, command.__name__, command.__module__ = (
        function.__doc__,
        function.__name__,
        function.__module__,
    )
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__dict__["__signature__"] = Signature(parameters)
    return command


def _own_parameters(function: Callable[..., None]) -> list[Parameter]:
    """All but the first, with their annotations evaluated where the function is."""
    hints = get_type_hints(function, include_extras=True)
    _, *own = signature(function).parameters.values()
    return [parameter.replace(annotation=hints[parameter.name], kind=Parameter.KEYWORD_ONLY) for parameter in own]
