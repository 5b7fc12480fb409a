"""Which failures of an AWS call mean "repeat it": throttling, 5xx, and the network (law 9).

Everything else, a failed condition or a refused permission, passes unchanged: it is an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name
    HTTPClientError,
    IncompleteReadError,
    ResponseStreamingError,
)

from flowstrand.errors import StoreUnavailable

_REPEATABLE_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
    }
)
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500


@contextmanager
def unavailable_on_faults(doing: str) -> Iterator[None]:
    """Turn throttling, server errors and network errors inside the block into `StoreUnavailable`.

    Args:
        doing: what the block does, for the message: "append to the log".

    Raises:
        StoreUnavailable: what was asked for may or may not have happened.
    """
    try:
        yield
    except ClientError as error:
        if not is_repeatable(error):
            raise
        raise StoreUnavailable(f"could not {doing}: {error}") from error
    except (ConnectionError, HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
        raise StoreUnavailable(f"could not {doing}: {error}") from error


def is_repeatable(error: ClientError) -> bool:
    """Whether the service refused for now (throttled, or failed itself) rather than for good."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error_code(error) in _REPEATABLE_CODES or status == _TOO_MANY_REQUESTS or status >= _SERVER_ERRORS


def error_code(error: ClientError) -> str:
    """The service's name for what went wrong, or an empty string."""
    return str(error.response.get("Error", {}).get("Code", ""))
