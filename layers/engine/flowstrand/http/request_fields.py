"""Types of fields that request bodies have in common, with the contract's limits."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from flowstrand.engine.names import KIND_PATTERN, NAME_PATTERN

MAX_METADATA_BYTES = 8_192
"""Metadata is part of the log's first commit, never a reference."""

MAX_TIMEOUT_S = 100 * 365 * 86_400
"""A hundred years."""


def _is_small(metadata: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata may have {MAX_METADATA_BYTES} bytes of JSON")
    return metadata


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Kind = Annotated[str, StringConstraints(pattern=KIND_PATTERN)]
Kinds = Annotated[list[Kind], Field(max_length=500)]
LeaseToken = Annotated[str, StringConstraints(min_length=1, max_length=4_096)]
RequestId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Version = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TimeoutSeconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)]
Metadata = Annotated[dict[str, Any], AfterValidator(_is_small)]
