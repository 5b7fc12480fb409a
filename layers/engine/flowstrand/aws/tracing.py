"""X-Ray segments of invocations, by Powertools' Tracer: off, and not even imported, unless the stack says otherwise.

What a trace shows is the invocation, whether it failed, its ids, and the calls to AWS. Answers and exceptions' messages are never
among it. How executions are traced is another matter, and none of a function's: see `flowstrand.tracing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from flowstrand.observability import correlation

if TYPE_CHECKING:
    from aws_lambda_powertools import Tracer

Handler: TypeAlias = Callable[[Any, Any], Any]

SWITCH = "FLOWSTRAND_TRACING"
"""The environment variable that turns it on, with the value `active`."""
_ANNOTATED = ("org", "executionId", "taskId", "requestId")
"""By what traces can be searched."""


def is_on() -> bool:
    """Whether this process traces."""
    return os.environ.get(SWITCH) == "active"


def traced(handler: Handler) -> Handler:
    """The handler in a segment of its own, where the process traces; else the handler itself."""
    if not is_on():
        return handler
    captured: Handler = tracer().capture_lambda_handler(
        handler,
        # What is answered and what was failed on is nobody's business.
        capture_response=False,
        capture_error=False,
    )
    return captured


def annotate() -> None:
    """Tell the segment what the process is busy with."""
    if is_on():
        ids = correlation.current()
        for name in _ANNOTATED:
            if name in ids:
                tracer().put_annotation(name, str(ids[name]))


@cache
def tracer() -> Tracer:
    """Powertools' own, which has AWS calls traced as well. Its imports take about as long as all of a handler's others."""
    from aws_lambda_powertools import Tracer

    return Tracer(service="flowstrand", patch_modules=["botocore"])
