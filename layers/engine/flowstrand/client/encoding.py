"""What a caller hands the client, as JSON, and back: kinds of workflows, inputs and outputs."""

from __future__ import annotations

from typing import Any

from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.definition import Definition
from flowstrand.sdk.serde import Serde


def kind_of(workflow: object) -> str:
    """The kind that `workflow`, a kind itself or a `@workflow` definition, stands for.

    Raises:
        InvalidDefinition: it is neither.
    """
    if isinstance(workflow, Definition):
        return workflow.kind
    if isinstance(workflow, str):
        return workflow
    raise InvalidDefinition(f"not a workflow or its kind: {workflow!r}")


def input_of(workflow: object, value: object) -> JsonValue:
    """`value` as JSON, of the input type that a `@workflow` definition declares.

    Raises:
        NotSerializable: it does not fit, or cannot be JSON at all.
    """
    if isinstance(workflow, Definition):
        return workflow.signature.encode_input(value)
    return Serde().encode(value, f"the input of workflow {kind_of(workflow)!r}")


def output_of(workflow: object, value: JsonValue) -> Any:
    """`value` as the output type that a `@workflow` definition declares; as it is where there is none.

    Raises:
        NotSerializable: it does not fit.
    """
    return workflow.signature.decode_output(value) if isinstance(workflow, Definition) else value
