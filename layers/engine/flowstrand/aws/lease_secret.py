"""Lease tokens of a deployed function: their secret comes from Secrets Manager, or from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flowstrand.aws.settings import Resources
from flowstrand.aws_faults import unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError
from flowstrand.service.tokens import Lease, LeaseTokens

_MIN_BYTES = 32


class SecretsClient(Protocol):
    """The one call of boto3's Secrets Manager client that is used."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """The answer; the secret is its `SecretString`."""
        ...


def lease_tokens(resources: Resources, secrets: Callable[[], SecretsClient]) -> LeaseTokens:
    """The tokens that `resources` allow for; `secrets` makes a client and is called only if one is needed.

    Raises:
        ConfigurationError: the secret is shorter than 32 bytes.
        StoreUnavailable: Secrets Manager does not answer.
    """
    if resources.lease_secret is not None:
        return _tokens(resources.lease_secret)
    if resources.lease_secret_arn is None:
        return NoLeaseTokens()
    with unavailable_on_faults("read the lease secret"):
        return _tokens(secrets().get_secret_value(SecretId=resources.lease_secret_arn)["SecretString"])


class NoLeaseTokens(LeaseTokens):
    """Of a function that has no business with tokens: it neither signs one nor takes one for valid."""

    def __init__(self) -> None:
        super().__init__("")

    def sign(self, lease: Lease) -> str:
        """See `verify`."""
        raise ConfigurationError(f"this function has no lease secret to sign a lease on {lease.task_id} with")

    def verify(self, token: str, *, org: OrgId, task_id: str) -> Lease:  # noqa: ARG002 - the base's
        """Refuse.

        Raises:
            ConfigurationError: always.
        """
        raise ConfigurationError(f"this function has no lease secret to verify a lease on {task_id} with")


def _tokens(secret: str) -> LeaseTokens:
    if len(secret.encode()) < _MIN_BYTES:
        raise ConfigurationError(f"the lease secret has fewer than {_MIN_BYTES} bytes")
    return LeaseTokens(secret)
