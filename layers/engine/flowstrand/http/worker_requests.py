"""Request bodies of the routes of workers."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from flowstrand.http.body import RequestBody
from flowstrand.http.request_fields import Kind, Kinds, Name, Version
from flowstrand.service.definitions import Manifest
from flowstrand.service.workers import Registration

MAX_SCHEMA_BYTES = 32_768
"""A page of definitions with two schemas each has to fit what Lambda can answer."""


def _fits_a_row(schema: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(schema, ensure_ascii=False).encode()) > MAX_SCHEMA_BYTES:
        raise ValueError(f"a schema may have {MAX_SCHEMA_BYTES} bytes of JSON")
    return schema


Schema = Annotated[dict[str, Any], AfterValidator(_fits_a_row)]


class RegisteredDefinition(RequestBody):
    """What a worker says of one task or workflow, all but its kind optional."""

    kind: Kind
    content_hash: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    input_schema: Schema | None = None
    output_schema: Schema | None = None
    queue: Name | None = None
    description: Annotated[str, StringConstraints(max_length=1_024)] | None = None

    def to_manifest(self) -> Manifest:
        """For the use case."""
        return Manifest(
            kind=self.kind,
            content_hash=self.content_hash,
            input_schema=self.input_schema,
            output_schema=self.output_schema,
            queue=self.queue,
            description=self.description,
        )


Definitions = Annotated[list[RegisteredDefinition], Field(max_length=500)]


class RegisterWorker(RequestBody):
    """`POST /workers`. A kind may be named alone, or with its definition, or both.

    `queue` is for a worker of one queue, `queues` for one of several.
    """

    name: Name
    queue: Name = "default"
    queues: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None
    version: Version | None = None
    task_kinds: Kinds = Field(default_factory=list)
    workflow_kinds: Kinds = Field(default_factory=list)
    worker_id: Name | None = None
    task_definitions: Definitions = Field(default_factory=list)
    workflow_definitions: Definitions = Field(default_factory=list)

    def to_registration(self) -> Registration:
        """For the use case."""
        return Registration(
            name=self.name,
            queues=tuple(dict.fromkeys(self.queues or [self.queue])),
            version=self.version,
            task_kinds=tuple(self.task_kinds),
            workflow_kinds=tuple(self.workflow_kinds),
            worker_id=self.worker_id,
            tasks=tuple(definition.to_manifest() for definition in self.task_definitions),
            workflows=tuple(definition.to_manifest() for definition in self.workflow_definitions),
        )


class WorkerHeartbeat(RequestBody):
    """`POST /workers/{id}/heartbeat`: the worker is there, though it does not poll just now."""

    state: Literal["RUNNING", "PAUSED", "DRAINING", "STOPPED"] = "RUNNING"
