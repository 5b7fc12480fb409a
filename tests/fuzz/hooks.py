"""What schemathesis cannot know: which lease token belongs to which task, what a cron expression means, and that
headers which nobody knows are ignored.

A request that is to be accepted is given what makes it acceptable; one that is to be refused is left as it is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis.generation.modes import GenerationMode

_LEASES: dict[str, str] = json.loads(Path(os.environ["FUZZ_SEEDS"]).read_text(encoding="utf-8"))["leases"]
_UNKNOWN = "x-schemathesis-unknown-property"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """See the module."""
    body = case.body
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE or not isinstance(body, dict):
        return
    task = (case.path_parameters or {}).get("taskId", "")
    if "leaseToken" in body and task in _LEASES:
        body["leaseToken"] = _LEASES[task]
    if case.operation.label == "POST /api/orgs/{org}/schedules":
        body["timeZone"] = "Europe/Berlin"
        body |= {"cron": "0 2 * * *"} if body.get("cron") is not None else {"at": "2099-01-01T00:00:00Z"}


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Whether to send it: what is wrong with it is not just a header that nobody knows."""
    return _UNKNOWN not in (case.headers or {})
