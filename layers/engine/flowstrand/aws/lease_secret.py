"""Lease tokens of a deployed function: their secret comes from Secrets Manager, where it may be rotated, or from the environment."""

from __future__ import annotations

from collections.abc import Callable

from flowstrand.aws.rotated_secret import RotatedSecret, SecretsClient, long_enough
from flowstrand.aws.settings import Resources
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError
from flowstrand.service.clock import Clock, SystemClock
from flowstrand.service.signing import Signed
from flowstrand.service.tokens import Lease, LeaseTokens

_CLOCK = SystemClock()


def lease_tokens(resources: Resources, secrets: Callable[[], SecretsClient], clock: Clock = _CLOCK) -> LeaseTokens:
    """The tokens that `resources` allow for; `secrets` makes a client and is called only if one is needed.

    Raises:
        ConfigurationError: the secret is shorter than 32 bytes.
        StoreUnavailable: Secrets Manager does not answer.
    """
    if resources.lease_secret is not None:
        return LeaseTokens(long_enough(Signed.LEASE, resources.lease_secret))
    if resources.lease_secret_arn is None:
        return NoLeaseTokens()
    return LeaseTokens(RotatedSecret(Signed.LEASE, secrets(), resources.lease_secret_arn, clock))


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
