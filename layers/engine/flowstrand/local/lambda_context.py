"""`LocalContext`: what a handler learns about its invocation."""

from __future__ import annotations

import time
import uuid
from dataclasses import field

from flowstrand.dataclass import dataclass

_TIMEOUT_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalContext:
    """Lambda's context object, as far as it is documented."""

    function_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 1_024
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        """Names the function in the style of AWS."""
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """Where CloudWatch would keep its logs."""
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        """One for the whole process."""
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        """As much as the longest Lambda has."""
        return max(0, round((_TIMEOUT_S - (time.monotonic() - self.begun_s)) * 1_000))
