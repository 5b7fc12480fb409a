"""Lease tokens and stream tickets of a deployed function: their secrets come from Secrets Manager, or from the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flowstrand.aws.settings import Resources
from flowstrand.aws_faults import unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError
from flowstrand.service.clock import Clock
from flowstrand.service.tickets import NoStreamTickets, StreamTickets
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
    secret = _secret("lease", resources.lease_secret, resources.lease_secret_arn, secrets)
    return NoLeaseTokens() if secret is None else LeaseTokens(secret)


def stream_tickets(resources: Resources, secrets: Callable[[], SecretsClient], clock: Clock) -> StreamTickets:
    """The tickets that `resources` allow for. Raises what `lease_tokens` does."""
    secret = _secret("ticket", resources.ticket_secret, resources.ticket_secret_arn, secrets)
    return NoStreamTickets() if secret is None else StreamTickets(secret, clock)


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


def _secret(name: str, given: str | None, arn: str | None, secrets: Callable[[], SecretsClient]) -> str | None:
    if given is None and arn is None:
        return None
    secret = _kept(name, str(arn), secrets) if given is None else given
    if len(secret.encode()) < _MIN_BYTES:
        raise ConfigurationError(f"the {name} secret has fewer than {_MIN_BYTES} bytes")
    return secret


def _kept(name: str, arn: str, secrets: Callable[[], SecretsClient]) -> str:
    with unavailable_on_faults(f"read the {name} secret"):
        return str(secrets().get_secret_value(SecretId=arn)["SecretString"])
