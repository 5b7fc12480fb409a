"""What functions have logged, as CloudWatch would get it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def json_lines(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Every line, parsed.

    Raises:
        AssertionError: a line is not a JSON object; CloudWatch's own queries do not see into it.
    """
    parsed: list[dict[str, Any]] = []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        assert isinstance(value, dict), f"not a JSON object: {line!r}"
        parsed.append(value)
    return parsed


def faults_of(lines: Sequence[str], secrets: Sequence[str]) -> list[str]:
    """The lines that hold a secret."""
    return [line for line in lines if any(secret in line for secret in secrets)]
