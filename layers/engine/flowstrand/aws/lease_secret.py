"""Lease tokens and stream tickets of a deployed function: their secrets come from Secrets Manager, or from the environment.

The secret of leases may be rotated while functions run. Secrets Manager keeps the one before, so tokens that were signed with it are taken
until the next rotation; and a process that has not heard of a rotation looks again, when it gets a token that it does not
know, and now and then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from flowstrand.aws.settings import Resources
from flowstrand.aws_faults import error_code, unavailable_on_faults
from flowstrand.engine.ids import OrgId
from flowstrand.errors import ConfigurationError, Conflict
from flowstrand.service.clock import Clock, SystemClock
from flowstrand.service.tickets import NoStreamTickets, StreamTickets
from flowstrand.service.tokens import Lease, LeaseTokens

_MIN_BYTES = 32
_REREAD_MS = 600_000
"""How old the secret may be that is signed with."""
_LOOK_AGAIN_MS = 30_000
"""How often unknown tokens may lead to another look, however many there are."""
_NO_VERSION = "ResourceNotFoundException"
_CLOCK = SystemClock()
_logger = logging.getLogger("flowstrand.secrets")


class SecretsClient(Protocol):
    """The one call of boto3's Secrets Manager client that is used."""

    def get_secret_value(self, *, SecretId: str, VersionStage: str = ...) -> Mapping[str, Any]:  # noqa: N803 - boto3's names
        """The answer; the secret is its `SecretString`. The stage is `AWSCURRENT` unless it is given."""
        ...


def lease_tokens(resources: Resources, secrets: Callable[[], SecretsClient], clock: Clock = _CLOCK) -> LeaseTokens:
    """The tokens that `resources` allow for; `secrets` makes a client and is called only if one is needed.

    Raises:
        ConfigurationError: the secret is shorter than 32 bytes.
        StoreUnavailable: Secrets Manager does not answer.
    """
    if resources.lease_secret is not None:
        return LeaseTokens(_long_enough("lease", resources.lease_secret))
    if resources.lease_secret_arn is None:
        return NoLeaseTokens()
    return RotatedLeaseTokens(secrets(), resources.lease_secret_arn, clock)


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


class RotatedLeaseTokens(LeaseTokens):
    """Signs with the current secret, and takes tokens of the current one and the one before. Thread-safe."""

    def __init__(self, secrets: SecretsClient, arn: str, clock: Clock) -> None:
        """Reads the current secret.

        Raises:
            ConfigurationError: it is shorter than 32 bytes.
            StoreUnavailable: Secrets Manager does not answer.
        """
        self._client = secrets
        self._arn = arn
        self._clock = clock
        with unavailable_on_faults("read the lease secret"):
            super().__init__(self._current())
        self._read_at_ms = clock.now_ms()
        self._looked_back_at_ms = -_LOOK_AGAIN_MS

    def sign(self, lease: Lease) -> str:
        """See `LeaseTokens.sign`. Whoever only signs hears of a rotation within ten minutes."""
        if self._clock.now_ms() - self._read_at_ms >= _REREAD_MS:
            self._read()
        return super().sign(lease)

    def verify(self, token: str, *, org: OrgId, task_id: str) -> Lease:
        """See `LeaseTokens.verify`. A token that nobody here knows may be of a rotation: the secrets are read, at most each half minute."""
        try:
            return super().verify(token, org=org, task_id=task_id)
        except Conflict:
            now_ms = self._clock.now_ms()
            if now_ms - self._looked_back_at_ms < _LOOK_AGAIN_MS:
                raise
            self._looked_back_at_ms = now_ms
            self._read()
            return super().verify(token, org=org, task_id=task_id)

    def _read(self) -> None:
        """Both secrets; where they cannot be read now, those that are known will do."""
        self._read_at_ms = self._clock.now_ms()
        try:
            self._secrets = (self._current(), *self._previous())
        except (ClientError, BotoCoreError, ConfigurationError):
            _logger.warning(
                "the lease secrets could not be read again; those that are known are kept", exc_info=True
            )

    def _current(self) -> str:
        return _long_enough("lease", self._client.get_secret_value(SecretId=self._arn)["SecretString"])

    def _previous(self) -> list[str]:
        try:
            answer = self._client.get_secret_value(SecretId=self._arn, VersionStage="AWSPREVIOUS")
        except ClientError as error:
            if error_code(error) != _NO_VERSION:
                raise
            return []
        return [_long_enough("lease", answer["SecretString"])]


def _secret(name: str, given: str | None, arn: str | None, secrets: Callable[[], SecretsClient]) -> str | None:
    if given is None and arn is None:
        return None
    secret = _kept(name, str(arn), secrets) if given is None else given
    return _long_enough(name, secret)


def _long_enough(name: str, secret: str) -> str:
    if len(secret.encode()) < _MIN_BYTES:
        raise ConfigurationError(f"the {name} secret has fewer than {_MIN_BYTES} bytes")
    return secret


def _kept(name: str, arn: str, secrets: Callable[[], SecretsClient]) -> str:
    with unavailable_on_faults(f"read the {name} secret"):
        return str(secrets().get_secret_value(SecretId=arn)["SecretString"])
