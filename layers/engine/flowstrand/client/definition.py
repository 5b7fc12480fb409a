"""`KnownDefinition`: a task or workflow that the server knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDefinition:
    """What is known of a kind.

    Attributes:
        is_deployed: its code is in the stack.
        input_schema, output_schema: JSON Schemas, where they are known.
        registered_at: when a worker registered it last, RFC 3339.
        body: everything that the API says.
    """

    kind: str
    is_deployed: bool
    content_hash: str | None
    input_schema: JsonObject | None
    output_schema: JsonObject | None
    queue: str | None
    description: str | None
    registered_at: str | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> KnownDefinition:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            kind=said["kind"],
            is_deployed=said["deployed"],
            content_hash=said.get("contentHash"),
            input_schema=said.get("inputSchema"),
            output_schema=said.get("outputSchema"),
            queue=said.get("queue"),
            description=said.get("description"),
            registered_at=said.get("registeredAt"),
            body=dict(body),
        )
