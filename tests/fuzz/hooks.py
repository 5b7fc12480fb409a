"""What schemathesis cannot know: which lease token belongs to which task."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.generation.modes import GenerationMode

_LEASES: dict[str, str] = json.loads(Path(os.environ["FUZZ_SEEDS"]).read_text(encoding="utf-8"))["leases"]


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Give a report that is valid otherwise the token of the task that it is about."""
    token = _LEASES.get((case.path_parameters or {}).get("taskId", ""))
    if token is None or case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if isinstance(case.body, dict) and "leaseToken" in case.body:
        case.body["leaseToken"] = token
