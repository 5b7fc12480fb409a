"""What a caller hands the client, as JSON, and back: kinds of workflows, inputs and outputs."""

from __future__ import annotations

from typing import Any

from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.definition import Definition
from flowstrand.sdk.serde import Serde


def kind_of(workflow: object) -> str:
    """The kind that `workflow`, a kind itself or a definition, stands for.

    Raises:
        InvalidDefinition: it is neither.
    """
    if isinstance(workflow, Definition):
        return workflow.kind
    if isinstance(workflow, str):
        return workflow
    raise InvalidDefinition(f"not a definition or its kind: {workflow!r}")


def input_of(workflow: object, value: object, *, noun: str = "workflow") -> JsonValue:
    """`value` as JSON, of the input type that a `@workflow` definition declares, or a `@task` one.

    Args:
        noun: what a kind stands for.

    Raises:
        NotSerializable: it does not fit, or cannot be JSON at all.
    """
    if isinstance(workflow, Definition):
        return workflow.signature.encode_input(value)
    return Serde().encode(value, f"the input of {noun} {kind_of(workflow)!r}")


def output_of(workflow: object, value: JsonValue) -> Any:
    """`value` as the output type that a `@workflow` definition declares; as it is where there is none.

    Raises:
        NotSerializable: it does not fit.
    """
    return workflow.signature.decode_output(value) if isinstance(workflow, Definition) else value
