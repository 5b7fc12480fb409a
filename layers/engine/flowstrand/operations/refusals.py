"""What AWS refuses, as errors of ours: a sentence that says which call, and a code that says whose move it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from flowstrand.aws_faults import error_code, is_repeatable
from flowstrand.errors import ConfigurationError, OperatorError, StoreUnavailable

_NOT_ALLOWED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn what boto3 raises inside the block into errors of ours.

    Raises:
        OperatorError: `NOT_ALLOWED`: these credentials may not do that. `AWS_REFUSED`: it cannot be done.
        StoreUnavailable: it may be done later.
        ConfigurationError: there are no credentials, or no such endpoint.
    """
    try:
        yield
    except ClientError as error:
        if is_repeatable(error):
            raise StoreUnavailable(f"AWS has no time for {error.operation_name}: {error}") from error
        code = "NOT_ALLOWED" if is_not_allowed(error) else "AWS_REFUSED"
        raise OperatorError(f"AWS refuses {error.operation_name}: {_message(error)}", code=code) from error
    except BotoCoreError as error:
        raise ConfigurationError(f"AWS cannot be reached: {error}") from error


def is_not_allowed(error: ClientError) -> bool:
    """Whether the credentials are the reason."""
    return (
        error_code(error) in _NOT_ALLOWED
        or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403
    )


def _message(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message") or error_code(error))
